// SPDX-License-Identifier: Apache-2.0
// The oracle of every promise: an id becomes an obligation when its emit has returned success. At the end every obligation
// was delivered, every delivered id was issued, and payloads are equal byte for byte.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "shmring/logger.hpp"
#include "tests/support/splitmix.hpp"

namespace shmring::testing {

inline constexpr std::uint32_t kMaxIds = 1U << 20U;
inline constexpr std::uint64_t kFirstTime = 1'700'000'000'000'000'000;

/// In memory of its own kind (Shared<Obligations>), so that it outlives whoever writes into it.
struct Obligations {
  std::atomic<std::uint32_t> issued;
  std::atomic<std::uint8_t> committed[kMaxIds];

  /// A new id. From now on its record may arrive. A test that runs out of ids ends here: one more obligation would be written behind
  /// this memory, where the kernel likes to map the ring.
  std::uint32_t issue() noexcept {
    const std::uint32_t id = issued.fetch_add(1, std::memory_order_relaxed);
    if (id < kMaxIds) return id;
    std::fprintf(stderr, "a test issued more than %u ids: emit less, or wait between two emits\n", kMaxIds);
    std::abort();
  }
  /// Its emit has returned success: from now on its record must arrive.
  void oblige(std::uint32_t id) noexcept { committed[id].store(1, std::memory_order_relaxed); }

  bool is_obligation(std::uint32_t id) const noexcept {
    return committed[id].load(std::memory_order_relaxed) != 0;
  }
  std::uint64_t count() const noexcept {
    std::uint64_t sum = 0;
    for (std::uint32_t id = 0; id < issued.load(std::memory_order_relaxed); ++id)
      sum += is_obligation(id) ? 1 : 0;
    return sum;
  }
};

/// A text in which no place is like another. Made before main(): a child that is forked while another thread makes it would wait for
/// that thread for ever.
inline const std::vector<char> kText = [] {
  std::vector<char> letters(16384);
  SplitMix random(4711);
  for (char& letter : letters) letter = static_cast<char>('!' + random.below(90));
  return letters;
}();

/// The text of an id's record: of another length for each.
inline std::string_view text_of(std::uint32_t id, std::size_t longest = 400, std::size_t shortest = 0) {
  const std::uint64_t random = mixed(id);
  return {kText.data() + random % 4096, shortest + random / 4096 % longest};
}

/// Whether a record is one of the ordinary ones, or larger than a small ring's block of 4096 bytes.
enum class Large : std::uint8_t { kNo, kYes };

/// The record of an id, handed to `use` while everything that it names lives. Its first field is its time, which tells the id.
template <typename Use>
auto with_record(std::uint32_t id, Use&& use, Large large = Large::kNo) {
  return use(LogRecord{.severity = Severity::kInfo,
                       .body = large == Large::kYes ? text_of(id, 4096, 4200) : text_of(id),
                       .attributes = {{"test.id", id}, {"test.odd", id % 2 == 1}},
                       .time_unix_nano = kFirstTime + id,
                       .observed_time_unix_nano = kFirstTime});
}

inline std::vector<std::byte> payload_of(std::uint32_t id, Large large = Large::kNo) {
  const auto encoded = [](const LogRecord& record) {
    std::vector<std::byte> bytes(encoded_size(record));
    encode(bytes.data(), record);
    return bytes;
  };
  return with_record(id, encoded, large);
}

/// The id that a payload claims to be of. nullopt: none of ours.
inline std::optional<std::uint32_t> id_of(std::span<const std::byte> payload) {
  constexpr std::byte kTimeTag{0x09};  // LogRecord.time_unix_nano, fixed64
  if (payload.size() < 9 || payload[0] != kTimeTag) return std::nullopt;
  std::uint64_t time = 0;
  std::memcpy(&time, payload.data() + 1, sizeof(time));
  if (time < kFirstTime || time - kFirstTime >= kMaxIds) return std::nullopt;
  return static_cast<std::uint32_t>(time - kFirstTime);
}

/// One record through the public interface: issued, emitted, and an obligation if that was a success.
inline bool emit_one(const Logger& logger, Obligations& obligations) {
  const std::uint32_t id = obligations.issue();
  const bool committed = with_record(id, [&logger](const LogRecord& record) { return logger.emit(record); });
  if (committed) obligations.oblige(id);
  return committed;
}

inline std::uint32_t emit_many(const Logger& logger, Obligations& obligations, std::uint32_t count) {
  std::uint32_t committed = 0;
  for (std::uint32_t n = 0; n < count; ++n) committed += emit_one(logger, obligations) ? 1 : 0;
  return committed;
}

inline bool is_payload_of(std::uint32_t id, std::span<const std::byte> payload, Large large = Large::kNo) {
  const std::vector<std::byte> expected = payload_of(id, large);
  return expected.size() == payload.size() &&
         std::memcmp(expected.data(), payload.data(), payload.size()) == 0;
}

/// What arrived. Tells at once of a payload that is not what was emitted.
class Deliveries {
 public:
  void record(std::span<const std::byte> payload) {
    const auto id = id_of(payload);
    if (!id || !is_payload_of(*id, payload)) {
      ++mangled_;
      return;
    }
    add(*id, 1);
  }
  /// What arrived elsewhere, and was compared there.
  void add(std::uint32_t id, std::uint32_t times) {
    if (times_.size() <= id) times_.resize(id + 1);
    times_[id] += times;
    total_ += times;
  }

  std::uint64_t total() const noexcept { return total_; }
  std::uint64_t mangled() const noexcept { return mangled_; }
  bool arrived(std::uint32_t id) const noexcept { return id < times_.size() && times_[id] != 0; }
  std::uint64_t duplicates() const noexcept {
    std::uint64_t sum = 0;
    for (const std::uint32_t times : times_) sum += times > 1 ? times - 1 : 0;
    return sum;
  }
  /// Records that arrived more than once, however often.
  std::uint64_t repeated() const noexcept {
    std::uint64_t sum = 0;
    for (const std::uint32_t times : times_) sum += times > 1 ? 1 : 0;
    return sum;
  }
  /// Obligations that were not kept.
  std::uint64_t lost(const Obligations& obligations) const noexcept {
    std::uint64_t sum = 0;
    for (std::uint32_t id = 0; id < obligations.issued.load(std::memory_order_relaxed); ++id) {
      sum += obligations.is_obligation(id) && !arrived(id) ? 1 : 0;
    }
    return sum;
  }
  /// Arrivals that nobody has sent.
  std::uint64_t invented(const Obligations& obligations) const noexcept {
    std::uint64_t sum = 0;
    for (std::uint32_t id = obligations.issued.load(std::memory_order_relaxed); id < times_.size(); ++id)
      sum += times_[id];
    return sum;
  }

 private:
  std::vector<std::uint32_t> times_;
  std::uint64_t total_ = 0;
  std::uint64_t mangled_ = 0;
};

}  // namespace shmring::testing
