// SPDX-License-Identifier: Apache-2.0
// A span whose constant part is encoded by the compiler: name, kind and keys. Its values are given at its end, so that it needs no
// memory in between.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "shmring/fixed_text.hpp"
#include "shmring/plain_encoder.hpp"
#include "shmring/span_encoder.hpp"
#include "shmring/wire.hpp"

namespace shmring {

/// Given to Tracer::start():
///
///   inline constexpr shmring::SpanSite<"query", shmring::SpanKind::kClient, "db.system", "rows"> kQuery;
///   auto span = tracer.start(kQuery, &parent);
///   ...
///   span.end("postgresql", rows);
///
/// Keys are checked when the program is compiled: not empty, each once, none longer than 100 bytes.
template <FixedText Name, SpanKind Kind, FixedText... Keys>
struct SpanSite {
  static_assert(wire::are_keys<Keys...>(), "each key once, and none without a name");
  static_assert(((Keys.size() <= 100) && ...), "a key of 100 bytes at most");
  static_assert(sizeof...(Keys) <= kMaxAttributes, "no record has more attributes");
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

/// A span's beginning: room for both times, the name, the kind.
template <FixedText Name, SpanKind Kind>
inline constexpr auto kSpanHead = [] {
  constexpr std::size_t kText = Name.size() == 0 ? 0 : 1 + varint_size(Name.size()) + Name.size();
  constexpr std::size_t kKind = Kind == SpanKind::kUnspecified ? 0 : 2;
  std::array<std::byte, 18 + kText + kKind> head{};
  head[kStartAt - 1] = static_cast<std::byte>(tag(span::kStart, Type::kFixed64));
  head[kEndAt - 1] = static_cast<std::byte>(tag(span::kEnd, Type::kFixed64));
  ByteSink sink(head.data() + 18);
  if constexpr (kText != 0) {
    put_length(sink, span::kName, Name.size());
    for (std::size_t i = 0; i < Name.size(); ++i) sink.position()[i] = static_cast<std::byte>(Name.text[i]);
    sink = ByteSink(sink.position() + Name.size());
  }
  if constexpr (kKind != 0) put_varint(sink, span::kKind, static_cast<std::uint8_t>(Kind));
  return head;
}();

}  // namespace wire
}  // namespace shmring
