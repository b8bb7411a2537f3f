// SPDX-License-Identifier: Apache-2.0
// shmring-bench: Google Benchmark's options; exit code 1 when a record was dropped or lost anywhere.
#include <benchmark/benchmark.h>

#include <cstdio>
#include <string>

#include "bench/batches.hpp"
#include "bench/benchmarks.hpp"
#include "shmring/version.hpp"

namespace shmring::bench {

BatchMeeting& batch_meeting() noexcept {
  static BatchMeeting meeting;
  return meeting;
}

std::atomic<bool>& any_failure() noexcept {
  static std::atomic<bool> failure = false;
  return failure;
}

void fail(benchmark::State& state, const char* reason) {
  any_failure() = true;
  state.SkipWithError(reason);
}

namespace {

int complain(const std::string& message) {
  std::fprintf(stderr, "shmring-bench: %s\n", message.c_str());
  return 1;
}

int run() {
  auto ring = BenchRing::create();
  if (!ring) return complain(ring.error().message);
  FetchAddRing fetch_add;
  if (!fetch_add.is_mapped()) return complain("no memory for the ring to compare with");
  pin_to_core(0);
  if (!(*ring)->warm_up()) return complain("records were lost while the ring was warmed up");
  const SampleRecords samples;
  const Subjects subjects{.ring = **ring, .fetch_add = fetch_add, .samples = samples};
  register_producer_benchmarks(subjects);
  register_drain_benchmarks(subjects);
  register_floor_benchmarks(subjects);
  benchmark::RunSpecifiedBenchmarks();
  benchmark::ClearRegisteredBenchmarks();
  return any_failure() ? 1 : 0;
}

}  // namespace
}  // namespace shmring::bench

int main(int argc, char** argv) {
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 2;
  benchmark::AddCustomContext("shmring_version", shmring::kVersion);
  benchmark::AddCustomContext("shmring_build_type", SHMRING_BENCH_BUILD_TYPE);
  benchmark::AddCustomContext("compiler", SHMRING_BENCH_COMPILER);
  return shmring::bench::run();
}
