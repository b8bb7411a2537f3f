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

/// The times come first: a reader finds them there when they are ticks.
template <typename Sink>
[[gnu::always_inline]] inline void put_log(Sink& sink, const LogRecord& record,
                                           const SelectedAttributes& attributes,
                                           std::uint32_t value_length) noexcept {
  if (record.time_unix_nano != 0) put_fixed64(sink, log_record::kTime, record.time_unix_nano);
  if (record.observed_time_unix_nano != 0)
    put_fixed64(sink, log_record::kObservedTime, record.observed_time_unix_nano);
  if (record.severity != Severity::kUnspecified) {
    put_varint(sink, log_record::kSeverityNumber, static_cast<std::uint8_t>(record.severity));
  }
  if (!record.severity_text.empty()) put_text(sink, log_record::kSeverityText, record.severity_text);
  if (!record.body.is_empty()) put_any_value(sink, log_record::kBody, record.body, kUnlimited);
  put_attributes(sink, log_record::kAttributes, attributes, value_length);
  const std::uint32_t dropped = saturated_sum(record.dropped_attributes_count, attributes.dropped);
  if (dropped != 0) put_varint(sink, log_record::kDroppedAttributes, dropped);
  put_trace(sink, record.trace);
  if (!record.event_name.empty()) put_text(sink, log_record::kEventName, record.event_name);
}

/// What write_plain_log() needs at least.
inline std::size_t plain_log_least(const AttributeValue& body) noexcept {
  constexpr std::size_t kTimes = 18, kSeverity = 3;
  return kTimes + kSeverity + kPlainOverhead + body.size() + kTraceBytes;
}

/// The same bytes as put_log() of a record with these, and both times `time`. Returns their end; nullptr: they do not fit, or take the
/// long way. REQUIRES: [out, end) are plain_log_least() bytes or more.
[[gnu::always_inline]] inline std::byte* write_plain_log(std::byte* out, const std::byte* end,
                                                         Severity severity, const AttributeValue& body,
                                                         Attributes attributes, const AttributeLimits& limits,
                                                         std::uint64_t time,
                                                         const TraceContext& trace) noexcept {
  ByteSink head(out);
  put_fixed64(head, log_record::kTime, time);
  put_fixed64(head, log_record::kObservedTime, time);
  if (severity != Severity::kUnspecified)
    put_varint(head, log_record::kSeverityNumber, static_cast<std::uint8_t>(severity));
  out = head.position();
  if (!body.is_empty()) {
    out = write_plain_value(out, log_record::kBody, body, kUnlimited);
    if (out == nullptr) [[unlikely]]
      return nullptr;
  }
  out = write_plain_attributes(out, end - kTraceBytes, log_record::kAttributes, attributes, limits);
  if (out == nullptr) [[unlikely]]
    return nullptr;
  ByteSink tail(out);
  put_trace(tail, trace);
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
