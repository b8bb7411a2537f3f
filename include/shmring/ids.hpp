// SPDX-License-Identifier: Apache-2.0
// Trace and span ids, and the context in which a record was made.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string_view>
#include <type_traits>

namespace shmring {

/// `Size` bytes that name a trace or a span, in the order in which they are sent. All zero is no id
/// (specification "Trace API", SpanContext). All functions are pure: thread-safe and async-signal-safe.
template <std::size_t Size, typename Tag>
struct Id {
  std::array<std::uint8_t, Size> bytes{};

  constexpr bool is_valid() const noexcept {
    if constexpr (Size % sizeof(std::uint64_t) == 0) {
      if (!std::is_constant_evaluated()) {
        std::uint64_t any = 0;
        for (std::size_t i = 0; i < Size; i += sizeof(any)) {
          std::uint64_t word = 0;
          std::memcpy(&word, bytes.data() + i, sizeof(word));
          any |= word;
        }
        return any != 0;
      }
    }
    std::uint8_t any = 0;
    for (const std::uint8_t byte : bytes) any = static_cast<std::uint8_t>(any | byte);
    return any != 0;
  }

  /// Lower-case hexadecimal.
  constexpr std::array<char, 2 * Size> hex() const noexcept {
    std::array<char, 2 * Size> text{};
    for (std::size_t i = 0; i < Size; ++i) {
      text[2 * i] = kDigits[bytes[i] >> 4U];
      text[2 * i + 1] = kDigits[bytes[i] & 15U];
    }
    return text;
  }

  /// The id that hex() gives this text for. nullopt: another length, an upper-case digit or no digit. All
  /// zero is read, and is not valid.
  static constexpr std::optional<Id> from_hex(std::string_view text) noexcept {
    if (text.size() != 2 * Size) return std::nullopt;
    Id id;
    for (std::size_t i = 0; i < Size; ++i) {
      const std::size_t high = kDigits.find(text[2 * i]);
      const std::size_t low = kDigits.find(text[2 * i + 1]);
      if (high == std::string_view::npos || low == std::string_view::npos) return std::nullopt;
      id.bytes[i] = static_cast<std::uint8_t>(high << 4U | low);
    }
    return id;
  }

  friend constexpr bool operator==(const Id&, const Id&) noexcept = default;

 private:
  static constexpr std::string_view kDigits = "0123456789abcdef";
};

using TraceId = Id<16, struct TraceIdTag>;
using SpanId = Id<8, struct SpanIdTag>;

/// W3C trace flags.
inline constexpr std::uint8_t kSampledFlag = 0x01;

/// To which trace and span a record belongs. Both ids zero: none.
struct TraceContext {
  TraceId trace_id = {};
  SpanId span_id = {};
  std::uint8_t flags = 0;

  constexpr bool is_valid() const noexcept { return trace_id.is_valid() && span_id.is_valid(); }
  constexpr bool is_sampled() const noexcept { return (flags & kSampledFlag) != 0; }
  friend constexpr bool operator==(const TraceContext&, const TraceContext&) noexcept = default;
};

}  // namespace shmring
