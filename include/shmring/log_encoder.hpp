// SPDX-License-Identifier: Apache-2.0
// A log record and its encoding as OTLP's LogRecord message.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "shmring/attribute.hpp"
#include "shmring/ids.hpp"
#include "shmring/limits.hpp"
#include "shmring/plain_encoder.hpp"
#include "shmring/severity.hpp"
#include "shmring/value_encoder.hpp"

#if defined(__GNUC__)
#pragma GCC visibility push(default)
#endif

namespace shmring {

/// Everything that a log record can say (specification "Logs Data Model"). What is left at its default is not
/// written. Owns nothing: everything in it has to live until the call that it is given to returns.
struct LogRecord {
  Severity severity = Severity::kUnspecified;
  std::string_view severity_text = {};  // the source's own name of the level
  AttributeValue body = {};             // any value; no limit applies to it
  Attributes attributes = {};
  std::string_view event_name = {};  // says that the record is an event of this kind
  std::uint64_t time_unix_nano =
      0;  // when it happened, in ns since 1970; 0: Logger::emit() puts the time of the call
  std::uint64_t observed_time_unix_nano = 0;   // when it was noticed; 0: as above
  TraceContext trace = {};                     // an id of zeroes is left out
  std::uint32_t dropped_attributes_count = 0;  // dropped before; those that a limit drops are added
};

namespace wire {

namespace log_record {  // field numbers of opentelemetry.proto.logs.v1.LogRecord
inline constexpr std::uint32_t kTime = 1, kSeverityNumber = 2, kSeverityText = 3, kBody = 5, kAttributes = 6,
                               kDroppedAttributes = 7, kFlags = 8, kTraceId = 9, kSpanId = 10,
                               kObservedTime = 11, kEventName = 12;
}

inline constexpr std::size_t kTraceBytes = 5 + 18 + 10;  // of put_trace(), at most

template <typename Sink>
[[gnu::always_inline]] inline void put_trace(Sink& sink, const TraceContext& trace) noexcept {
  if (trace.flags != 0) put_fixed32(sink, log_record::kFlags, trace.flags);
  if (trace.trace_id.is_valid())
    put_bytes(sink, log_record::kTraceId, trace.trace_id.bytes.data(), sizeof(trace.trace_id.bytes));
  if (trace.span_id.is_valid())
    put_bytes(sink, log_record::kSpanId, trace.span_id.bytes.data(), sizeof(trace.span_id.bytes));
}

/// What stands before the body. The times come first: a reader finds them there when they are ticks.
template <typename Sink>
[[gnu::always_inline]] inline void put_log_head(Sink& sink, const LogRecord& record) noexcept {
  if (record.time_unix_nano != 0) put_fixed64(sink, log_record::kTime, record.time_unix_nano);
  if (record.observed_time_unix_nano != 0)
    put_fixed64(sink, log_record::kObservedTime, record.observed_time_unix_nano);
  if (record.severity != Severity::kUnspecified) {
    put_varint(sink, log_record::kSeverityNumber, static_cast<std::uint8_t>(record.severity));
  }
  if (!record.severity_text.empty()) put_text(sink, log_record::kSeverityText, record.severity_text);
}

/// What stands behind the attributes.
template <typename Sink>
[[gnu::always_inline]] inline void put_log_tail(Sink& sink, const LogRecord& record,
                                                std::uint32_t dropped) noexcept {
  if (dropped != 0) put_varint(sink, log_record::kDroppedAttributes, dropped);
  put_trace(sink, record.trace);
  if (!record.event_name.empty()) put_text(sink, log_record::kEventName, record.event_name);
}

template <typename Sink>
[[gnu::always_inline]] inline void put_log(Sink& sink, const LogRecord& record,
                                           const SelectedAttributes& attributes,
                                           std::uint32_t value_length) noexcept {
  put_log_head(sink, record);
  if (!record.body.is_empty()) put_any_value(sink, log_record::kBody, record.body, kUnlimited);
  put_attributes(sink, log_record::kAttributes, attributes, value_length);
  put_log_tail(sink, record, saturated_sum(record.dropped_attributes_count, attributes.dropped));
}

/// What write_plain_log() needs at least: all but the attributes.
[[gnu::always_inline]] inline std::size_t plain_log_least(const LogRecord& record) noexcept {
  constexpr std::size_t kTimes = 18, kSeverity = 3, kTexts = 2 * 11, kDropped = 6;
  return kTimes + kSeverity + kTexts + kDropped + kTraceBytes + kPlainOverhead + record.severity_text.size() +
         record.body.size() + record.event_name.size();
}

/// The same bytes as put_log(). Returns their end; nullptr: they do not fit, or take the long way. REQUIRES: [out, end) are
/// plain_log_least() bytes or more.
[[gnu::always_inline]] inline std::byte* write_plain_log(std::byte* out, const std::byte* end,
                                                         const LogRecord& record,
                                                         const AttributeLimits& limits) noexcept {
  ByteSink head(out);
  put_log_head(head, record);
  out = head.position();
  if (!record.body.is_empty()) {
    out = write_plain_value(out, log_record::kBody, record.body, kUnlimited);
    if (out == nullptr) [[unlikely]]
      return nullptr;
  }
  constexpr std::size_t kTail = kTraceBytes + 6 + 11;
  out = write_plain_attributes(out, end - kTail - record.event_name.size(), log_record::kAttributes,
                               record.attributes, limits);
  if (out == nullptr) [[unlikely]]
    return nullptr;
  ByteSink tail(out);
  put_log_tail(tail, record, record.dropped_attributes_count);
  return tail.position();
}

}  // namespace wire

/// Bytes that encode() will write. Pure; thread-safe and async-signal-safe, like encode().
std::size_t encoded_size(const LogRecord& record, const AttributeLimits& limits = {}) noexcept;

/// Writes the record as a LogRecord message and returns the end of it: out + encoded_size(record, limits).
/// REQUIRES: room for that many bytes; the record as it was when its size was taken.
std::byte* encode(std::byte* out, const LogRecord& record, const AttributeLimits& limits = {}) noexcept;

}  // namespace shmring

#if defined(__GNUC__)
#pragma GCC visibility pop
#endif
