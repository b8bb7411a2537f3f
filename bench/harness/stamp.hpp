// SPDX-License-Identifier: Apache-2.0
// Time stamps around a single operation: the processor's own counter where there is one, else the monotonic clock.
#pragma once

#include <cstdint>
#include <ctime>

#if defined(__x86_64__)
#include <x86intrin.h>
#endif

namespace shmring::bench {

#if defined(__x86_64__)
/// Nothing of what follows begins before it, nothing of what was before it is still going on.
inline std::uint64_t stamp_before() noexcept {
  _mm_lfence();
  const std::uint64_t now = __rdtsc();
  _mm_lfence();
  return now;
}
inline std::uint64_t stamp_after() noexcept {
  unsigned processor = 0;
  const std::uint64_t now = __rdtscp(&processor);  // waits for what was before it
  _mm_lfence();
  return now;
}
#else
inline std::uint64_t stamp_before() noexcept {
  std::timespec now{};
  ::clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<std::uint64_t>(now.tv_sec) * 1'000'000'000U + static_cast<std::uint64_t>(now.tv_nsec);
}
inline std::uint64_t stamp_after() noexcept { return stamp_before(); }
#endif

/// How long a tick of the stamps is, in nanoseconds: measured against the monotonic clock since the program began.
double nanoseconds_per_tick() noexcept;

}  // namespace shmring::bench
