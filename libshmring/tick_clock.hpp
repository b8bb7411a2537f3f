// SPDX-License-Identifier: Apache-2.0
// The time stamp counter as a clock: whether it can be relied on, how fast it runs, and what its ticks mean in nanoseconds since 1970.
//
// The rate is measured over windows of a second or more, against CLOCK_MONOTONIC, which the kernel steers as it does the wall clock and
// nobody sets. Until the first window is over, an anchor holds no longer than the rate was measured, so that the error of a time is
// never larger than that of a reading of the two clocks one behind the other (some dozen nanoseconds).
#pragma once

#include <cstdint>
#include <optional>

#include "shmring/clock.hpp"
#include "shmring/layout.hpp"
#include "shmring/writer.hpp"

namespace shmring {

/// The clock itself, but kRealtime for a kTsc that is not invariant, as the processor says, or that the kernel has found unstable. Asks
/// the kernel; not async-signal-safe.
Clock usable(Clock clock);

/// One moment by three clocks.
struct ClockReading {
  std::uint64_t ticks = 0;
  std::uint64_t monotonic_ns = 0;
  std::uint64_t unix_ns = 0;
};

/// Pure: the anchor for this reading. nullopt: too soon after the calibration (which may just have been begun anew, because a clock
/// jumped) to know the rate: read again.
std::optional<TickAnchor> anchor_at(const ClockReading& now, Calibration& calibration) noexcept;

/// The present moment. Async-signal-safe; takes up to some ten microseconds the first time.
TickAnchor anchor_now(Calibration& calibration) noexcept;

/// The beginning of a calibration. Async-signal-safe.
Calibration calibration_now() noexcept;

}  // namespace shmring
