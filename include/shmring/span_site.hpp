// SPDX-License-Identifier: Apache-2.0
// A span whose constant part is encoded by the compiler: name, kind and keys. Its values are given at its end, so that it needs no
// memory in between.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "shmring/clock.hpp"
#include "shmring/fixed_text.hpp"
#include "shmring/ids.hpp"
#include "shmring/plain_encoder.hpp"
#include "shmring/site_key.hpp"
#include "shmring/span_encoder.hpp"
#include "shmring/traceparent.hpp"
#include "shmring/wire.hpp"

namespace shmring {

/// Given to Tracer::start():
///
///   inline constexpr shmring::SpanSite<"query", shmring::SpanKind::kClient, "db.system", "rows"> kQuery;
///   auto span = tracer.start(kQuery, &parent);
///   ...
///   span.end("postgresql", rows);
///
/// In the place of a key constant("db.system", "postgresql") is an attribute that all spans of the site have; it takes no value, and comes
/// before those that do. Keys are checked when the program is compiled: not empty, each once, none longer than 100 bytes.
template <FixedText Name, SpanKind Kind, SiteKey... Keys>
struct SpanSite {
  static_assert(wire::are_keys<Keys...>(), "each key once, and none without a name");
  static_assert(((Keys.size() <= 100) && ...), "a key of 100 bytes at most");
  static_assert(sizeof...(Keys) <= kMaxAttributes, "no record has more attributes");
};

/// What a span of a SpanSite has beside its values, where its program measures it itself; given to Tracer::emit():
///
///   const shmring::Stamp start = tracer.now();
///   ...
///   tracer.emit(kQuery, {.context = ids, .parent_span_id = parent.span_id, .start = start}, "postgresql", rows);
///
/// What it cannot say (a trace state, events, links) a SpanRecord can.
struct MeasuredSpan {
  TraceContext context = {};
  SpanId parent_span_id = {};  // zeroes: a root
  ContextOrigin parent_origin = ContextOrigin::kUnknown;
  Stamp start = {};                      // Tracer::now(), or nanoseconds since 1970
  std::uint64_t end_time_unix_nano = 0;  // 0: now, by the clock of the start, and never before it
  StatusCode status = StatusCode::kUnset;
  std::string_view status_message = {};  // with kError only
};

namespace wire {

namespace span {  // field numbers of opentelemetry.proto.trace.v1.Span
inline constexpr std::uint32_t kTraceId = 1, kSpanId = 2, kTraceState = 3, kParentSpanId = 4, kName = 5,
                               kKind = 6, kStart = 7, kEnd = 8, kAttributes = 9, kDroppedAttributes = 10,
                               kEvents = 11, kDroppedEvents = 12, kLinks = 13, kDroppedLinks = 14,
                               kStatus = 15, kFlags = 16;
}

/// SpanFlags: the W3C flags and, in bits 8 and 9, whether the context that they are about is known to be
/// remote.
constexpr std::uint32_t span_flags(std::uint8_t trace_flags, ContextOrigin origin) noexcept {
  constexpr std::uint32_t kHasIsRemote = 0x100;
  constexpr std::uint32_t kIsRemote = 0x200;
  switch (origin) {
    case ContextOrigin::kUnknown:
      return trace_flags;
    case ContextOrigin::kLocal:
      return trace_flags | kHasIsRemote;
    case ContextOrigin::kRemote:
      return trace_flags | kHasIsRemote | kIsRemote;
  }
  return trace_flags;
}

inline constexpr std::size_t kStartAt = 1, kEndAt = 10;  // of the values, in a span's beginning

/// Counted back from the end of a span's beginning: the values of the ids and the flags, and where a span without a parent goes on.
inline constexpr std::size_t kTraceIdFromEnd = 42, kSpanIdFromEnd = 24, kFlagsFromEnd = 14,
                             kParentIdFromEnd = 8, kParentFromEnd = 10;

/// A span's beginning: room for both times, the name, the kind, the constant attributes, room for the ids and the flags.
template <FixedText Name, SpanKind Kind, SiteKey... Keys>
inline constexpr auto kSpanHead = [] {
  constexpr std::size_t kText = Name.size() == 0 ? 0 : 1 + varint_size(Name.size()) + Name.size();
  constexpr std::size_t kKind = Kind == SpanKind::kUnspecified ? 0 : 2;
  constexpr std::size_t kTimes = 18, kIds = kTraceIdFromEnd + 2;
  constexpr std::size_t kConstants = constants_size<Keys...>(span::kAttributes);
  std::array<std::byte, kTimes + kText + kKind + kConstants + kIds> head{};
  head[kStartAt - 1] = static_cast<std::byte>(tag(span::kStart, Type::kFixed64));
  head[kEndAt - 1] = static_cast<std::byte>(tag(span::kEnd, Type::kFixed64));
  ByteSink sink(head.data() + kTimes);
  if constexpr (kText != 0) put_text(sink, span::kName, Name.view());
  if constexpr (kKind != 0) put_varint(sink, span::kKind, static_cast<std::uint8_t>(Kind));
  (put_constant<Keys>(sink, span::kAttributes), ...);
  put_length(sink, span::kTraceId, sizeof(TraceId));
  sink = ByteSink(sink.position() + sizeof(TraceId));
  put_length(sink, span::kSpanId, sizeof(SpanId));
  sink = ByteSink(sink.position() + sizeof(SpanId));
  sink.varint(tag(span::kFlags, Type::kFixed32));
  sink = ByteSink(sink.position() + sizeof(std::uint32_t));
  put_length(sink, span::kParentSpanId, sizeof(SpanId));
  return head;
}();

/// Copies it, and writes the values into it. Returns where the span goes on. REQUIRES: room for all of it, also without a parent.
template <FixedText Name, SpanKind Kind, SiteKey... Keys>
[[gnu::always_inline]] inline std::byte* write_span_head(std::byte* out, std::uint64_t start_time,
                                                         std::uint64_t end_time, const TraceContext& context,
                                                         const SpanId& parent_span_id,
                                                         ContextOrigin parent_origin) noexcept {
  constexpr const auto& kHead = kSpanHead<Name, Kind, Keys...>;
  const std::uint32_t flags = span_flags(context.flags, parent_origin);
  __builtin_memcpy(out, kHead.data(), kHead.size());
  __builtin_memcpy(out + kStartAt, &start_time, sizeof(start_time));
  __builtin_memcpy(out + kEndAt, &end_time, sizeof(end_time));
  std::byte* const end = out + kHead.size();
  __builtin_memcpy(end - kTraceIdFromEnd, &context.trace_id, sizeof(context.trace_id));
  __builtin_memcpy(end - kSpanIdFromEnd, &context.span_id, sizeof(context.span_id));
  __builtin_memcpy(end - kFlagsFromEnd, &flags, sizeof(flags));
  __builtin_memcpy(end - kParentIdFromEnd, &parent_span_id, sizeof(parent_span_id));
  return parent_span_id.is_valid() ? end : end - kParentFromEnd;
}

}  // namespace wire
}  // namespace shmring
