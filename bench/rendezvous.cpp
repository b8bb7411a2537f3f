// SPDX-License-Identifier: Apache-2.0
// Barrier and cores.
#include "bench/rendezvous.hpp"

#include <sched.h>

namespace shmring::bench {
namespace {

cpu_set_t cores_at_start() noexcept {
  cpu_set_t cores;
  CPU_ZERO(&cores);
  ::sched_getaffinity(0, sizeof(cores), &cores);
  return cores;
}

// Threads inherit the binding of the one that made them, so it has to be read before anybody is bound.
const cpu_set_t kCores = cores_at_start();

/// Tells the processor that this thread only waits.
inline void pause_processor() noexcept {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  asm volatile("yield");
#endif
}

}  // namespace

void SpinBarrier::arrive_and_wait(int threads) noexcept {
  constexpr int kSpinsBeforeYield = 10'000;  // a waiter must not keep the core from the one it waits for
  const std::uint32_t phase = phase_.load(std::memory_order_acquire);
  if (arrived_.fetch_add(1, std::memory_order_acq_rel) + 1 == threads) {
    arrived_.store(0, std::memory_order_relaxed);  // relaxed: published by the next store
    phase_.store(phase + 1, std::memory_order_release);
    return;
  }
  for (int spins = 0; phase_.load(std::memory_order_acquire) == phase; ++spins) {
    if (spins < kSpinsBeforeYield)
      pause_processor();
    else
      ::sched_yield();
  }
}

int core_count() noexcept { return CPU_COUNT(&kCores); }

void pin_to_core(int index) noexcept {
  for (int core = 0, seen = 0; core < CPU_SETSIZE; ++core) {
    if (!CPU_ISSET(core, &kCores) || seen++ != index) continue;
    cpu_set_t one;
    CPU_ZERO(&one);
    CPU_SET(core, &one);
    ::sched_setaffinity(0, sizeof(one), &one);
    return;
  }
}

}  // namespace shmring::bench
