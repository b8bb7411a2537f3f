// SPDX-License-Identifier: Apache-2.0
// Cutting the URL off, and judging both parts.
#include "libshmring/otlp/context.hpp"

#include "libshmring/otlp/utf8.hpp"
#include "libshmring/otlp/validate.hpp"
#include "shmring/layout.hpp"

namespace shmring::otlp {

Context split_context(Bytes record) noexcept {
  WireReader in{record};
  Tag tag;
  Bytes url;
  const bool is_there = in.read_tag(tag) == Reason::kNone && tag.number == kSchemaUrlField &&
                        tag.type == WireType::kLength && in.read_bytes(url) == Reason::kNone;
  if (!is_there) return {record};
  return {Bytes{in.position(), in.remaining()},
          std::string_view(reinterpret_cast<const char*>(url.data()), url.size())};
}

Context checked_context(MessageType type, Bytes record, std::vector<std::byte>& repaired) noexcept {
  Context context = split_context(record);
  const Verdict verdict = validate(type, context.message, repaired);
  if (verdict.outcome == Outcome::kInvalid) return {};
  context.message = verdict.payload;
  if (!is_utf8(std::as_bytes(std::span(context.schema_url)))) context.schema_url = {};
  return context;
}

}  // namespace shmring::otlp
