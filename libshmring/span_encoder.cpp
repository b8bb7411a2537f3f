// SPDX-License-Identifier: Apache-2.0
// SpanRecord to OTLP's Span message, within the limits.

#include "shmring/span_encoder.hpp"

#include <algorithm>

#include "libshmring/span_fields.hpp"

namespace shmring {
namespace {

std::uint32_t count_beyond(std::size_t size, std::uint32_t limit) noexcept {
  const std::size_t beyond = size > limit ? size - limit : 0;
  return static_cast<std::uint32_t>(std::min<std::size_t>(beyond, kUnlimited));
}

template <typename Sink>
void put(Sink& sink, const SpanRecord& record, const Limits& limits) noexcept {
  wire::SelectionBuffer buffer;
  const auto attributes = wire::selected(record.attributes, limits.span, buffer);
  SpanRecord head = record;
  head.dropped_attributes_count = wire::saturated_sum(record.dropped_attributes_count, attributes.dropped);
  head.dropped_events_count =
      wire::saturated_sum(record.dropped_events_count, count_beyond(record.events.size(), limits.events));
  head.dropped_links_count =
      wire::saturated_sum(record.dropped_links_count, count_beyond(record.links.size(), limits.links));
  wire::put_span_head(sink, head);
  wire::put_attributes(sink, wire::span::kAttributes, attributes, limits.span.value_length);
  for (const SpanEvent& event :
       record.events.first(std::min<std::size_t>(record.events.size(), limits.events))) {
    wire::put_event(sink, event, limits.event,
                    buffer);  // the span's own selection is written: its buffer is free
  }
  for (const SpanLink& link : record.links.first(std::min<std::size_t>(record.links.size(), limits.links))) {
    wire::put_link(sink, link, limits.link, buffer);
  }
}

}  // namespace

std::size_t encoded_size(const SpanRecord& record, const Limits& limits) noexcept {
  wire::SizeSink sink;
  put(sink, record, limits);
  return sink.size();
}

std::byte* encode(std::byte* out, const SpanRecord& record, const Limits& limits) noexcept {
  wire::ByteSink sink(out);
  put(sink, record, limits);
  return sink.position();
}

}  // namespace shmring
