// SPDX-License-Identifier: Apache-2.0
// Finds the records of an export request, and makes requests of some of them.

#include "flusher/request_parts.hpp"

#include <span>

namespace shmring::flusher {
namespace {

constexpr std::uint32_t kItems = 2;  // scopes of a resource, records of a scope

/// Fields 1 to 3 of a message, as all levels of a request have them. Field 2 is repeated: each is handed to `item`. False: the
/// bytes are no such message.
template <typename Item>
bool read_fields(otlp::Bytes message, otlp::Bytes& head, otlp::Bytes& schema_url, Item&& item) {
  otlp::WireReader reader(message);
  while (!reader.at_end()) {
    otlp::Tag tag;
    otlp::Bytes content;
    if (reader.read_tag(tag) != otlp::Reason::kNone || tag.type != otlp::WireType::kLength ||
        reader.read_bytes(content) != otlp::Reason::kNone)
      return false;
    if (tag.number == 1) head = content;
    if (tag.number == 3) schema_url = content;
    if (tag.number == kItems && !item(content)) return false;
  }
  return true;
}

std::string_view as_text(otlp::Bytes bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

constexpr auto kPassOver = [](otlp::Bytes) { return true; };

}  // namespace

std::optional<RequestParts> RequestParts::of(std::string_view request) {
  RequestParts out;
  otlp::WireReader reader(std::as_bytes(std::span(request)));
  while (!reader.at_end()) {
    otlp::Tag tag;
    otlp::Bytes resource;
    const bool is_resource = reader.read_tag(tag) == otlp::Reason::kNone && tag.number == 1 &&
                             tag.type == otlp::WireType::kLength &&
                             reader.read_bytes(resource) == otlp::Reason::kNone;
    if (!is_resource || !out.read_resource(resource)) return std::nullopt;
  }
  return out;
}

/// The fields of a message may come in any order: the envelope first, then what is in it.
bool RequestParts::read_resource(otlp::Bytes bytes) {
  Envelope envelope;
  otlp::Bytes schema_url;
  if (!read_fields(bytes, envelope.resource, schema_url, kPassOver)) return false;
  envelope.resource_schema_url = as_text(schema_url);
  otlp::Bytes ignored;
  return read_fields(bytes, ignored, ignored, [&](otlp::Bytes scope) { return read_scope(scope, envelope); });
}

bool RequestParts::read_scope(otlp::Bytes bytes, Envelope envelope) {
  otlp::Bytes schema_url;
  if (!read_fields(bytes, envelope.scope, schema_url, kPassOver)) return false;
  envelope.scope_schema_url = as_text(schema_url);
  const auto number = static_cast<std::uint32_t>(envelopes_.size());
  envelopes_.push_back(envelope);
  otlp::Bytes ignored;
  return read_fields(bytes, ignored, ignored, [&](otlp::Bytes record) {
    records_.push_back({record, number});
    return true;
  });
}

std::string RequestParts::encode(std::size_t begin, std::size_t end) const {
  otlp::RequestBuilder builder;
  std::string out;
  for (std::size_t i = begin; i < end; ++i) {
    const Envelope& envelope = envelopes_[records_[i].envelope];
    builder.add(builder.group(envelope.resource, envelope.scope, envelope.scope_schema_url,
                              envelope.resource_schema_url),
                records_[i].payload);
  }
  builder.finish(out);
  return out;
}

}  // namespace shmring::flusher
