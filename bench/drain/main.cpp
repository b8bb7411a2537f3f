// SPDX-License-Identifier: Apache-2.0
// shmring-drain-bench: Google Benchmark's options; exit code 1 when a record was dropped or lost anywhere.
#include <benchmark/benchmark.h>

#include <cstdio>

#include "bench/drain/rows.hpp"
#include "shmring/version.hpp"

namespace shmring::bench {
namespace {

bool failed = false;

}  // namespace

bool has_failed() noexcept { return failed; }

void fail_row(const char* reason) noexcept {
  failed = true;
  std::fprintf(stderr, "shmring-drain-bench: %s\n", reason);
}

}  // namespace shmring::bench

int main(int argc, char** argv) {
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 2;
  benchmark::AddCustomContext("shmring_version", shmring::kVersion);
  benchmark::AddCustomContext("shmring_build_type", SHMRING_BENCH_BUILD_TYPE);
  benchmark::AddCustomContext("compiler", SHMRING_BENCH_COMPILER);
  shmring::bench::register_pipeline_rows();
  shmring::bench::register_tick_rows();
  benchmark::RunSpecifiedBenchmarks();
  return shmring::bench::has_failed() ? 1 : 0;
}
