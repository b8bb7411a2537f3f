// SPDX-License-Identifier: Apache-2.0
// How everything here is measured: in batches. Each thread takes the time of its own batch; between two batches, and
// outside of the time, one thread takes everything out again and counts it. What was not found fails the benchmark.
//
//   all threads meet -> each runs its batch, timed -> all meet -> thread 0 empties and counts -> again
//
// "ns" is a thread's time for its batch, divided by the records in it, averaged over the threads: what a record costs the
// program that emits it, however many others do the same.
#pragma once

#include <benchmark/benchmark.h>

#include <atomic>
#include <chrono>
#include <cstdint>

#include "bench/rendezvous.hpp"

namespace shmring::bench {

/// Small enough that two threads' batches of the largest records leave the ring half empty: nobody wakes a flusher, nobody
/// is dropped. Large enough that the clock and the barrier do not matter.
inline constexpr std::uint64_t kBatch = 32'768;

/// Of all threads of one run; benchmarks run one after the other.
struct BatchMeeting {
  SpinBarrier barrier;
  std::atomic<std::uint64_t> committed = 0;
  std::atomic<bool> failed = false;
};
BatchMeeting& batch_meeting() noexcept;

/// Some benchmark of this process has failed.
std::atomic<bool>& any_failure() noexcept;
void fail(benchmark::State& state, const char* reason);

/// `operation(i)`: one record, true if it was committed. `take_out(committed)`: what was there.
template <typename Operation, typename TakeOut>
void measure_batches(benchmark::State& state, const Operation& operation, const TakeOut& take_out) {
  using Clock = std::chrono::steady_clock;
  BatchMeeting& meeting = batch_meeting();
  const int threads = state.threads();
  pin_to_core(state.thread_index());
  if (state.thread_index() == 0) meeting.failed = false;
  double nanoseconds = 0;
  for (auto _ : state) {
    meeting.barrier.arrive_and_wait(threads);
    std::uint64_t committed = 0;
    const auto begin = Clock::now();
    for (std::uint64_t i = 0; i < kBatch; ++i) committed += operation(i) ? 1 : 0;
    const std::chrono::duration<double> seconds = Clock::now() - begin;
    state.SetIterationTime(seconds.count());
    nanoseconds += seconds.count() * 1e9;
    meeting.committed += committed;
    meeting.barrier.arrive_and_wait(threads);
    if (state.thread_index() != 0) continue;
    const std::uint64_t all = meeting.committed.exchange(0);
    if (all != kBatch * static_cast<std::uint64_t>(threads) || take_out(all) != all) meeting.failed = true;
  }
  const double records = static_cast<double>(state.iterations()) * static_cast<double>(kBatch);
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(kBatch));
  state.counters["ns"] = benchmark::Counter(nanoseconds / records, benchmark::Counter::kAvgThreads);
  if (state.thread_index() == 0 && meeting.failed) fail(state, "records were dropped or lost");
}

/// What writes no records.
template <typename Operation>
void measure_batches(benchmark::State& state, const Operation& operation) {
  measure_batches(
      state, [&](std::uint64_t i) { return operation(i), true; },
      [](std::uint64_t committed) { return committed; });
}

}  // namespace shmring::bench
