// SPDX-License-Identifier: Apache-2.0
// Decoding of UTF-8 step by step.
#include "libshmring/otlp/utf8.hpp"

namespace shmring::otlp {
namespace {

// What a first byte promises: how many bytes, the bits it brings, and the bounds of the second byte, which is
// where overlong forms, surrogates and the end of Unicode are told apart.
struct Lead {
  std::uint8_t size;
  std::uint8_t bits;
  std::uint8_t second_min;
  std::uint8_t second_max;
};

constexpr Lead lead_of(unsigned byte) noexcept {
  const auto low = [byte](unsigned mask) { return static_cast<std::uint8_t>(byte & mask); };
  if (byte < 0xC2) return {0, 0, 0, 0};
  if (byte < 0xE0) return {2, low(0x1F), 0x80, 0xBF};
  if (byte == 0xE0) return {3, low(0x0F), 0xA0, 0xBF};
  if (byte == 0xED) return {3, low(0x0F), 0x80, 0x9F};
  if (byte < 0xF0) return {3, low(0x0F), 0x80, 0xBF};
  if (byte == 0xF0) return {4, low(0x07), 0x90, 0xBF};
  if (byte < 0xF4) return {4, low(0x07), 0x80, 0xBF};
  if (byte == 0xF4) return {4, low(0x07), 0x80, 0x8F};
  return {0, 0, 0, 0};
}

}  // namespace

Utf8Step next_utf8(Bytes text) noexcept {
  const auto byte_at = [text](std::size_t i) { return std::to_integer<unsigned>(text[i]); };
  const unsigned first = byte_at(0);
  if (first < 0x80) return {first, 1, true};
  const Lead lead = lead_of(first);
  if (lead.size == 0) return {0, 1, false};

  char32_t code_point = lead.bits;
  for (std::uint8_t i = 1; i < lead.size; ++i) {
    if (i >= text.size()) return {0, i, false};
    const unsigned byte = byte_at(i);
    const unsigned min = i == 1 ? lead.second_min : 0x80;
    const unsigned max = i == 1 ? lead.second_max : 0xBF;
    if (byte < min || byte > max) return {0, i, false};
    code_point = code_point << 6 | (byte & 0x3F);
  }
  return {code_point, lead.size, true};
}

bool is_utf8_beyond_ascii(Bytes text) noexcept {
  while (!text.empty()) {
    if (text.size() >= 8 && is_ascii(text.first(8))) {
      text = text.subspan(8);
      continue;
    }
    const Utf8Step step = next_utf8(text);
    if (!step.is_valid) return false;
    text = text.subspan(step.size);
  }
  return true;
}

std::size_t repaired_size(Bytes text) noexcept {
  std::size_t size = 0;
  while (!text.empty()) {
    const Utf8Step step = next_utf8(text);
    size += step.is_valid ? step.size : kReplacement.size();
    text = text.subspan(step.size);
  }
  return size;
}

}  // namespace shmring::otlp
