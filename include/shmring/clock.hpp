// SPDX-License-Identifier: Apache-2.0
// What stamps a record: the wall clock, or the processor's time stamp counter, which whoever reads the ring converts.
#pragma once

#include <cstdint>
#include <ctime>

#if defined(__GNUC__)
#pragma GCC visibility push(default)
#endif

namespace shmring {

/// Where the times of records come from whose program gives none.
enum class Clock : std::uint8_t {
  kRealtime,  // clock_gettime(CLOCK_REALTIME): some 20 ns a look
  kCoarse,  // CLOCK_REALTIME_COARSE: as exact as the kernel's tick, some milliseconds; some 5 ns a look. For log records only.
  kTsc,  // the time stamp counter, x86-64 with an invariant one only: some 10 ns a look. Within a microsecond of the wall clock
         // while nobody sets that; a step of the wall clock shows up to a second later. A span's start
         // is off by its age times the error of the rate: some 0.2 ms for an hour.
};

/// Nanoseconds since 1970. Thread-safe and async-signal-safe.
inline std::uint64_t unix_time_ns(clockid_t clock = CLOCK_REALTIME) noexcept {
  std::timespec now{};
  ::clock_gettime(clock, &now);
  return static_cast<std::uint64_t>(now.tv_sec) * 1'000'000'000U + static_cast<std::uint64_t>(now.tv_nsec);
}

/// The time stamp counter; 0 where there is none. Not ordered with the loads and stores around it: a record's time may be off by some
/// dozen nanoseconds. Thread-safe and async-signal-safe.
inline std::uint64_t read_tsc() noexcept {
#if defined(__x86_64__)
  return __builtin_ia32_rdtsc();
#else
  return 0;
#endif
}

/// What a record is stamped with: nanoseconds since 1970, or ticks.
struct Stamp {
  std::uint64_t value = 0;
  bool is_ticks = false;
};

/// REQUIRES: kTsc only where Ring::clock() says so. Thread-safe and async-signal-safe.
[[gnu::always_inline]] inline Stamp stamp_of(Clock clock) noexcept {
  if (clock == Clock::kRealtime) [[likely]]
    return {unix_time_ns(), false};
  if (clock == Clock::kTsc) return {read_tsc(), true};
  return {unix_time_ns(CLOCK_REALTIME_COARSE), false};
}

}  // namespace shmring

#if defined(__GNUC__)
#pragma GCC visibility pop
#endif
