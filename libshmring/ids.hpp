// SPDX-License-Identifier: Apache-2.0
// Random numbers for trace and span ids: a counter, made random by a keyed mix.
#pragma once

#include <atomic>
#include <cstdint>
#include <cstring>

#include "shmring/ids.hpp"
#include "shmring/writer_state.hpp"

namespace shmring {

/// The calling thread's state, if it was seeded in this process and not in a parent of it.
inline WriterState* own_state() noexcept {
  WriterState* const state = this_thread_writers;
  if (state == nullptr) return nullptr;
  // relaxed: the kernel wipes it in a fork; nobody else changes it while this thread is registered
  const std::uint64_t generation = state->fork_page->generation.load(std::memory_order_relaxed);
  return state->process_generation == generation ? state : nullptr;
}

inline constexpr std::uint64_t kGolden = 0x9E3779B97F4A7C15U;

/// SplitMix64's finisher with a key in the middle. For one key it is a permutation: a thread never draws a
/// number twice. Threads have keys of their own, so two counters that meet do not run on side by side.
inline std::uint64_t mixed(std::uint64_t counter, std::uint64_t key) noexcept {
  counter = (counter ^ counter >> 30U) * 0xBF58476D1CE4E5B9U;
  counter ^= key;
  counter = (counter ^ counter >> 27U) * 0x94D049BB133111EBU;
  return counter ^ counter >> 31U;
}

/// Adds kGolden and gives what was there, in one step that no signal handler of this thread gets into: it does not draw the same number.
/// No other thread has the word, so the step need not be atomic between processors, which is what makes fetch_add dear.
inline std::uint64_t counted_on(std::uint64_t& word) noexcept {
#if defined(__x86_64__)
  std::uint64_t was = kGolden;
  asm volatile("xaddq %0, %1" : "+r"(was), "+m"(word) : : "cc");
  return was;
#else
  return std::atomic_ref(word).fetch_add(kGolden, std::memory_order_relaxed);  // relaxed: own thread only
#endif
}

std::uint64_t random_from_kernel() noexcept;

/// 64 random bits. From the calling thread's writer state, which is seeded anew in every thread and every
/// forked child, where it has one in this process; else from the kernel (a system call each time). No
/// thread-local state of its own. Thread-safe and async-signal-safe: a handler that interrupts it gets
/// another number. Not for secrets.
inline std::uint64_t random_u64() noexcept {
  WriterState* const state = own_state();
  if (state == nullptr) [[unlikely]]
    return random_from_kernel();
  return mixed(counted_on(state->random[0]), state->random[1]);
}

/// Never all zero.
inline SpanId random_span_id() noexcept {
  SpanId id;
  do {
    const std::uint64_t word = random_u64();
    std::memcpy(id.bytes.data(), &word, sizeof(word));
  } while (!id.is_valid());
  return id;
}
inline TraceId random_trace_id() noexcept {
  TraceId id;
  do {
    const std::uint64_t words[2] = {random_u64(), random_u64()};
    std::memcpy(id.bytes.data(), words, sizeof(words));
  } while (!id.is_valid());
  return id;
}

}  // namespace shmring
