// SPDX-License-Identifier: Apache-2.0
// Emitting log records: sized, encoded and committed in the caller's thread, straight into the ring.
#pragma once

#include <array>
#include <atomic>
#include <concepts>
#include <cstdint>
#include <optional>
#include <span>
#include <tuple>
#include <utility>

#include "shmring/attribute.hpp"
#include "shmring/clock.hpp"
#include "shmring/limits.hpp"
#include "shmring/log_encoder.hpp"
#include "shmring/log_site.hpp"
#include "shmring/plain_encoder.hpp"
#include "shmring/ring.hpp"
#include "shmring/severity.hpp"
#include "shmring/writer.hpp"

#if defined(__GNUC__)
#pragma GCC visibility push(default)
#endif

namespace shmring {

/// Emits the log records of one instrumentation scope; from Ring::logger(). Cheap to copy, usable by any
/// thread.
///
/// Every emit() returns true when the record is committed: it is safe then, whatever becomes of the process.
/// False is a drop, counted in the ring by its cause; or a record that enabled() refuses, which is no attempt
/// and is counted nowhere. Once the thread has its block, an emit makes no system call, allocates nothing and
/// takes no lock; it is thread-safe, and async-signal-safe but for a thread's first record
/// (Ring::prepare_thread() sees to that one).
///
/// A process started with OTEL_SDK_DISABLED=true emits nothing: enabled() is always false.
class Logger {
 public:
  /// False: a record of that severity would not be written, so there is no need to make it. One load; the
  /// ring's minimum severity can change at any time. Records without a severity pass every minimum
  /// (specification "Logs SDK", minimum severity).
  bool enabled(Severity severity) const noexcept {
    const std::uint32_t minimum =
        min_severity_->load(std::memory_order_relaxed);  // relaxed: a setting; orders nothing
    return static_cast<std::uint32_t>(severity) >= minimum ||
           (severity == Severity::kUnspecified && minimum != kNothingPasses);
  }

  /// A record of the present moment. log.emit(Severity::kInfo, "order placed", {{"order.id", 4711}}).
  bool emit(Severity severity, AttributeValue body, Attributes attributes = {},
            const TraceContext& trace = {}) const noexcept {
    writer_.meet_ring();
    if (!enabled(severity)) return false;
    return emit_now(severity, body, attributes, trace);
  }

  /// The same for a call site that is encoded ahead (log_site.hpp): a value for each of its keys that has none, in their order.
  template <Severity Level, FixedText Body, SiteKey... Keys, typename... Values>
  requires(sizeof...(Values) == wire::kOpenKeys<Keys...> &&
           (std::convertible_to<const Values&, AttributeValue> &&
            ...)) bool emit(const LogSite<Level, Body, Keys...>& site, const TraceContext& trace,
                            const Values&... values) const noexcept {
    writer_.meet_ring();
    if (!enabled(Level)) return false;
    return emit_site(site, trace, std::tuple<const Values&...>(values...));
  }
  template <Severity Level, FixedText Body, SiteKey... Keys, typename... Values>
  requires(sizeof...(Values) == wire::kOpenKeys<Keys...> &&
           (std::convertible_to<const Values&, AttributeValue> &&
            ...)) bool emit(const LogSite<Level, Body, Keys...>& site,
                            const Values&... values) const noexcept {
    return emit(site, TraceContext{}, values...);
  }

  /// A record with anything that the log data model has. Times left at 0 become the time of this call.
  bool emit(const LogRecord& record) const noexcept {
    if (!enabled(record.severity)) return false;
    if (record.time_unix_nano != 0 && record.observed_time_unix_nano != 0) return emit_record(record, 0);
    LogRecord stamped = record;
    // Ticks only where both times are: a reader rewrites the leading ones.
    const bool is_both = record.time_unix_nano == 0 && record.observed_time_unix_nano == 0;
    const Stamp now = stamp_of(is_both || clock_ != Clock::kTsc ? clock_ : Clock::kRealtime);
    if (record.time_unix_nano == 0) stamped.time_unix_nano = now.value;
    if (record.observed_time_unix_nano == 0) stamped.observed_time_unix_nano = now.value;
    return emit_record(stamped, now.is_ticks ? kMaxTickFields : std::uint8_t{0});
  }

  /// The same logger with another clock than the ring's; with kRealtime where kTsc cannot be relied on. Asks the kernel: keep it.
  Logger with_clock(Clock clock) const;

 private:
  friend class Ring;
  static constexpr std::uint32_t kNothingPasses = kUnlimited;
  static const std::atomic<std::uint32_t> nothing_passes;

  Logger(Writer writer, ScopeId scope, const std::atomic<std::uint32_t>* min_severity, AttributeLimits limits,
         Clock clock) noexcept
      : writer_(writer), min_severity_(min_severity), limits_(limits), scope_(scope), clock_(clock) {}

  // None of these has an argument on the stack, so that their frames lie equally deep: what was left by longjmp is told by its frame.

  /// Not inlined, so that a call of emit() is small: one copy of the encoder serves all of them.
  [[gnu::noinline]] bool emit_now(Severity severity, const AttributeValue& body, const Attributes& attributes,
                                  const TraceContext& trace) const noexcept {
    const void* const frame = __builtin_frame_address(0);
    const Stamp now = stamp_of(clock_);
    const std::uint8_t ticks = now.is_ticks ? kMaxTickFields : std::uint8_t{0};
    const std::optional<bool> done = commit_plain({.severity = severity,
                                                   .body = body,
                                                   .attributes = attributes,
                                                   .time_unix_nano = now.value,
                                                   .observed_time_unix_nano = now.value,
                                                   .trace = trace},
                                                  {now.value, ticks}, frame);
    if (done) [[likely]]
      return *done;
    return commit({.severity = severity,
                   .body = body,
                   .attributes = attributes,
                   .time_unix_nano = now.value,
                   .observed_time_unix_nano = now.value,
                   .trace = trace},
                  ticks, frame);
  }

  /// The short way, and what came of it. nullopt: it is not possible, and nothing has happened.
  [[gnu::always_inline]] std::optional<bool> commit_plain(const LogRecord& record, Ticks ticks,
                                                          const void* frame) const noexcept {
    Slot slot = writer_.reserve_least(frame, RecordKind::kLog, wire::plain_log_least(record), scope_, ticks);
    if (!slot) [[unlikely]]
      return std::nullopt;
    const std::span<std::byte> room = slot.payload();
    const std::byte* const end =
        wire::write_plain_log(room.data(), room.data() + room.size(), record, limits_);
    if (end == nullptr) [[unlikely]]
      return std::nullopt;
    return std::move(slot).commit(static_cast<std::size_t>(end - room.data()));
  }

  template <Severity Level, FixedText Body, SiteKey... Keys, typename... Values>
  [[gnu::noinline]] bool emit_site(const LogSite<Level, Body, Keys...>& site, const TraceContext& trace,
                                   const std::tuple<const Values&...>& given) const noexcept {
    // Converted once: what is asked twice could give more the second time.
    const auto values = std::apply(
        [](const Values&... each) { return wire::SiteValues<Keys...>{AttributeValue(each)...}; }, given);
    const void* const frame = __builtin_frame_address(0);
    const Stamp now = stamp_of(clock_);
    constexpr const auto& kHead = wire::kLogHead<Level, Body, Keys...>;
    const std::size_t least = kHead.size() + wire::site_bound<Keys...>(values) + wire::kTraceBytes;
    if (wire::are_within<Keys...>(limits_)) [[likely]] {
      Slot slot = writer_.reserve_least(frame, RecordKind::kLog, least, scope_,
                                        {now.value, now.is_ticks ? kMaxTickFields : std::uint8_t{0}});
      if (slot) [[likely]] {
        std::byte* const begin = slot.payload().data();
        __builtin_memcpy(begin, kHead.data(), kHead.size());
        __builtin_memcpy(begin + 1, &now.value, sizeof(now.value));
        __builtin_memcpy(begin + 10, &now.value, sizeof(now.value));
        std::byte* const out = wire::write_site_attributes<wire::log_record::kAttributes, Keys...>(
            begin + kHead.size(), values, limits_.value_length);
        if (out != nullptr) [[likely]] {
          wire::ByteSink tail(out);
          wire::put_trace(tail, trace);
          return std::move(slot).commit(static_cast<std::size_t>(tail.position() - begin));
        }
        slot.abandon();
      }
    }
    const auto copied = values;  // what needs no address can stay in registers
    return emit_site_slowly(site, trace, copied, now, frame);
  }

  template <Severity Level, FixedText Body, SiteKey... Keys>
  [[gnu::noinline, gnu::cold]] bool emit_site_slowly(const LogSite<Level, Body, Keys...>&,
                                                     const TraceContext& trace,
                                                     const wire::SiteValues<Keys...>& values, Stamp now,
                                                     const void* frame) const noexcept {
    const auto attributes = wire::site_attributes<Keys...>(values);
    return commit({.severity = Level,
                   .body = Body.size() == 0 ? AttributeValue() : AttributeValue(Body.view()),
                   .attributes = attributes,
                   .time_unix_nano = now.value,
                   .observed_time_unix_nano = now.value,
                   .trace = trace},
                  now.is_ticks ? kMaxTickFields : std::uint8_t{0}, frame);
  }

  bool emit_record(const LogRecord& record, std::uint8_t ticks) const noexcept;

  /// With anything that a record can say, in two passes. `ticks`: how many of its times are ticks of the TSC (0 or 2). `frame`: of the
  /// caller that tried the short way before, so that what was left by longjmp is found.
  bool commit(const LogRecord& record, std::uint8_t ticks, const void* frame) const noexcept;

  mutable Writer writer_;  // a value without state of its own: the state is the thread's
  const std::atomic<std::uint32_t>* min_severity_;
  AttributeLimits limits_;
  ScopeId scope_;
  Clock clock_;  // kTsc: it can be used
};

}  // namespace shmring

#if defined(__GNUC__)
#pragma GCC visibility pop
#endif
