// SPDX-License-Identifier: Apache-2.0
// The fields of OTLP's Span, Span.Event, Span.Link and Status messages, for a SizeSink or a ByteSink.
#pragma once

#include <cstdint>

#include "shmring/span_encoder.hpp"
#include "shmring/span_site.hpp"
#include "shmring/value_encoder.hpp"

namespace shmring::wire {

namespace span_event {
inline constexpr std::uint32_t kTime = 1, kName = 2, kAttributes = 3, kDroppedAttributes = 4;
}
namespace span_link {
inline constexpr std::uint32_t kTraceId = 1, kSpanId = 2, kTraceState = 3, kAttributes = 4,
                               kDroppedAttributes = 5, kFlags = 6;
}
namespace status {
inline constexpr std::uint32_t kMessage = 2, kCode = 3;
}

template <typename Sink, std::size_t Size, typename Tag>
[[gnu::always_inline]] inline void put_id(Sink& sink, std::uint32_t field, const Id<Size, Tag>& id) noexcept {
  if (id.is_valid()) put_bytes(sink, field, id.bytes.data(), Size);
}
template <typename Sink>
[[gnu::always_inline]] inline void put_count(Sink& sink, std::uint32_t field, std::uint32_t count) noexcept {
  if (count != 0) put_varint(sink, field, count);
}
template <typename Sink>
[[gnu::always_inline]] inline void put_name(Sink& sink, std::uint32_t field, std::string_view text) noexcept {
  if (!text.empty()) put_text(sink, field, text);
}

/// All fields of a span but its attributes, events and links. The times come first: a reader finds them there when they are ticks.
template <typename Sink>
[[gnu::always_inline]] inline void put_span_head(Sink& sink, const SpanRecord& record) noexcept {
  if (record.start_time_unix_nano != 0) put_fixed64(sink, span::kStart, record.start_time_unix_nano);
  if (record.end_time_unix_nano != 0) put_fixed64(sink, span::kEnd, record.end_time_unix_nano);
  put_id(sink, span::kTraceId, record.context.trace_id);
  put_id(sink, span::kSpanId, record.context.span_id);
  put_name(sink, span::kTraceState, record.trace_state);
  put_id(sink, span::kParentSpanId, record.parent_span_id);
  put_name(sink, span::kName, record.name);
  put_count(sink, span::kKind, static_cast<std::uint8_t>(record.kind));
  put_count(sink, span::kDroppedAttributes, record.dropped_attributes_count);
  put_count(sink, span::kDroppedEvents, record.dropped_events_count);
  put_count(sink, span::kDroppedLinks, record.dropped_links_count);
  if (record.status != StatusCode::kUnset || !record.status_message.empty()) {
    SizeSink size;
    const auto put_status = [&record](auto& to) {
      put_name(to, status::kMessage, record.status_message);
      put_count(to, status::kCode, static_cast<std::uint8_t>(record.status));
    };
    put_status(size);
    put_length(sink, span::kStatus, size.size());
    put_status(sink);
  }
  const std::uint32_t flags = span_flags(record.context.flags, record.parent_origin);
  if (flags != 0) put_fixed32(sink, span::kFlags, flags);
}

/// Room that put_span_head() needs at most: every tag, length, number and id at its longest, and the texts.
inline std::size_t span_head_bound(const SpanRecord& record) noexcept {
  constexpr std::size_t kTimes = 18, kIds = 18 + 10 + 10, kTexts = 2 * 11, kNumbers = 2 + 3 * 6,
                        kStatus = 1 + 10 + 11 + 2, kFlags = 6;
  return kTimes + kIds + kTexts + kNumbers + kStatus + kFlags + record.trace_state.size() +
         record.name.size() + record.status_message.size();
}

template <typename Sink>
void put_event_fields(Sink& sink, const SpanEvent& event, const SelectedAttributes& attributes,
                      std::uint32_t value_length) noexcept {
  if (event.time_unix_nano != 0) put_fixed64(sink, span_event::kTime, event.time_unix_nano);
  put_name(sink, span_event::kName, event.name);
  put_attributes(sink, span_event::kAttributes, attributes, value_length);
  put_count(sink, span_event::kDroppedAttributes,
            saturated_sum(event.dropped_attributes_count, attributes.dropped));
}

template <typename Sink>
void put_link_fields(Sink& sink, const SpanLink& link, const SelectedAttributes& attributes,
                     std::uint32_t value_length) noexcept {
  put_id(sink, span_link::kTraceId, link.context.trace_id);
  put_id(sink, span_link::kSpanId, link.context.span_id);
  put_name(sink, span_link::kTraceState, link.trace_state);
  put_attributes(sink, span_link::kAttributes, attributes, value_length);
  put_count(sink, span_link::kDroppedAttributes,
            saturated_sum(link.dropped_attributes_count, attributes.dropped));
  const std::uint32_t flags = span_flags(link.context.flags, link.origin);
  if (flags != 0) put_fixed32(sink, span_link::kFlags, flags);
}

inline SelectedAttributes selected(Attributes list, const AttributeLimits& limits,
                                   SelectionBuffer& buffer) noexcept {
  return can_take_all(list, limits.count) ? take_all(list) : select_attributes(list, limits.count, buffer);
}

/// A whole event as a field of a span.
template <typename Sink>
void put_event(Sink& sink, const SpanEvent& event, const AttributeLimits& limits,
               SelectionBuffer& buffer) noexcept {
  const SelectedAttributes attributes = selected(event.attributes, limits, buffer);
  SizeSink size;
  put_event_fields(size, event, attributes, limits.value_length);
  put_length(sink, span::kEvents, size.size());
  put_event_fields(sink, event, attributes, limits.value_length);
}

/// A whole link as a field of a span.
template <typename Sink>
void put_link(Sink& sink, const SpanLink& link, const AttributeLimits& limits,
              SelectionBuffer& buffer) noexcept {
  const SelectedAttributes attributes = selected(link.attributes, limits, buffer);
  SizeSink size;
  put_link_fields(size, link, attributes, limits.value_length);
  put_length(sink, span::kLinks, size.size());
  put_link_fields(sink, link, attributes, limits.value_length);
}

}  // namespace shmring::wire
