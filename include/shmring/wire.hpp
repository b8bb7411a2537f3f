// SPDX-License-Identifier: Apache-2.0
// The protobuf wire format, written by us: two sinks with the same calls. SizeSink adds up what ByteSink will
// write, so that a record is described once, sized exactly, and then written straight into its slot.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <type_traits>

namespace shmring::wire {

enum class Type : std::uint8_t { kVarint = 0, kFixed64 = 1, kLength = 2, kFixed32 = 5 };

constexpr std::uint32_t tag(std::uint32_t field, Type type) noexcept {
  return field << 3U | static_cast<std::uint32_t>(type);
}

constexpr std::size_t varint_size(std::uint64_t value) noexcept {
  if (value < 0x80U) [[likely]]
    return 1;  // nearly all lengths
  return (static_cast<std::size_t>(std::bit_width(value)) * 9 + 64) / 64;
}

// Where g++ sees how large the objects are, and not the size, it warns of the branches that are for larger ones.
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Warray-bounds"
#pragma GCC diagnostic ignored "-Wstringop-overflow"
#pragma GCC diagnostic ignored "-Wstringop-overread"
#endif

/// memcpy for sizes that are mostly below 65: a few loads and stores that may overlap, instead of a call.
[[gnu::always_inline]] inline void copy(std::byte* to, const void* from, std::size_t size) noexcept {
  if (__builtin_constant_p(size)) {
    if (size != 0) __builtin_memcpy(to, from, size);
    return;
  }
  const auto* bytes = static_cast<const std::byte*>(from);
  if (size > 64) {
    __builtin_memcpy(to, bytes, size);
  } else if (size > 32) {
    __builtin_memcpy(to, bytes, 32);
    __builtin_memcpy(to + size - 32, bytes + size - 32, 32);
  } else if (size >= 16) {
    __builtin_memcpy(to, bytes, 16);
    __builtin_memcpy(to + size - 16, bytes + size - 16, 16);
  } else if (size >= 8) {
    std::uint64_t first = 0;
    std::uint64_t last = 0;
    __builtin_memcpy(&first, bytes, 8);
    __builtin_memcpy(&last, bytes + size - 8, 8);
    __builtin_memcpy(to, &first, 8);
    __builtin_memcpy(to + size - 8, &last, 8);
  } else if (size >= 4) {
    std::uint32_t first = 0;
    std::uint32_t last = 0;
    __builtin_memcpy(&first, bytes, 4);
    __builtin_memcpy(&last, bytes + size - 4, 4);
    __builtin_memcpy(to, &first, 4);
    __builtin_memcpy(to + size - 4, &last, 4);
  } else if (size != 0) {
    to[0] = bytes[0];
    to[size / 2] = bytes[size / 2];
    to[size - 1] = bytes[size - 1];
  }
}

#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic pop
#endif

/// Counts bytes.
class SizeSink {
 public:
  constexpr std::size_t size() const noexcept { return size_; }

  constexpr void varint(std::uint64_t value) noexcept { size_ += varint_size(value); }
  constexpr void fixed32(std::uint32_t) noexcept { size_ += 4; }
  constexpr void fixed64(std::uint64_t) noexcept { size_ += 8; }
  constexpr void bytes(const void*, std::size_t size) noexcept { size_ += size; }
  constexpr void text(std::string_view text) noexcept { size_ += text.size(); }

 private:
  std::size_t size_ = 0;
};

/// Writes bytes, without a check: REQUIRES room for as many as a SizeSink counted for the same calls.
class ByteSink {
 public:
  explicit constexpr ByteSink(std::byte* out) noexcept : out_(out) {}
  constexpr std::byte* position() const noexcept { return out_; }

  [[gnu::always_inline]] constexpr void varint(std::uint64_t value) noexcept {
    while (value >= 0x80U) {
      *out_++ = static_cast<std::byte>(value | 0x80U);
      value >>= 7U;
    }
    *out_++ = static_cast<std::byte>(value);
  }
  [[gnu::always_inline]] void fixed32(std::uint32_t value) noexcept {
    __builtin_memcpy(out_, &value, sizeof(value));
    out_ += sizeof(value);
  }
  [[gnu::always_inline]] void fixed64(std::uint64_t value) noexcept {
    __builtin_memcpy(out_, &value, sizeof(value));
    out_ += sizeof(value);
  }
  [[gnu::always_inline]] void bytes(const void* from, std::size_t size) noexcept {
    copy(out_, from, size);
    out_ += size;
  }
  [[gnu::always_inline]] constexpr void text(std::string_view text) noexcept {
    if (!std::is_constant_evaluated()) return bytes(text.data(), text.size());
    for (const char each : text) *out_++ = static_cast<std::byte>(each);
  }

 private:
  std::byte* out_;
};

// Fields. Each writes itself whatever its value; leaving out defaults is the caller's decision.

template <typename Sink>
[[gnu::always_inline]] constexpr void put_varint(Sink& sink, std::uint32_t field,
                                                 std::uint64_t value) noexcept {
  sink.varint(tag(field, Type::kVarint));
  sink.varint(value);
}
template <typename Sink>
[[gnu::always_inline]] inline void put_fixed32(Sink& sink, std::uint32_t field,
                                               std::uint32_t value) noexcept {
  sink.varint(tag(field, Type::kFixed32));
  sink.fixed32(value);
}
template <typename Sink>
[[gnu::always_inline]] inline void put_fixed64(Sink& sink, std::uint32_t field,
                                               std::uint64_t value) noexcept {
  sink.varint(tag(field, Type::kFixed64));
  sink.fixed64(value);
}
/// The head of a field of `size` bytes, which the caller puts next.
template <typename Sink>
[[gnu::always_inline]] constexpr void put_length(Sink& sink, std::uint32_t field, std::size_t size) noexcept {
  sink.varint(tag(field, Type::kLength));
  sink.varint(size);
}
template <typename Sink>
[[gnu::always_inline]] inline void put_bytes(Sink& sink, std::uint32_t field, const void* from,
                                             std::size_t size) noexcept {
  put_length(sink, field, size);
  sink.bytes(from, size);
}
template <typename Sink>
[[gnu::always_inline]] constexpr void put_text(Sink& sink, std::uint32_t field,
                                               std::string_view text) noexcept {
  put_length(sink, field, text.size());
  sink.text(text);
}

}  // namespace shmring::wire
