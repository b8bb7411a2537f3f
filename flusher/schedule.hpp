// SPDX-License-Identifier: Apache-2.0
// When to drain: absolute deadlines on the monotonic clock, so that neither work nor the wall clock moves them.
#pragma once

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>

#include "shmring/signal.hpp"

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

using SignalSet = std::array<bool, kSignalCount>;
inline constexpr SignalSet kAllSignals{true, true, true};

/// One for each signal, all from the same start: equal intervals tick together.
class Schedules {
 public:
  Schedules(TimePoint start, const std::array<Clock::duration, kSignalCount>& intervals)
      : each_{Schedule(start, intervals[0]), Schedule(start, intervals[1]), Schedule(start, intervals[2])} {}

  TimePoint deadline() const noexcept {
    return std::min({each_[0].deadline(), each_[1].deadline(), each_[2].deadline()});
  }
  SignalSet due(TimePoint now) noexcept {
    return {each_[0].is_due(now), each_[1].is_due(now), each_[2].is_due(now)};
  }
  /// Of the one that missed most: a late wake-up counts once.
  std::uint64_t missed() const noexcept {
    return std::max({each_[0].missed(), each_[1].missed(), each_[2].missed()});
  }

 private:
  std::array<Schedule, kSignalCount> each_;
};

}  // namespace shmring::flusher
