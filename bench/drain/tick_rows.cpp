// SPDX-License-Identifier: Apache-2.0
// What the flusher's tick costs while nothing happens, and while each of many writers has written one record.
#include <benchmark/benchmark.h>

#include <chrono>
#include <map>
#include <memory>
#include <optional>
#include <utility>

#include "bench/drain/accepting_pipeline.hpp"
#include "bench/drain/rows.hpp"
#include "bench/drain/system_calls.hpp"
#include "bench/drain/thread_clock.hpp"
#include "bench/drain/writers.hpp"
#include "bench/sample_records.hpp"

namespace shmring::bench {
namespace {

using Clock = ThreadClock;  // per second and core: nobody waits here

constexpr std::uint32_t kTraced =
    64;  // ticks: in as many, every writer slot of the default ring is looked at

/// A ring and threads that hold a block each; kept for all repetitions, since a mapping stays until the process ends.
struct Scene {
  std::unique_ptr<BenchRing> ring;
  std::unique_ptr<SampleRecords> samples = std::make_unique<SampleRecords>();
  std::unique_ptr<LiveWriters> writers;
};

Scene* scene_of(std::uint64_t ring_mib, std::size_t writers) {
  static std::map<std::pair<std::uint64_t, std::size_t>, Scene> scenes;
  Scene& scene = scenes[{ring_mib, writers}];
  if (scene.ring) return &scene;
  auto ring = BenchRing::create({.capacity_bytes = ring_mib << 20U});
  if (!ring) return nullptr;
  scene.ring = *std::move(ring);
  const Logger log = scene.ring->ring().logger("shop.orders", "1.4.0");
  scene.writers = std::make_unique<LiveWriters>(
      writers, [log, samples = scene.samples.get()](std::size_t i) { return samples->emit_log(log, i); });
  return &scene;
}

/// Arguments: the ring in MiB, and threads that hold a block each and do nothing.
void idle_tick(benchmark::State& state) {
  const auto writers = static_cast<std::size_t>(state.range(1));
  Scene* const scene = scene_of(static_cast<std::uint64_t>(state.range(0)), writers);
  if (scene == nullptr) return state.SkipWithError("no ring could be made");
  AcceptingPipeline pipeline(*scene->ring);
  bool is_fine = scene->writers->round() && pipeline.run() == writers && pipeline.tick();
  for (auto _ : state) {
    const auto begin = Clock::now();
    is_fine = pipeline.tick() && is_fine;
    state.SetIterationTime(std::chrono::duration<double>(Clock::now() - begin).count());
  }
  if (const auto calls = system_calls_of(kTraced, [&pipeline] { pipeline.tick(); }))
    state.counters["system_calls"] = static_cast<double>(*calls) / kTraced;
  if (is_fine) return;
  fail_row("an idle tick found records, or something against the ring");
  state.SkipWithError("not idle");
}

/// One record of each writer from tick to tick; their blocks fill up slowly.
void trickle(benchmark::State& state) {
  const auto writers = static_cast<std::size_t>(state.range(0));
  Scene* const scene = scene_of(32, writers);
  if (scene == nullptr) return state.SkipWithError("no ring could be made");
  AcceptingPipeline pipeline(*scene->ring);
  bool is_fine = scene->writers->round() && pipeline.run() == writers;
  double nanoseconds = 0;
  for (auto _ : state) {
    is_fine = scene->writers->round() && is_fine;
    const auto begin = Clock::now();
    is_fine = pipeline.run() == writers && is_fine;
    const std::chrono::duration<double> seconds = Clock::now() - begin;
    state.SetIterationTime(seconds.count());
    nanoseconds += seconds.count() * 1e9;
  }
  state.counters["ns"] =
      nanoseconds / (static_cast<double>(state.iterations()) * static_cast<double>(writers));
  if (is_fine) return;
  fail_row("records were dropped or lost");
  state.SkipWithError("records were dropped or lost");
}

}  // namespace

void register_tick_rows() {
  benchmark::RegisterBenchmark("tick/idle", idle_tick)
      ->ArgNames({"ring_mib", "live_writers"})
      ->Args({32, 0})
      ->Args({32, 10})
      ->Args({32, 1000})
      ->Args({1024, 0})
      ->Args({1024, 1000})
      ->UseManualTime()
      ->Unit(benchmark::kMicrosecond);
  benchmark::RegisterBenchmark("tick/one_record_each", trickle)
      ->Arg(10)
      ->Arg(1000)
      ->Iterations(128)  // the blocks are filled twice or so
      ->UseManualTime()
      ->Unit(benchmark::kMicrosecond);
}

}  // namespace shmring::bench
