// SPDX-License-Identifier: Apache-2.0
// Records made at random.

#include "random_records.hpp"

#include <algorithm>
#include <bit>
#include <limits>

namespace shmring::test {
namespace {

constexpr unsigned kDeepest = 6;

template <std::size_t Size, typename Tag>
void copy_id(Id<Size, Tag>& to, const std::string& from) {
  if (from.size() == Size) std::copy(from.begin(), from.end(), to.bytes.begin());
}

ContextOrigin origin_of(std::uint32_t flags) {
  if ((flags & 0x100U) == 0) return ContextOrigin::kUnknown;
  return (flags & 0x200U) != 0 ? ContextOrigin::kRemote : ContextOrigin::kLocal;
}

}  // namespace

std::uint64_t RandomRecords::number() { return random_() >> below(64); }

// Lengths on both sides of every limit at which the encoder changes its ways: 3, 7, 15, 16, 32, 127.
std::string RandomRecords::text() {
  static constexpr std::size_t kLengths[] = {0,  1,  2,  3,  4,  7,   8,   9,   15,  16,
                                             17, 31, 32, 33, 64, 126, 127, 128, 129, 300};
  std::string text(kLengths[below(std::size(kLengths))], ' ');
  for (char& c : text) c = static_cast<char>(' ' + below(95));
  return text;
}

std::string RandomRecords::id(std::size_t size) {
  if (below(4) == 0) return {};
  std::string id(size, '\0');
  for (char& c : id) c = static_cast<char>(below(256));
  id[below(size)] = '\1';
  return id;
}

void RandomRecords::fill(otlp::common::v1::AnyValue& value, unsigned depth) {
  switch (below(depth < kDeepest ? 8 : 6)) {
    case 0:
      return;
    case 1:
      return value.set_string_value(text());
    case 2:
      return value.set_bool_value(below(2) == 1);
    case 3:
      return value.set_int_value(static_cast<std::int64_t>(below(2) == 1 ? number() : ~number()));
    case 4:
      return value.set_double_value(std::bit_cast<double>(below(8) == 0 ? 0x7FF8000000000123U : random_()));
    case 5:
      return value.set_bytes_value(id(below(40) + 1));
    case 6: {
      auto* const array = value.mutable_array_value();
      for (std::uint64_t left = below(5); left > 0; --left) fill(*array->add_values(), depth + 1);
      return;
    }
    default: {
      auto* const map = value.mutable_kvlist_value();
      for (std::uint64_t left = below(5); left > 0; --left) {
        auto* const entry = map->add_values();
        entry->set_key(text() + std::to_string(left));
        fill(*entry->mutable_value(), depth + 1);
      }
    }
  }
}

template <typename Message>
void RandomRecords::add_attributes(Message& message) {
  for (std::uint64_t left = below(8) == 0 ? below(40) : below(5); left > 0; --left) {
    auto* const attribute = message.add_attributes();
    attribute->set_key(text() + std::to_string(left));
    fill(*attribute->mutable_value(), 1);
  }
  if (below(3) == 0) message.set_dropped_attributes_count(static_cast<std::uint32_t>(number()));
}

otlp::logs::v1::LogRecord RandomRecords::log() {
  otlp::logs::v1::LogRecord log;
  log.set_time_unix_nano(below(4) == 0 ? 0 : number());
  log.set_observed_time_unix_nano(below(4) == 0 ? 0 : number());
  log.set_severity_number(static_cast<otlp::logs::v1::SeverityNumber>(below(25)));
  log.set_severity_text(text());
  fill(*log.mutable_body(), 1);
  if (log.body().value_case() == otlp::common::v1::AnyValue::VALUE_NOT_SET) log.clear_body();
  add_attributes(log);
  log.set_flags(static_cast<std::uint32_t>(below(256)));
  log.set_trace_id(id(16));
  log.set_span_id(id(8));
  log.set_event_name(text());
  return log;
}

otlp::trace::v1::Span RandomRecords::span() {
  static constexpr std::uint32_t kOrigins[] = {0, 0x100, 0x300};
  otlp::trace::v1::Span span;
  span.set_trace_id(id(16));
  span.set_span_id(id(8));
  span.set_trace_state(text());
  span.set_parent_span_id(id(8));
  span.set_name(text());
  span.set_kind(static_cast<otlp::trace::v1::Span::SpanKind>(below(6)));
  span.set_start_time_unix_nano(number());
  span.set_end_time_unix_nano(number());
  add_attributes(span);
  for (std::uint64_t left = below(4); left > 0; --left) {
    auto* const event = span.add_events();
    event->set_time_unix_nano(number());
    event->set_name(text());
    add_attributes(*event);
  }
  if (below(3) == 0) span.set_dropped_events_count(static_cast<std::uint32_t>(number()));
  for (std::uint64_t left = below(4); left > 0; --left) {
    auto* const link = span.add_links();
    link->set_trace_id(id(16));
    link->set_span_id(id(8));
    link->set_trace_state(text());
    add_attributes(*link);
    link->set_flags(static_cast<std::uint32_t>(below(256)) | kOrigins[below(3)]);
  }
  if (below(3) == 0) span.set_dropped_links_count(static_cast<std::uint32_t>(number()));
  const auto code = static_cast<otlp::trace::v1::Status::StatusCode>(below(3));
  const std::string message = text();
  if (code != otlp::trace::v1::Status::STATUS_CODE_UNSET || !message.empty()) {
    span.mutable_status()->set_code(code);
    span.mutable_status()->set_message(message);
  }
  span.set_flags(static_cast<std::uint32_t>(below(256)) | kOrigins[below(3)]);
  return span;
}

AttributeValue Views::of(const otlp::common::v1::AnyValue& message) {
  using otlp::common::v1::AnyValue;
  switch (message.value_case()) {
    case AnyValue::kStringValue:
      return message.string_value();
    case AnyValue::kBoolValue:
      return message.bool_value();
    case AnyValue::kIntValue:
      return message.int_value();
    case AnyValue::kDoubleValue:
      return message.double_value();
    case AnyValue::kBytesValue:
      return std::as_bytes(std::span(message.bytes_value()));
    case AnyValue::kArrayValue: {
      std::vector<AttributeValue> elements;
      for (const auto& element : message.array_value().values()) elements.push_back(of(element));
      return values_.emplace_back(std::move(elements));
    }
    case AnyValue::kKvlistValue:
      return attributes(message.kvlist_value().values());
    default:
      return {};
  }
}

template <typename List>
Attributes Views::attributes(const List& list) {
  std::vector<Attribute> views;
  for (const auto& entry : list) views.push_back({entry.key(), of(entry.value())});
  return attributes_.emplace_back(std::move(views));
}

LogRecord Views::of(const otlp::logs::v1::LogRecord& message) {
  LogRecord log{.severity = static_cast<Severity>(message.severity_number()),
                .severity_text = message.severity_text(),
                .body = of(message.body()),
                .attributes = attributes(message.attributes()),
                .event_name = message.event_name(),
                .time_unix_nano = message.time_unix_nano(),
                .observed_time_unix_nano = message.observed_time_unix_nano(),
                .trace = {.flags = static_cast<std::uint8_t>(message.flags())},
                .dropped_attributes_count = message.dropped_attributes_count()};
  copy_id(log.trace.trace_id, message.trace_id());
  copy_id(log.trace.span_id, message.span_id());
  return log;
}

SpanRecord Views::of(const otlp::trace::v1::Span& message) {
  SpanRecord span{.context = {.flags = static_cast<std::uint8_t>(message.flags())},
                  .trace_state = message.trace_state(),
                  .parent_origin = origin_of(message.flags()),
                  .name = message.name(),
                  .kind = static_cast<SpanKind>(message.kind()),
                  .start_time_unix_nano = message.start_time_unix_nano(),
                  .end_time_unix_nano = message.end_time_unix_nano(),
                  .attributes = attributes(message.attributes()),
                  .dropped_attributes_count = message.dropped_attributes_count(),
                  .dropped_events_count = message.dropped_events_count(),
                  .dropped_links_count = message.dropped_links_count(),
                  .status = static_cast<StatusCode>(message.status().code()),
                  .status_message = message.status().message()};
  copy_id(span.context.trace_id, message.trace_id());
  copy_id(span.context.span_id, message.span_id());
  copy_id(span.parent_span_id, message.parent_span_id());
  auto& events = events_.emplace_back();
  for (const auto& event : message.events()) {
    events.push_back({event.name(), event.time_unix_nano(), attributes(event.attributes()),
                      event.dropped_attributes_count()});
  }
  auto& links = links_.emplace_back();
  for (const auto& link : message.links()) {
    links.push_back({.context = {.flags = static_cast<std::uint8_t>(link.flags())},
                     .trace_state = link.trace_state(),
                     .origin = origin_of(link.flags()),
                     .attributes = attributes(link.attributes()),
                     .dropped_attributes_count = link.dropped_attributes_count()});
    copy_id(links.back().context.trace_id, link.trace_id());
    copy_id(links.back().context.span_id, link.span_id());
  }
  span.events = events;
  span.links = links;
  return span;
}

}  // namespace shmring::test
