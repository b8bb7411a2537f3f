// SPDX-License-Identifier: Apache-2.0
// Instrumentation scopes as a block holds them.
#include "libshmring/scope.hpp"

#include <algorithm>

namespace shmring {
namespace {

// InstrumentationScope (OTLP common.proto): name = 1, version = 2, both strings.
constexpr char kNameTag = 0x0A;
constexpr char kVersionTag = 0x12;
constexpr std::size_t kEnvelope = 1 + 3;  // a tag, and a length of at most 2^21

std::string_view cut(std::string_view text, std::size_t limit) noexcept {
  if (text.size() <= limit) return text;
  std::size_t end = limit;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0U) == 0x80U) --end;
  return text.substr(0, end);
}

void append_string(std::string& out, char tag, std::string_view text) {
  if (text.empty()) return;
  out.push_back(tag);
  std::size_t size = text.size();
  for (; size >= 0x80; size >>= 7U) out.push_back(static_cast<char>((size & 0x7FU) | 0x80U));
  out.push_back(static_cast<char>(size));
  out.append(text);
}

}  // namespace

std::string encode_scope_within(std::string_view name, std::string_view version, std::size_t limit) {
  const std::size_t text_limit = limit - 2 * kEnvelope;
  const std::string_view kept_version = cut(version, text_limit / 4);
  const std::string_view kept_name = cut(name, text_limit - kept_version.size());
  std::string out;
  append_string(out, kNameTag, kept_name);
  append_string(out, kVersionTag, kept_version);
  return out;
}

}  // namespace shmring
