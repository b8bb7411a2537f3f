// SPDX-License-Identifier: Apache-2.0
// A fuzzer's input as damage to a ring: where it may strike, then what it does, phase by phase.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <span>

#include "libshmring/ring_file.hpp"
#include "shmring/layout.hpp"
#include "tests/fuzz/input.hpp"
#include "tests/fuzz/specimen.hpp"

namespace shmring::fuzz {

/// Where damage may strike. The first byte of an input, modulo 7.
enum class Where : std::uint8_t {
  kBlock0,
  kBlock1,
  kBlock2,
  kBlock3,  // the block's descriptor and its bytes, nothing else
  kShared,  // the header behind the identity, and the writer slots
  kBehindIdentity,
  kAnywhere,
};

/// One or two stretches of a ring as one address space; offsets wrap round.
class Region {
 public:
  Region(std::span<std::byte> first, std::span<std::byte> second = {}) : first_(first), second_(second) {}

  std::size_t size() const noexcept { return first_.size() + second_.size(); }
  std::byte& at(std::size_t offset) const noexcept {
    offset %= size();
    return offset < first_.size() ? first_[offset] : second_[offset - first_.size()];
  }
  void store(std::size_t offset, const void* bytes, std::size_t count) const noexcept {
    for (std::size_t n = 0; n < count; ++n) at(offset + n) = static_cast<const std::byte*>(bytes)[n];
  }
  std::uint64_t word(std::size_t offset) const noexcept {
    std::array<std::byte, 8> bytes{};
    for (std::size_t n = 0; n < bytes.size(); ++n) bytes[n] = at(offset + n);
    std::uint64_t value = 0;
    std::memcpy(&value, bytes.data(), sizeof(value));
    return value;
  }

 private:
  std::span<std::byte> first_;
  std::span<std::byte> second_;
};

/// REQUIRES: `base` is a ring of the specimen's geometry.
inline Region region_of(Where where, std::byte* base, const Geometry& geometry) {
  const std::span<std::byte> all(base, geometry.file_bytes);
  const auto block = static_cast<std::uint64_t>(where);
  switch (where) {
    case Where::kBlock0:
    case Where::kBlock1:
    case Where::kBlock2:
    case Where::kBlock3:
      return {
          all.subspan(geometry.descriptors_offset + block * sizeof(BlockDescriptor), sizeof(BlockDescriptor)),
          all.subspan(geometry.blocks_offset + block * geometry.block_bytes, geometry.block_bytes)};
    case Where::kShared:
      return {all.subspan(sizeof(RingIdentity), kHeaderBytes - sizeof(RingIdentity)),
              all.subspan(geometry.slots_offset, std::uint64_t{geometry.writer_count} * sizeof(WriterSlot))};
    case Where::kBehindIdentity:
      return {all.subspan(sizeof(RingIdentity))};
    case Where::kAnywhere:
      break;
  }
  return {all};
}

class Mutations {
 public:
  explicit Mutations(Input input) : Mutations(input.take<std::uint8_t>(), input) {}
  Mutations(std::uint8_t where, Input input) : input_(input), where_(static_cast<Where>(where % kWheres)) {}
  static constexpr unsigned kWheres = 7;

  Where where() const noexcept { return where_; }
  /// The only block that is touched, if that is so.
  std::optional<std::uint32_t> block() const noexcept {
    if (where_ > Where::kBlock3) return std::nullopt;
    return static_cast<std::uint32_t>(where_);
  }
  bool is_at_end() const noexcept { return input_.is_at_end(); }
  bool did_anything() const noexcept { return did_anything_; }

  /// Damage up to the next step; what is left comes with the next call.
  void apply(const Region& region) {
    while (!input_.is_at_end()) {
      const unsigned what = input_.take<std::uint8_t>() % 8;
      if (what == kStep) return;
      did_anything_ = true;
      apply_one(what, input_.take<std::uint16_t>(), region);
    }
  }

 private:
  static constexpr unsigned kStep = 7;

  void apply_one(unsigned what, std::size_t at, const Region& region) {
    const std::size_t aligned = at & ~std::size_t{7};
    switch (what) {
      case 0:
        return store(region, aligned, input_.take<std::uint64_t>());
      case 1:
        region.at(at) ^= std::byte{1} << (input_.take<std::uint8_t>() % 8);
        return;
      case 2:
        region.at(at) = static_cast<std::byte>(input_.take<std::uint8_t>());
        return;
      case 3: {
        const RecordHeader header{input_.take<std::uint32_t>(), input_.take<std::uint8_t>(), 0,
                                  input_.take<std::uint8_t>()};
        return region.store(aligned, &header, sizeof(header));
      }
      case 4:
        return store(region, aligned, kTellingWords[input_.take<std::uint8_t>() % kTellingWords.size()]);
      case 5: {  // counts and offsets a little off
        const auto shift = input_.take<std::uint8_t>() % 64U;
        const auto delta = static_cast<std::int8_t>(input_.take<std::uint8_t>());
        return store(region, aligned,
                     region.word(aligned) + (static_cast<std::uint64_t>(std::int64_t{delta}) << shift));
      }
      case 6:
        return store(region, aligned, region.word(input_.take<std::uint16_t>() & ~std::size_t{7}));
      default:
        return;
    }
  }
  static void store(const Region& region, std::size_t at, std::uint64_t word) {
    region.store(at, &word, sizeof(word));
  }

  static constexpr std::array<std::uint64_t, 12> kTellingWords{
      0,       1,       0x7FFFFFFF,         0x80000000,         0xFFFFFFFF,        0x100000000,
      0x3FFFF, 0x40000, 0x7FFFFFFFFFFFFFFF, 0x8000000000000000, ~std::uint64_t{0}, 0x0000000800000008};

  Input input_;
  Where where_;
  bool did_anything_ = false;
};

}  // namespace shmring::fuzz
