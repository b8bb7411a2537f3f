// SPDX-License-Identifier: Apache-2.0
// Emitting log records: sized, encoded and committed in the caller's thread, straight into the ring.
#pragma once

#include <atomic>
#include <cassert>
#include <cstdint>
#include <ctime>
#include <utility>

#include "shmring/attribute.hpp"
#include "shmring/limits.hpp"
#include "shmring/log_encoder.hpp"
#include "shmring/ring.hpp"
#include "shmring/severity.hpp"
#include "shmring/writer.hpp"

#if defined(__GNUC__)
#pragma GCC visibility push(default)
#endif

namespace shmring {

/// Nanoseconds since 1970. Thread-safe and async-signal-safe.
inline std::uint64_t unix_time_ns() noexcept {
  std::timespec now{};
  ::clock_gettime(CLOCK_REALTIME, &now);
  return static_cast<std::uint64_t>(now.tv_sec) * 1'000'000'000U + static_cast<std::uint64_t>(now.tv_nsec);
}

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
    if (!enabled(severity)) return false;
    const std::uint64_t now = unix_time_ns();
    return commit({.severity = severity,
                   .body = body,
                   .attributes = attributes,
                   .time_unix_nano = now,
                   .observed_time_unix_nano = now,
                   .trace = trace});
  }

  /// A record with anything that the log data model has. Times left at 0 become the time of this call.
  bool emit(const LogRecord& record) const noexcept {
    if (!enabled(record.severity)) return false;
    LogRecord stamped = record;
    if (record.time_unix_nano == 0 || record.observed_time_unix_nano == 0) {
      const std::uint64_t now = unix_time_ns();
      if (record.time_unix_nano == 0) stamped.time_unix_nano = now;
      if (record.observed_time_unix_nano == 0) stamped.observed_time_unix_nano = now;
    }
    return commit(stamped);
  }

 private:
  friend class Ring;
  static constexpr std::uint32_t kNothingPasses = kUnlimited;
  static const std::atomic<std::uint32_t> nothing_passes;

  Logger(Writer writer, ScopeId scope, const std::atomic<std::uint32_t>* min_severity,
         AttributeLimits limits) noexcept
      : writer_(writer), min_severity_(min_severity), limits_(limits), scope_(scope) {}

  /// Not inlined, so that a call of emit() is small: one copy of the encoder serves all of them.
  [[gnu::noinline]] bool commit(const LogRecord& record) const noexcept {
    if (!wire::can_take_all(record.attributes, limits_.count)) [[unlikely]]
      return commit_selected(record);
    return commit(record, wire::take_all(record.attributes));
  }

  [[gnu::always_inline]] bool commit(const LogRecord& record,
                                     const wire::SelectedAttributes& attributes) const noexcept {
    wire::SizeSink size;
    wire::put_log(size, record, attributes, limits_.value_length);
    Slot slot =
        writer_.try_reserve_in_frame(__builtin_frame_address(0), RecordKind::kLog, size.size(), scope_);
    if (!slot) [[unlikely]]
      return false;
    wire::ByteSink sink(slot.payload().data());
    wire::put_log(sink, record, attributes, limits_.value_length);
    assert(sink.position() == slot.payload().data() + size.size());
    return std::move(slot).commit();
  }

  /// With double keys, empty keys, or more attributes than the limit.
  bool commit_selected(const LogRecord& record) const noexcept;

  mutable Writer writer_;  // a value without state of its own: the state is the thread's
  const std::atomic<std::uint32_t>* min_severity_;
  AttributeLimits limits_;
  ScopeId scope_;
};

}  // namespace shmring

#if defined(__GNUC__)
#pragma GCC visibility pop
#endif
