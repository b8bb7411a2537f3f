// SPDX-License-Identifier: Apache-2.0
// UTF-8 as RFC 3629 has it: no overlong forms, no surrogates, nothing past U+10FFFF.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

#include "libshmring/otlp/wire.hpp"

namespace shmring::otlp {

inline constexpr std::string_view kReplacement = "\xEF\xBF\xBD";  // U+FFFD

// One step through text. An invalid step covers the bytes that one U+FFFD stands for: the longest start of a
// sequence that could have become valid, or one byte (the practice that Unicode and the WHATWG recommend).
struct Utf8Step {
  char32_t code_point = 0;
  std::uint8_t size = 1;
  bool is_valid = false;
};

// REQUIRES: text is not empty.
Utf8Step next_utf8(Bytes text) noexcept;

// The general test; is_utf8 below is the one to call.
bool is_utf8_beyond_ascii(Bytes text) noexcept;

// The bytes that the text takes once every invalid step is a U+FFFD.
std::size_t repaired_size(Bytes text) noexcept;

inline std::uint64_t load64(const std::byte* bytes) noexcept {
  std::uint64_t word = 0;
  std::memcpy(&word, bytes, sizeof word);
  return word;
}

inline bool is_ascii(Bytes text) noexcept {
  constexpr std::uint64_t kHighBits = 0x8080808080808080;
  const std::byte* const bytes = text.data();
  const std::size_t size = text.size();
  std::uint64_t seen = 0;
  if (size >= 8) {
    for (std::size_t i = 0; i + 8 < size; i += 8) seen |= load64(bytes + i);
    seen |= load64(bytes + size - 8);  // overlaps what was seen: no byte by byte rest
  } else if (size >= 4) {
    std::uint32_t first = 0;
    std::uint32_t last = 0;
    std::memcpy(&first, bytes, 4);
    std::memcpy(&last, bytes + size - 4, 4);
    seen = first | last;
  } else if (size > 0) {  // 1 to 3: first, middle and last byte are all there are
    seen = std::to_integer<std::uint64_t>(bytes[0] | bytes[size / 2] | bytes[size - 1]);
  }
  return (seen & kHighBits) == 0;
}

inline bool is_utf8(Bytes text) noexcept { return is_ascii(text) || is_utf8_beyond_ascii(text); }

}  // namespace shmring::otlp
