// SPDX-License-Identifier: Apache-2.0
// The protobuf wire format as bytes: a reader that never leaves its span, and the two writers that splicing needs.
//
// Why not protozero: it reports bad bytes by throwing. What comes out of a ring may be
// garbage by the block, so here "malformed" is an ordinary answer, given millions of times a second, and in
// functions that are noexcept. It is also stricter: tags of at most 5 bytes, lengths as every parser takes them.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>

#include "libshmring/otlp/reason.hpp"

namespace shmring::otlp {

using Bytes = std::span<const std::byte>;

enum class WireType : std::uint8_t {
  kVarint = 0,
  kFixed64 = 1,
  kLength = 2,
  kStartGroup = 3,
  kEndGroup = 4,
  kFixed32 = 5
};

struct Tag {
  std::uint32_t number = 0;
  WireType type = WireType::kVarint;
};

// Reads forward through one message. After anything but kNone the position is that of the item that was wrong.
class WireReader {
 public:
  explicit WireReader(Bytes bytes) noexcept : pos_(bytes.data()), end_(bytes.data() + bytes.size()) {}

  bool at_end() const noexcept { return pos_ == end_; }
  const std::byte* position() const noexcept { return pos_; }
  std::size_t remaining() const noexcept { return static_cast<std::size_t>(end_ - pos_); }

  Reason read_tag(Tag& tag) noexcept {
    if (at_end()) return Reason::kTruncated;
    std::uint32_t raw = byte_at(0);
    if (raw < 0x80) [[likely]] {
      ++pos_;
    } else if (const Reason reason = read_long_tag(raw); reason != Reason::kNone) {
      return reason;
    }
    tag.number = raw >> 3;
    tag.type = static_cast<WireType>(raw & 7);
    return tag.number == 0 ? Reason::kFieldNumber : Reason::kNone;
  }

  Reason read_varint(std::uint64_t& value) noexcept {
    if (at_end()) return Reason::kTruncated;
    value = byte_at(0);
    if (value < 0x80) [[likely]] {
      ++pos_;
      return Reason::kNone;
    }
    return read_long_varint(value);
  }

  // The bytes behind a length: a string, bytes, a message or a packed list.
  Reason read_bytes(Bytes& bytes) noexcept {
    if (at_end()) return Reason::kTruncated;
    const std::byte* const begin = pos_;
    std::size_t length = byte_at(0);
    if (length < 0x80) [[likely]] {
      ++pos_;
    } else if (const Reason reason = read_long_length(length); reason != Reason::kNone) {
      return reason;
    }
    if (length > remaining()) {
      pos_ = begin;
      return Reason::kTruncated;
    }
    bytes = Bytes{pos_, length};
    pos_ += length;
    return Reason::kNone;
  }

  template <typename Fixed>  // std::uint32_t or std::uint64_t
  Reason read_fixed(Fixed& value) noexcept {
    if (remaining() < sizeof value) return Reason::kTruncated;
    std::memcpy(&value, pos_, sizeof value);  // little-endian, as we are
    pos_ += sizeof value;
    return Reason::kNone;
  }

  // Steps over a value of that wire type. Groups are refused.
  Reason skip(WireType type) noexcept;

 private:
  std::uint32_t byte_at(std::size_t offset) const noexcept {
    return std::to_integer<std::uint32_t>(pos_[offset]);
  }
  Reason read_long_tag(std::uint32_t& raw) noexcept;
  Reason read_long_varint(std::uint64_t& value) noexcept;
  Reason read_long_length(std::size_t& length) noexcept;

  const std::byte* pos_;
  const std::byte* end_;
};

// The bytes that a varint takes: 1 to 10.
constexpr std::size_t varint_size(std::uint64_t value) noexcept {
  return (static_cast<std::size_t>(std::bit_width(value | 1)) * 9 + 64) /
         64;  // bits / 7, rounded up: exact up to 64
}

// The bytes of a length-delimited field whose tag takes one byte: tag, length, content.
constexpr std::size_t framed_size(std::size_t content) noexcept { return 1 + varint_size(content) + content; }

// The tag byte of a length-delimited field. REQUIRES: number < 16.
constexpr char length_tag(std::uint32_t number) noexcept {
  return static_cast<char>(number << 3 | static_cast<std::uint32_t>(WireType::kLength));
}

// Works on std::string and std::vector<char> alike.
template <typename Buffer>
void append_varint(std::uint64_t value, Buffer& out) {
  while (value >= 0x80) {
    out.push_back(static_cast<typename Buffer::value_type>(value | 0x80));
    value >>= 7;
  }
  out.push_back(static_cast<typename Buffer::value_type>(value));
}

}  // namespace shmring::otlp
