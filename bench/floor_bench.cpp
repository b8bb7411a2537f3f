// SPDX-License-Identifier: Apache-2.0
// What the machine itself costs, in the same run: nobody's numbers say much without these.
#include <benchmark/benchmark.h>

#include <array>
#include <atomic>
#include <cstring>

#include "bench/batches.hpp"
#include "bench/benchmarks.hpp"
#include "bench/shared_memory.hpp"
#include "shmring/logger.hpp"

namespace shmring::bench {
namespace {

void clock_realtime(benchmark::State& state, const Subjects&) {
  measure_batches(state, [](std::uint64_t) { benchmark::DoNotOptimize(unix_time_ns()); });
}

void lock_xadd(benchmark::State& state, const Subjects&) {
  alignas(64) std::atomic<std::uint64_t> word = 0;
  measure_batches(state, [&](std::uint64_t) {
    benchmark::DoNotOptimize(word.fetch_add(1, std::memory_order_relaxed));  // relaxed: alone
  });
}

void copy_to_cache(benchmark::State& state, const Subjects&) {
  alignas(64) std::array<std::byte, kPayloadBytes> from{};
  alignas(64) std::array<std::byte, kPayloadBytes> to{};
  measure_batches(state, [&](std::uint64_t) {
    benchmark::DoNotOptimize(from.data());
    std::memcpy(to.data(), from.data(), kPayloadBytes);
    benchmark::DoNotOptimize(to.data());
    benchmark::ClobberMemory();
  });
}

/// Walks through as much memory as the ring has, so that it finds no more of it in the cache than the ring does.
void copy_to_memory(benchmark::State& state, const Subjects&) {
  constexpr std::size_t kStride = 208;
  constexpr std::size_t kBytes = (32U << 20U) / kStride * kStride;
  static const SharedMemory memory(kBytes);  // made once: the pages of each run are the same
  if (memory.data() == nullptr) return fail(state, "no memory to copy to");
  std::array<std::byte, kPayloadBytes> from{};
  std::size_t at = 0;
  measure_batches(state, [&](std::uint64_t) {
    benchmark::DoNotOptimize(from.data());
    std::memcpy(memory.data() + at, from.data(), kPayloadBytes);
    at = at + kStride == kBytes ? 0 : at + kStride;
    benchmark::ClobberMemory();
  });
}

void fetch_add_ring(benchmark::State& state, const Subjects& subjects) {
  std::array<std::byte, kPayloadBytes> payload;
  payload.fill(std::byte{0x2A});
  FetchAddRing& ring = subjects.fetch_add;
  measure_batches(
      state,
      [&](std::uint64_t) {
        benchmark::DoNotOptimize(payload.data());
        return ring.push(payload.data());
      },
      [&](std::uint64_t) { return ring.take_all(); });
}

}  // namespace

void register_floor_benchmarks(const Subjects& subjects) {
  const auto add = [&](const char* name, auto function, const char* label, int threads = 1) {
    benchmark::RegisterBenchmark(name,
                                 [subjects, function, label](benchmark::State& state) {
                                   state.SetLabel(label);
                                   function(state, subjects);
                                 })
        ->UseManualTime()
        ->Threads(threads)
        ->Unit(benchmark::kMicrosecond);
  };
  add("clock_gettime", clock_realtime, "`clock_gettime(CLOCK_REALTIME)`");
  add("lock_xadd", lock_xadd, "`lock xadd` on a line of one's own");
  add("memcpy_cache", copy_to_cache, "`memcpy` of 200 bytes, in the cache");
  add("memcpy_memory", copy_to_memory, "`memcpy` of 200 bytes, through 32 MiB");
  add("fetch_add_ring", fetch_add_ring, "bare fetch-add ring, 200 bytes");
  if (core_count() < 2) return;  // two threads on one core measure the scheduler
  add("fetch_add_ring", fetch_add_ring, "bare fetch-add ring, 200 bytes, two threads at once", 2);
}

}  // namespace shmring::bench
