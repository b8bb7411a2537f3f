// SPDX-License-Identifier: Apache-2.0
// Stamps: the cheapest clock that there is, the same in every process of the machine, and what its ticks mean.
#pragma once

#include <cstdint>
#if defined(__x86_64__)
#include <x86intrin.h>
#else
#include <time.h>
#endif

namespace shmring::bench {

inline std::uint64_t ticks_now() noexcept {
#if defined(__x86_64__)
  return __rdtsc();
#else
  timespec now{};
  ::clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<std::uint64_t>(now.tv_sec) * 1'000'000'000U + static_cast<std::uint64_t>(now.tv_nsec);
#endif
}

/// Measured once against CLOCK_MONOTONIC, in some 20 ms. REQUIRES: first called before any fork.
double ns_per_tick() noexcept;

inline double ns_between(std::uint64_t begin, std::uint64_t end) noexcept {
  return end < begin ? 0 : static_cast<double>(end - begin) * ns_per_tick();
}

}  // namespace shmring::bench
