// SPDX-License-Identifier: Apache-2.0
// Random numbers for trace and span ids: a counter, made random by a keyed mix.

#include "libshmring/ids.hpp"

#include <sys/random.h>
#include <unistd.h>

#include <atomic>
#include <cstring>
#include <ctime>

#include "shmring/writer.hpp"

namespace shmring {
namespace {

constexpr std::uint64_t kGolden = 0x9E3779B97F4A7C15U;

// SplitMix64's finisher with a key in the middle. For one key it is a permutation: a thread never draws a
// number twice. Threads have keys of their own, so two counters that meet do not run on side by side.
std::uint64_t mixed(std::uint64_t counter, std::uint64_t key) noexcept {
  counter = (counter ^ counter >> 30U) * 0xBF58476D1CE4E5B9U;
  counter ^= key;
  counter = (counter ^ counter >> 27U) * 0x94D049BB133111EBU;
  return counter ^ counter >> 31U;
}

// Adds kGolden and gives what was there, in one step that no signal handler of this thread gets into: it does not draw the same number.
// No other thread has the word, so the step need not be atomic between processors, which is what makes fetch_add dear.
std::uint64_t counted_on(std::uint64_t& word) noexcept {
#if defined(__x86_64__)
  std::uint64_t was = kGolden;
  asm volatile("xaddq %0, %1" : "+r"(was), "+m"(word) : : "cc");
  return was;
#else
  return std::atomic_ref(word).fetch_add(kGolden, std::memory_order_relaxed);  // relaxed: own thread only
#endif
}

// The calling thread's state, if it was seeded in this process and not in a parent of it.
WriterState* own_state() noexcept {
  WriterState* const state = this_thread_writers;
  if (state == nullptr) return nullptr;
  // relaxed: the kernel wipes it in a fork; nobody else changes it while this thread is registered
  const std::uint64_t generation = state->fork_page->generation.load(std::memory_order_relaxed);
  return state->process_generation == generation ? state : nullptr;
}

std::uint64_t from_kernel() noexcept {
  std::uint64_t word = 0;
  if (::getrandom(&word, sizeof(word), GRND_NONBLOCK) == static_cast<ssize_t>(sizeof(word))) return word;
  // Before the kernel's pool is ready, or under a filter that forbids the call: unlikely to meet another
  // process's number.
  std::timespec now{};
  ::clock_gettime(CLOCK_MONOTONIC, &now);
  const auto time = static_cast<std::uint64_t>(now.tv_sec) << 30U ^ static_cast<std::uint64_t>(now.tv_nsec);
  return mixed(time * kGolden,
               static_cast<std::uint64_t>(::getpid()) << 32U ^ reinterpret_cast<std::uintptr_t>(&word));
}

}  // namespace

std::uint64_t random_u64() noexcept {
  WriterState* const state = own_state();
  if (state == nullptr) return from_kernel();
  return mixed(counted_on(state->random[0]), state->random[1]);
}

SpanId random_span_id() noexcept {
  SpanId id;
  do {
    const std::uint64_t word = random_u64();
    std::memcpy(id.bytes.data(), &word, sizeof(word));
  } while (!id.is_valid());
  return id;
}

TraceId random_trace_id() noexcept {
  TraceId id;
  do {
    const std::uint64_t words[2] = {random_u64(), random_u64()};
    std::memcpy(id.bytes.data(), words, sizeof(words));
  } while (!id.is_valid());
  return id;
}

}  // namespace shmring
