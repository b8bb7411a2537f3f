// SPDX-License-Identifier: Apache-2.0
// When to drain: absolute deadlines on the monotonic clock, so that neither work nor the wall clock moves them.
#pragma once

#include <chrono>
#include <cstdint>

namespace shmring::flusher {

using Clock = std::chrono::steady_clock;  // CLOCK_MONOTONIC
using TimePoint = Clock::time_point;

/// Ticks at start + n * interval, n = 1, 2, ... Knows no clock: whoever asks says what time it is, tests included.
class Schedule {
 public:
  Schedule(TimePoint start, Clock::duration interval) : interval_(interval), next_(start + interval) {}

  /// The next tick.
  TimePoint deadline() const noexcept { return next_; }

  /// Whether a tick is due. Ticks whose time has passed unused become one, and are counted as missed; the next one lies
  /// on the grid of the first.
  bool is_due(TimePoint now) noexcept {
    if (now < next_) return false;
    const auto passed = (now - next_) / interval_;
    missed_ += static_cast<std::uint64_t>(passed);
    next_ += interval_ * (passed + 1);
    return true;
  }

  std::uint64_t missed() const noexcept { return missed_; }

 private:
  Clock::duration interval_;
  TimePoint next_;
  std::uint64_t missed_ = 0;
};

}  // namespace shmring::flusher
