// SPDX-License-Identifier: Apache-2.0
// Starting spans: ids, the sampler's decision, the parent.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "shmring/attribute.hpp"
#include "shmring/ring.hpp"
#include "shmring/span.hpp"
#include "shmring/span_encoder.hpp"
#include "shmring/traceparent.hpp"
#include "shmring/writer.hpp"

#if defined(__GNUC__)
#pragma GCC visibility push(default)
#endif

namespace shmring {

struct ProducerConfig;

/// What a span has from its start. One line per option: default, meaning.
struct SpanOptions {
  SpanKind kind = SpanKind::kInternal;
  const SpanContext* parent = nullptr;  // nullptr, or a context that is not valid: a root span, a new trace
  Attributes attributes = {};
  std::span<const SpanLink> links = {};
  std::uint64_t start_time_unix_nano = 0;  // 0: now
};

/// Starts the spans of one instrumentation scope; from Ring::tracer(). Cheap to copy, usable by any thread.
///
/// The library keeps no current span (that would need thread-local state that a fork or a coroutine gets
/// wrong): the parent is named at the start. `auto span = tracer.start("query", {.parent =
/// &request.context()})`.
///
/// Which spans are recorded is decided by OTEL_TRACES_SAMPLER and OTEL_TRACES_SAMPLER_ARG, as read when the
/// process opened the ring: always_on, always_off, traceidratio, parentbased_always_on (default),
/// parentbased_always_off, parentbased_traceidratio. With a ratio p a trace is sampled if the last 56 bits of
/// its id, as a number, are at least (1 - p) * 2^56 (specification "TraceState: Probability Sampling"): every
/// process decides the same. Any other name: the default.
class Tracer {
 public:
  /// A span that has begun. Thread-safe; not async-signal-safe: it allocates where the span is sampled, and a
  /// thread's first call registers it. A span that is not sampled is no attempt and is counted nowhere. Under
  /// OTEL_SDK_DISABLED=true the span records nothing and has its parent's context (specification "Trace API",
  /// Behavior in the absence of an installed SDK).
  Span start(std::string_view name, const SpanOptions& options = {}) const noexcept;

  /// Commits a span that was measured elsewhere, past the sampler. Within the limits; no field is filled in.
  /// True: committed; false: dropped and counted by its cause, or OTEL_SDK_DISABLED. Thread-safe, and
  /// async-signal-safe but for a thread's first record.
  bool emit(const SpanRecord& record) const noexcept;

  /// Random ids, never all zero, different in every thread, parent and child. Thread-safe; once the thread is
  /// registered (Ring::prepare_thread()) without system call and async-signal-safe.
  TraceId new_trace_id() const noexcept;
  SpanId new_span_id() const noexcept;

 private:
  friend class Ring;
  Tracer(const Ring& ring, ScopeId scope, const ProducerConfig& config) noexcept
      : ring_(ring), config_(&config), scope_(scope) {}

  Ring ring_;
  const ProducerConfig* config_;
  ScopeId scope_;
};

}  // namespace shmring

#if defined(__GNUC__)
#pragma GCC visibility pop
#endif
