// SPDX-License-Identifier: Apache-2.0
// Instrumentation scopes as a block holds them.
#include "libshmring/scope.hpp"

#include <cstdint>

#include "libshmring/fields.hpp"
#include "shmring/value_encoder.hpp"

namespace shmring {
namespace {

// InstrumentationScope (OTLP common.proto).
constexpr std::uint32_t kName = 1;
constexpr std::uint32_t kVersion = 2;
constexpr std::uint32_t kAttributes = 3;
constexpr std::uint32_t kDroppedAttributesCount = 4;

constexpr std::size_t kEnvelope = 1 + 3;  // a tag, and a length of at most 2^21
constexpr std::size_t kCountField = 1 + 5;

std::string_view cut(std::string_view text, std::size_t limit) noexcept {
  if (text.size() <= limit) return text;
  std::size_t end = limit;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0U) == 0x80U) --end;
  return text.substr(0, end);
}

/// Those that leave `out` within the limit. Returns how many do not.
std::uint32_t append_attributes(std::string& out, Attributes list, std::size_t limit) {
  wire::SelectionBuffer buffer;
  const wire::SelectedAttributes selected = wire::select_attributes(list, kUnlimited, buffer);
  std::uint32_t dropped = selected.dropped;
  for (std::uint32_t i = 0; i < selected.count; ++i) {
    const auto put = [&](auto& sink) { wire::put_attribute(sink, kAttributes, selected[i], kUnlimited); };
    if (out.size() + size_of_fields(put) <= limit) {
      append_fields(out, put);
    } else {
      ++dropped;
    }
  }
  return dropped;
}

}  // namespace

std::string encode_scope_within(const ScopeOptions& scope, std::size_t limit) {
  if (!scope.attributes.empty()) limit -= kCountField;  // room to say that some were dropped
  const std::size_t text_limit = limit - 2 * kEnvelope;
  const std::string_view version = cut(scope.version, text_limit / 4);
  const std::string_view name = cut(scope.name, text_limit - version.size());
  const auto put_texts = [&](auto& sink) {
    if (!name.empty()) wire::put_text(sink, kName, name);
    if (!version.empty()) wire::put_text(sink, kVersion, version);
  };
  const auto put_schema_url = [&](auto& sink) {
    if (!scope.schema_url.empty()) wire::put_text(sink, kSchemaUrlField, scope.schema_url);
  };
  std::string out;
  if (size_of_fields(put_schema_url) + size_of_fields(put_texts) <= limit) append_fields(out, put_schema_url);
  append_fields(out, put_texts);
  if (const std::uint32_t dropped = append_attributes(out, scope.attributes, limit))
    append_fields(out, [dropped](auto& sink) { wire::put_varint(sink, kDroppedAttributesCount, dropped); });
  return out;
}

}  // namespace shmring
