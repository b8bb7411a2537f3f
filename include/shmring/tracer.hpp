// SPDX-License-Identifier: Apache-2.0
// Starting spans: ids, the sampler's decision, the parent.
#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <span>
#include <string_view>
#include <tuple>
#include <utility>

#include "shmring/attribute.hpp"
#include "shmring/clock.hpp"
#include "shmring/ring.hpp"
#include "shmring/span.hpp"
#include "shmring/span_encoder.hpp"
#include "shmring/span_site.hpp"
#include "shmring/traceparent.hpp"
#include "shmring/writer.hpp"

#if defined(__GNUC__)
#pragma GCC visibility push(default)
#endif

namespace shmring {

struct ProducerConfig;
template <FixedText Name, SpanKind Kind, SiteKey... Keys>
class SiteSpan;

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

  /// The same for a span that is encoded ahead: it needs no memory, and has no attributes but those of its site.
  template <FixedText Name, SpanKind Kind, SiteKey... Keys>
  SiteSpan<Name, Kind, Keys...> start(const SpanSite<Name, Kind, Keys...>&,
                                      const SpanContext* parent = nullptr) const noexcept {
    return SiteSpan<Name, Kind, Keys...>(*this, parent);
  }

  /// The same tracer with another clock than the ring's; with kRealtime where kTsc cannot be relied on. Asks the kernel: keep it.
  Tracer with_clock(Clock clock) const;

  /// Commits a span that was measured elsewhere, past the sampler. Within the limits; no field is filled in.
  /// True: committed; false: dropped and counted by its cause, or OTEL_SDK_DISABLED. Thread-safe, and
  /// async-signal-safe but for a thread's first record.
  bool emit(const SpanRecord& record) const noexcept;

  /// The same for a span that is encoded ahead: a value for each key of its site that has none, in their order. Also in a child forked since its start.
  template <FixedText Name, SpanKind Kind, SiteKey... Keys, typename... Values>
  requires(sizeof...(Values) == wire::kOpenKeys<Keys...> &&
           (std::convertible_to<const Values&, AttributeValue> &&
            ...)) bool emit(const SpanSite<Name, Kind, Keys...>& site, const MeasuredSpan& span,
                            const Values&... values) const noexcept {
    if (is_disabled_) return false;
    return emit_site(site, span, std::tuple<const Values&...>(values...));
  }

  /// When a span starts, for emit(): by this tracer's clock, by clock_gettime where that is coarse. Thread-safe and async-signal-safe.
  Stamp now() const noexcept { return stamp_of(clock_ == Clock::kCoarse ? Clock::kRealtime : clock_); }

  /// Random ids, never all zero, different in every thread, parent and child. Thread-safe; once the thread is
  /// registered (Ring::prepare_thread()) without system call and async-signal-safe.
  TraceId new_trace_id() const noexcept;
  SpanId new_span_id() const noexcept;

 private:
  friend class Ring;
  template <FixedText Name, SpanKind Kind, SiteKey... Keys>
  friend class SiteSpan;

  /// A span that has begun.
  struct Beginning {
    SpanContext context;
    SpanId parent_span_id = {};
    ContextOrigin parent_origin = ContextOrigin::kLocal;  // a root's: it has no remote parent
    bool is_recording = false;
    Stamp start;
    std::uint64_t start_monotonic_ns = 0;  // unless the start is ticks
    std::uint64_t process_generation = 0;
  };
  Beginning begin(const SpanContext* parent) const noexcept;
  /// Registers the thread, if it can be, and tells the process's generation.
  [[gnu::noinline]] std::uint64_t prepare() const noexcept;
  /// Now, for a span that ends; never before its start.
  [[gnu::always_inline]] static std::uint64_t end_of(const Beginning& beginning) noexcept {
    if (beginning.start.is_ticks) return std::max(read_tsc(), beginning.start.value);
    return end_by_clock(beginning);
  }
  static std::uint64_t end_by_clock(const Beginning& beginning) noexcept;
  [[gnu::always_inline]] static bool is_of_this_process(const Beginning& beginning) noexcept {
    const WriterState* const state = this_thread_writers;
    if (state == nullptr) [[unlikely]]
      return is_of_this_process_slowly(beginning);
    // relaxed: as in Writer::enter(); until a child's first look for its own it is zero, and nobody's
    return state->fork_page->generation.load(std::memory_order_relaxed) == beginning.process_generation;
  }
  static bool is_of_this_process_slowly(const Beginning& beginning) noexcept;

  // None of these has an argument on the stack: as in Logger.

  template <FixedText Name, SpanKind Kind, SiteKey... Keys, typename... Values>
  [[gnu::noinline]] bool emit_site(const SpanSite<Name, Kind, Keys...>& site, const MeasuredSpan& span,
                                   const std::tuple<const Values&...>& given) const noexcept {
    // Converted once: what is asked twice could give more the second time.
    const auto values = std::apply(
        [](const Values&... each) { return wire::SiteValues<Keys...>{AttributeValue(each)...}; }, given);
    const void* const frame = __builtin_frame_address(0);
    std::uint64_t end_time = span.end_time_unix_nano;
    const bool ends_now = end_time == 0;
    if (ends_now) end_time = std::max(span.start.is_ticks ? read_tsc() : unix_time_ns(), span.start.value);
    const bool is_plain =
        span.status == StatusCode::kUnset && span.context.is_valid() && (ends_now || !span.start.is_ticks);
    if (is_plain) [[likely]] {
      const std::optional<bool> done =
          commit_plain(site, span.context, span.parent_span_id, span.parent_origin, span.start.value,
                       ticks_of(end_time, span.start), values, frame);
      if (done) [[likely]]
        return *done;
    }
    const auto copied = values;  // what needs no address can stay in registers
    return emit_site_slowly(site, span, copied, end_time, frame);
  }

  template <FixedText Name, SpanKind Kind, SiteKey... Keys>
  [[gnu::noinline, gnu::cold]] bool emit_site_slowly(const SpanSite<Name, Kind, Keys...>&,
                                                     const MeasuredSpan& span,
                                                     const wire::SiteValues<Keys...>& values,
                                                     std::uint64_t end_time,
                                                     const void* frame) const noexcept {
    const auto attributes = wire::site_attributes<Keys...>(values);
    const SpanRecord record{
        .context = span.context,
        .parent_span_id = span.parent_span_id,
        .parent_origin = span.parent_origin,
        .name = Name.view(),
        .kind = Kind,
        .start_time_unix_nano = span.start.value,
        .end_time_unix_nano = end_time,
        .attributes = attributes,
        .status = span.status,
        .status_message = span.status == StatusCode::kError ? span.status_message : std::string_view{}};
    return span.end_time_unix_nano == 0 ? commit(record, ticks_of(end_time, span.start), frame)
                                        : commit_ended(record, span.start, frame);
  }

  static Ticks ticks_of(std::uint64_t end_time, const Stamp& start) noexcept {
    return {end_time, start.is_ticks ? kMaxTickFields : std::uint8_t{0}};
  }

  /// The short way of a span that is encoded ahead, and what came of it. nullopt: it is not possible, and nothing has happened.
  /// REQUIRES: a context that is valid. `end`: its time, be it ticks or not.
  template <FixedText Name, SpanKind Kind, SiteKey... Keys>
  [[gnu::always_inline]] std::optional<bool> commit_plain(
      const SpanSite<Name, Kind, Keys...>&, const TraceContext& context, const SpanId& parent_span_id,
      ContextOrigin parent_origin, std::uint64_t start_time, Ticks end,
      const wire::SiteValues<Keys...>& values, const void* frame) const noexcept {
    if (!wire::are_within<Keys...>(limits_)) [[unlikely]]
      return std::nullopt;
    const std::size_t least = wire::kSpanHead<Name, Kind, Keys...>.size() + wire::site_bound<Keys...>(values);
    Slot slot = ring_.writer().reserve_least(frame, RecordKind::kSpan, least, scope_, end);
    if (!slot) [[unlikely]]
      return std::nullopt;
    std::byte* const begin = slot.payload().data();
    std::byte* out = wire::write_span_head<Name, Kind, Keys...>(begin, start_time, end.value, context,
                                                                parent_span_id, parent_origin);
    out = wire::write_site_attributes<wire::span::kAttributes, Keys...>(out, values, limits_.value_length);
    if (out == nullptr) [[unlikely]] {
      slot.abandon();
      return std::nullopt;
    }
    return std::move(slot).commit(static_cast<std::size_t>(out - begin));
  }

  Tracer(const Ring& ring, ScopeId scope, const ProducerConfig& config) noexcept;

  /// `ticks`: the times of it that are ticks. `frame`: as in Logger::commit().
  bool commit(const SpanRecord& record, Ticks ticks, const void* frame = nullptr) const noexcept;
  /// The same for a span whose start may be ticks while its end is none.
  bool commit_ended(SpanRecord record, const Stamp& start, const void* frame) const noexcept;

  Ring ring_;
  const ProducerConfig* config_;
  AttributeLimits limits_;
  ScopeId scope_;
  Clock clock_;       // kTsc: it can be used
  bool is_disabled_;  // as the configuration says
};

/// A span of a SpanSite between its start and its end. What is said of Span holds here: move-only, for one thread at a time, of the process
/// that started it, ended by its destructor (with its constant attributes alone) if nobody has. Nothing in it allocates but a parent's trace state.
template <FixedText Name, SpanKind Kind, SiteKey... Keys>
class SiteSpan {
 public:
  SiteSpan(SiteSpan&& other) noexcept : tracer_(other.tracer_), beginning_(std::move(other.beginning_)) {
    other.beginning_.is_recording = false;
  }
  SiteSpan& operator=(SiteSpan&&) = delete;
  SiteSpan(const SiteSpan&) = delete;
  SiteSpan& operator=(const SiteSpan&) = delete;
  ~SiteSpan() {
    if (is_recording()) finish(constants(), StatusCode::kUnset, {}, nullptr);
  }

  bool is_recording() const noexcept { return beginning_.is_recording; }
  const SpanContext& context() const noexcept { return beginning_.context; }

  /// Commits it with a value for each key of its site that has none, in their order. True: committed; false as Span::end().
  template <typename... Values>
  requires(sizeof...(Values) == wire::kOpenKeys<Keys...> &&
           (std::convertible_to<const Values&, AttributeValue> &&
            ...)) bool end(const Values&... values) noexcept {
    return end_with(StatusCode::kUnset, {}, values...);
  }
  /// The same with a status; a message goes with kError only.
  template <typename... Values>
  requires(sizeof...(Values) == wire::kOpenKeys<Keys...> &&
           (std::convertible_to<const Values&, AttributeValue> &&
            ...)) bool end_with(StatusCode status, std::string_view message,
                                const Values&... values) noexcept {
    if (!is_recording()) return false;
    return end_out_of_line(status, message, std::tuple<const Values&...>(values...));
  }

 private:
  friend class Tracer;
  using SiteValues = wire::SiteValues<Keys...>;

  SiteSpan(const Tracer& tracer, const SpanContext* parent) noexcept
      : tracer_(tracer), beginning_(tracer.begin(parent)) {}

  template <typename... Values>
  [[gnu::noinline]] bool end_out_of_line(StatusCode status, std::string_view message,
                                         const std::tuple<const Values&...>& given) noexcept {
    // Converted once: what is asked twice could give more the second time.
    const auto values =
        std::apply([](const Values&... each) { return SiteValues{AttributeValue(each)...}; }, given);
    const void* const frame = __builtin_frame_address(0);
    std::uint64_t end_time = 0;
    const bool is_plain = beginning_.context.trace_state.empty() && status == StatusCode::kUnset;
    if (is_plain && Tracer::is_of_this_process(beginning_)) [[likely]] {
      end_time = Tracer::end_of(beginning_);
      const std::optional<bool> done =
          tracer_.commit_plain(SpanSite<Name, Kind, Keys...>(), beginning_.context, beginning_.parent_span_id,
                               beginning_.parent_origin, beginning_.start.value,
                               Tracer::ticks_of(end_time, beginning_.start), values, frame);
      if (done) [[likely]] {
        beginning_.is_recording = false;
        return *done;
      }
    }
    const auto copied = values;  // what needs no address can stay in registers
    return end_slowly(copied, status, message, frame, end_time);
  }
  [[gnu::noinline, gnu::cold]] bool end_slowly(const SiteValues& values, StatusCode status,
                                               std::string_view message, const void* frame,
                                               std::uint64_t end_time) noexcept {
    return finish(wire::site_attributes<Keys...>(values), status, message, frame, end_time);
  }

  static std::array<Attribute, sizeof...(Keys) - wire::kOpenKeys<Keys...>> constants() noexcept {
    const auto all = wire::site_attributes<Keys...>({});
    std::array<Attribute, sizeof...(Keys) - wire::kOpenKeys<Keys...>> constants{};
    std::copy_n(all.begin(), constants.size(), constants.begin());
    return constants;
  }
  /// With anything that a span can say. `end_time` 0: now.
  [[gnu::noinline]] bool finish(Attributes attributes, StatusCode status, std::string_view message,
                                const void* frame, std::uint64_t end_time = 0) noexcept {
    beginning_.is_recording = false;
    if (!Tracer::is_of_this_process(beginning_)) return false;
    if (end_time == 0) end_time = Tracer::end_of(beginning_);
    return tracer_.commit({.context = beginning_.context,
                           .trace_state = beginning_.context.trace_state,
                           .parent_span_id = beginning_.parent_span_id,
                           .parent_origin = beginning_.parent_origin,
                           .name = Name.view(),
                           .kind = Kind,
                           .start_time_unix_nano = beginning_.start.value,
                           .end_time_unix_nano = end_time,
                           .attributes = attributes,
                           .status = status,
                           .status_message = status == StatusCode::kError ? message : std::string_view{}},
                          Tracer::ticks_of(end_time, beginning_.start), frame);
  }

  Tracer tracer_;
  Tracer::Beginning beginning_;
};

}  // namespace shmring

#if defined(__GNUC__)
#pragma GCC visibility pop
#endif
