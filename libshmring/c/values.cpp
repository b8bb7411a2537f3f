// SPDX-License-Identifier: Apache-2.0
// Conversion of what C says.
#include "libshmring/c/values.hpp"

#include <limits>
#include <memory>
#include <new>

namespace shmring::c {

TraceContext context_of(const shmring_trace_context& context) noexcept {
  TraceContext result;
  std::memcpy(result.trace_id.bytes.data(), context.trace_id, sizeof(context.trace_id));
  std::memcpy(result.span_id.bytes.data(), context.span_id, sizeof(context.span_id));
  result.flags = context.flags;
  return result;
}

SpanContext context_of(const shmring_span_context& context) {
  SpanContext result;
  static_cast<TraceContext&>(result) = context_of(context.trace);
  result.trace_state = text_of(context.trace_state);
  result.origin = origin_of(context.origin);
  return result;
}

shmring_trace_context c_context(const TraceContext& context) noexcept {
  shmring_trace_context result{};
  std::memcpy(result.trace_id, context.trace_id.bytes.data(), sizeof(result.trace_id));
  std::memcpy(result.span_id, context.span_id.bytes.data(), sizeof(result.span_id));
  result.flags = context.flags;
  return result;
}

AttributeValue Converter::value(const shmring_value& value, unsigned nesting) {
  if (nesting > kMaxValueNesting) return {};
  switch (value.kind) {
    case SHMRING_STRING:
      return text_of(value.as.string, value.size);
    case SHMRING_BOOL:
      return value.as.boolean != 0;
    case SHMRING_INT:
      return value.as.integer;
    case SHMRING_DOUBLE:
      return value.as.number;
    case SHMRING_BYTES:
      if (value.as.bytes == nullptr) return std::span<const std::byte>();
      return std::span(static_cast<const std::byte*>(value.as.bytes), value.size);
    case SHMRING_ARRAY: {
      const std::size_t count = value.as.array == nullptr ? 0 : value.size;
      auto* const elements = array<AttributeValue>(count);
      for (std::size_t i = 0; i < count; ++i)
        std::construct_at(elements + i, this->value(value.as.array[i], nesting + 1));
      return std::span<const AttributeValue>(elements, count);
    }
    case SHMRING_MAP: {
      const Attributes entries = attributes({value.as.map, value.size}, nesting + 1);
      return std::span<const Attribute>(entries.data(), entries.size());
    }
    default:
      return {};
  }
}

Attributes Converter::attributes(const shmring_attributes& attributes, unsigned nesting) {
  const std::size_t count = attributes.data == nullptr ? 0 : attributes.count;
  auto* const converted = array<Attribute>(count);
  for (std::size_t i = 0; i < count; ++i) {
    const shmring_attribute& each = attributes.data[i];
    std::construct_at(converted + i, Attribute{text_of(each.key), value(each.value, nesting)});
  }
  return std::span<const Attribute>(converted, count);
}

std::span<const SpanEvent> Converter::events(const shmring_event* events, std::size_t count) {
  if (events == nullptr) count = 0;
  auto* const converted = array<SpanEvent>(count);
  for (std::size_t i = 0; i < count; ++i) {
    std::construct_at(converted + i,
                      SpanEvent{.name = text_of(events[i].name),
                                .time_unix_nano = events[i].time_unix_nano,
                                .attributes = attributes(events[i].attributes),
                                .dropped_attributes_count = events[i].dropped_attributes_count});
  }
  return {converted, count};
}

std::span<const SpanLink> Converter::links(const shmring_link* links, std::size_t count) {
  if (links == nullptr) count = 0;
  auto* const converted = array<SpanLink>(count);
  for (std::size_t i = 0; i < count; ++i) {
    std::construct_at(converted + i, SpanLink{.context = context_of(links[i].context.trace),
                                              .trace_state = text_of(links[i].context.trace_state),
                                              .origin = origin_of(links[i].context.origin),
                                              .attributes = attributes(links[i].attributes),
                                              .dropped_attributes_count = links[i].dropped_attributes_count});
  }
  return {converted, count};
}

}  // namespace shmring::c
