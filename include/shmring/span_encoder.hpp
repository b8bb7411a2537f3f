// SPDX-License-Identifier: Apache-2.0
// A finished span and its encoding as OTLP's Span message.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "shmring/attribute.hpp"
#include "shmring/ids.hpp"
#include "shmring/limits.hpp"
#include "shmring/traceparent.hpp"

#if defined(__GNUC__)
#pragma GCC visibility push(default)
#endif

namespace shmring {

/// Specification "Trace API", SpanKind.
enum class SpanKind : std::uint8_t { kUnspecified = 0, kInternal, kServer, kClient, kProducer, kConsumer };

/// Specification "Trace API", Set Status.
enum class StatusCode : std::uint8_t { kUnset = 0, kOk = 1, kError = 2 };

struct SpanEvent {
  std::string_view name = {};
  std::uint64_t time_unix_nano = 0;  // 0: Span::add_event() puts the time of the call
  Attributes attributes = {};
  std::uint32_t dropped_attributes_count = 0;
};

struct SpanLink {
  TraceContext context = {};
  std::string_view trace_state = {};
  ContextOrigin origin = ContextOrigin::kUnknown;
  Attributes attributes = {};
  std::uint32_t dropped_attributes_count = 0;
};

/// Everything that a span can say, for programs that measure by themselves; all others use Span (span.hpp).
/// What is left at its default is not written. Owns nothing: everything in it has to live until the call that
/// it is given to returns.
struct SpanRecord {
  TraceContext context = {};
  std::string_view trace_state = {};
  SpanId parent_span_id = {};  // zeroes: a root
  ContextOrigin parent_origin = ContextOrigin::kUnknown;
  std::string_view name = {};
  SpanKind kind = SpanKind::kInternal;
  std::uint64_t start_time_unix_nano = 0;
  std::uint64_t end_time_unix_nano = 0;
  Attributes attributes = {};
  std::uint32_t dropped_attributes_count =
      0;  // dropped before; those that a limit drops are added: here and below
  std::span<const SpanEvent> events = {};
  std::uint32_t dropped_events_count = 0;
  std::span<const SpanLink> links = {};
  std::uint32_t dropped_links_count = 0;
  StatusCode status = StatusCode::kUnset;
  std::string_view status_message = {};
};

/// Bytes that encode() will write. Pure; thread-safe and async-signal-safe, like encode().
std::size_t encoded_size(const SpanRecord& record, const Limits& limits = {}) noexcept;

/// Writes the record as a Span message and returns the end of it: out + encoded_size(record, limits).
/// REQUIRES: room for that many bytes; the record as it was when its size was taken.
std::byte* encode(std::byte* out, const SpanRecord& record, const Limits& limits = {}) noexcept;

}  // namespace shmring

#if defined(__GNUC__)
#pragma GCC visibility pop
#endif
