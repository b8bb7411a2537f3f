// SPDX-License-Identifier: Apache-2.0
// The rare halves of the wire reader: items of more than one byte.
#include "libshmring/otlp/wire.hpp"

namespace shmring::otlp {
namespace {

struct Varint {
  std::uint64_t value = 0;
  std::size_t size = 0;  // 0: it did not end within the bytes that it may have
};

Varint decode(const std::byte* bytes, std::size_t limit) noexcept {
  Varint varint;
  for (std::size_t i = 0; i < limit; ++i) {
    const auto byte = std::to_integer<std::uint64_t>(bytes[i]);
    varint.value |= (byte & 0x7f) << (7 * i);
    if (byte < 0x80) {
      varint.size = i + 1;
      return varint;
    }
  }
  return varint;
}

constexpr std::size_t kMaxTagBytes = 5;
constexpr std::size_t kMaxLengthBytes = 5;
constexpr std::size_t kMaxVarintBytes = 10;
constexpr std::uint64_t kMaxTag = 0xffffffff;
constexpr std::uint64_t kMaxLength = 0x7fffffff;

}  // namespace

Reason WireReader::read_long_tag(std::uint32_t& raw) noexcept {
  const bool is_short = remaining() < kMaxTagBytes;
  const Varint tag = decode(pos_, is_short ? remaining() : kMaxTagBytes);
  if (tag.size == 0) return is_short ? Reason::kTruncated : Reason::kFieldNumber;
  if (tag.value > kMaxTag) return Reason::kFieldNumber;
  raw = static_cast<std::uint32_t>(tag.value);
  pos_ += tag.size;
  return Reason::kNone;
}

Reason WireReader::read_long_length(std::size_t& length) noexcept {
  const bool is_short = remaining() < kMaxLengthBytes;
  const Varint varint = decode(pos_, is_short ? remaining() : kMaxLengthBytes);
  if (varint.size == 0) return is_short ? Reason::kTruncated : Reason::kLength;
  if (varint.value > kMaxLength) return Reason::kLength;
  length = varint.value;
  pos_ += varint.size;
  return Reason::kNone;
}

Reason WireReader::read_long_varint(std::uint64_t& value) noexcept {
  const bool is_short = remaining() < kMaxVarintBytes;
  const Varint varint = decode(pos_, is_short ? remaining() : kMaxVarintBytes);
  if (varint.size == 0) return is_short ? Reason::kTruncated : Reason::kVarint;
  // The tenth byte holds bit 63 and nothing else.
  if (varint.size == kMaxVarintBytes && std::to_integer<unsigned>(pos_[kMaxVarintBytes - 1]) > 1) {
    return Reason::kVarint;
  }
  value = varint.value;
  pos_ += varint.size;
  return Reason::kNone;
}

Reason WireReader::skip(WireType type) noexcept {
  std::uint64_t fixed64 = 0;
  std::uint32_t fixed32 = 0;
  Bytes bytes;
  switch (type) {
    case WireType::kVarint:
      return read_varint(fixed64);
    case WireType::kFixed64:
      return read_fixed(fixed64);
    case WireType::kFixed32:
      return read_fixed(fixed32);
    case WireType::kLength:
      return read_bytes(bytes);
    case WireType::kStartGroup:
    case WireType::kEndGroup:
      break;
  }
  return Reason::kGroup;
}

}  // namespace shmring::otlp
