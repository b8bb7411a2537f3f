// SPDX-License-Identifier: Apache-2.0
// Escaping, hex, base64 and numbers.
#include "libshmring/otlp/json_text.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

#include "libshmring/otlp/utf8.hpp"

namespace shmring::otlp {
namespace {

constexpr char kHexDigits[] = "0123456789abcdef";

// The bytes that stand for themselves in a JSON string, whatever stands beside them.
constexpr std::array<bool, 256> kPlain = [] {
  std::array<bool, 256> plain{};
  for (std::size_t byte = 0x20; byte < 0x7f; ++byte) plain[byte] = byte != '"' && byte != '\\';
  return plain;
}();

bool is_plain(std::byte byte) noexcept { return kPlain[std::to_integer<std::size_t>(byte)]; }

void append_bytes(Bytes bytes, std::string& out) {
  out.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
}

// REQUIRES: code_point < 0x10000.
void append_unicode_escape(char32_t code_point, std::string& out) {
  out += "\\u";
  for (int shift = 12; shift >= 0; shift -= 4) out += kHexDigits[code_point >> shift & 0xf];
}

void append_special(char32_t code_point, Bytes utf8, std::string& out) {
  switch (code_point) {
    case '"':
      out += "\\\"";
      return;
    case '\\':
      out += "\\\\";
      return;
    case '\n':
      out += "\\n";
      return;
    case '\r':
      out += "\\r";
      return;
    case '\t':
      out += "\\t";
      return;
    default:
      break;
  }
  const bool is_control = code_point < 0x20 || (code_point >= 0x7f && code_point < 0xa0);
  const bool ends_line = code_point == 0x2028 || code_point == 0x2029;
  if (is_control || ends_line) {
    append_unicode_escape(code_point, out);
  } else {
    append_bytes(utf8, out);
  }
}

template <typename Number>
void append_number(Number value, std::string& out) {
  std::array<char, 32> digits;
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), value).ptr;
  out.append(digits.data(), end);
}

}  // namespace

void append_json_string(Bytes text, std::string& out) {
  out += '"';
  while (!text.empty()) {
    std::size_t plain = 0;
    while (plain < text.size() && is_plain(text[plain])) ++plain;
    append_bytes(text.first(plain), out);
    text = text.subspan(plain);
    if (text.empty()) break;
    const Utf8Step step = next_utf8(text);
    if (step.is_valid) {
      append_special(step.code_point, text.first(step.size), out);
    } else {
      out += kReplacement;
    }
    text = text.subspan(step.size);
  }
  out += '"';
}

void append_json_hex(Bytes id, std::string& out) {
  out += '"';
  for (const std::byte byte : id) {
    const auto value = std::to_integer<unsigned>(byte);
    out += kHexDigits[value >> 4];
    out += kHexDigits[value & 0xf];
  }
  out += '"';
}

void append_json_base64(Bytes bytes, std::string& out) {
  constexpr char kDigits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  out += '"';
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    const std::size_t count = std::min<std::size_t>(3, bytes.size() - i);
    std::uint32_t group = 0;
    for (std::size_t k = 0; k < 3; ++k) {
      group = group << 8 | (k < count ? std::to_integer<std::uint32_t>(bytes[i + k]) : 0);
    }
    for (std::size_t k = 0; k < 4; ++k) out += k <= count ? kDigits[group >> (18 - 6 * k) & 0x3f] : '=';
  }
  out += '"';
}

void append_json_double(double value, std::string& out) {
  if (std::isnan(value)) {
    out += "\"NaN\"";
  } else if (std::isinf(value)) {
    out += value > 0 ? "\"Infinity\"" : "\"-Infinity\"";
  } else {
    append_number(value, out);
  }
}

void append_decimal(std::uint64_t value, std::string& out) { append_number(value, out); }
void append_decimal(std::int64_t value, std::string& out) { append_number(value, out); }

}  // namespace shmring::otlp
