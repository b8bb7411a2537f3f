// SPDX-License-Identifier: Apache-2.0
// From ring to finished, validated request body, acknowledged: whether a record costs the same however many there are,
// whoever wrote them. The ring is filled outside of the time; one thread drains.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <chrono>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "bench/drain/accepting_pipeline.hpp"
#include "bench/drain/rows.hpp"
#include "bench/drain/thread_clock.hpp"
#include "bench/drain/writers.hpp"
#include "bench/sample_records.hpp"

namespace shmring::bench {
namespace {

using Clock = ThreadClock;  // per second and core: nobody waits here

constexpr std::uint64_t kDefaultRing = 32U << 20U;
constexpr std::uint64_t kRound =
    32'000;  // records, where their number is not the matter; fits the default ring

/// Fills, drains in time, and checks, again and again.
template <typename Fill>
void measure(benchmark::State& state, BenchRing& ring, std::uint64_t records, const Fill& fill) {
  AcceptingPipeline pipeline(ring);
  double nanoseconds = 0;
  // The first rounds touch pages and grow buffers.
  bool is_fine = fill() && pipeline.run() == records && fill() && pipeline.run() == records;
  for (auto _ : state) {
    is_fine = is_fine && fill();
    const auto begin = Clock::now();
    const std::uint64_t acknowledged = pipeline.run();
    const std::chrono::duration<double> seconds = Clock::now() - begin;
    state.SetIterationTime(seconds.count());
    nanoseconds += seconds.count() * 1e9;
    is_fine = is_fine && acknowledged == records;
  }
  const auto all = static_cast<double>(state.iterations()) * static_cast<double>(records);
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(records));
  state.counters["ns"] = nanoseconds / all;
  state.counters["request_bytes"] =
      static_cast<double>(pipeline.exporter().bytes()) / static_cast<double>(pipeline.exporter().records());
  const auto complaint = ring.complaint();
  if (is_fine && !complaint) return;
  fail_row(complaint ? complaint->c_str() : "records were dropped or lost");
  state.SkipWithError("records were dropped or lost");
}

/// Each row has a ring of its own, so that none finds the blocks that another one's writers have left, and keeps it for all
/// repetitions, since what was mapped stays mapped until the process ends.
BenchRing* ring_of(benchmark::State& state, const std::string& row, std::uint64_t bytes) {
  static std::map<std::string, std::unique_ptr<BenchRing>> rings;
  std::unique_ptr<BenchRing>& ring = rings[row + "/" + std::to_string(state.range(0))];
  if (ring) return ring.get();
  auto made = BenchRing::create({.capacity_bytes = bytes});
  if (made && (*made)->warm_up()) return (ring = *std::move(made)).get();
  fail_row(made ? "records were lost while the ring was warmed up" : made.error().message.c_str());
  state.SkipWithError("no ring could be made");
  return nullptr;
}

/// One thread's records, the ring as large as they need.
void by_records(benchmark::State& state) {
  const auto records = static_cast<std::uint64_t>(state.range(0));
  BenchRing* const ring = ring_of(state, "records", std::max<std::uint64_t>(kDefaultRing, records * 256));
  if (ring == nullptr) return;
  const SampleRecords samples;
  const Logger log = ring->ring().logger("shop.orders", "1.4.0");
  measure(state, *ring, records, [&] {
    bool is_fine = true;
    for (std::uint64_t i = 0; i < records; ++i) is_fine &= samples.emit_log(log, i);
    return is_fine;
  });
}

enum class Owners : std::uint8_t { kLive, kDead };

void by_writers(benchmark::State& state, Owners owners) {
  const auto writers = static_cast<std::size_t>(state.range(0));
  BenchRing* const ring = ring_of(state, owners == Owners::kLive ? "live" : "dead", kDefaultRing);
  if (ring == nullptr) return;
  const SampleRecords samples;
  const Logger log = ring->ring().logger("shop.orders", "1.4.0");
  const Share share = [&samples, &log, each = kRound / writers](std::size_t) {
    bool is_fine = true;
    for (std::uint64_t i = 0; i < each; ++i) is_fine &= samples.emit_log(log, i);
    return is_fine;
  };
  if (owners == Owners::kLive) {
    LiveWriters threads(writers, share);
    return measure(state, *ring, kRound, [&threads] { return threads.round(); });
  }
  measure(state, *ring, kRound, [&] { return round_of_children(writers, share); });
}

/// Each record of another scope than the one before.
void by_scopes(benchmark::State& state) {
  BenchRing* const ring = ring_of(state, "scopes", kDefaultRing);
  if (ring == nullptr) return;
  const SampleRecords samples;
  std::vector<Logger> logs;
  for (std::int64_t i = 0; i < state.range(0); ++i)
    logs.push_back(ring->ring().logger("shop.orders." + std::to_string(i), "1.4.0"));
  measure(state, *ring, kRound, [&] {
    bool is_fine = true;
    for (std::uint64_t i = 0; i < kRound; ++i) is_fine &= samples.emit_log(logs[i % logs.size()], i);
    return is_fine;
  });
}

/// Records that are hardly more than a body of that many bytes.
void by_body(benchmark::State& state) {
  BenchRing* const ring = ring_of(state, "body", std::max<std::uint64_t>(kDefaultRing, kRound * 4096));
  if (ring == nullptr) return;
  const Logger log = ring->ring().logger("shop.orders", "1.4.0");
  const std::string body(static_cast<std::size_t>(state.range(0)), 'b');
  measure(state, *ring, kRound, [&] {
    bool is_fine = true;
    for (std::uint64_t i = 0; i < kRound; ++i) is_fine &= log.emit(Severity::kInfo, body);
    return is_fine;
  });
}

}  // namespace

void register_pipeline_rows() {
  const auto add = [](const char* name, auto function, std::vector<std::int64_t> arguments) {
    auto* const row = benchmark::RegisterBenchmark(name, function);
    for (const std::int64_t argument : arguments) row->Arg(argument);
    row->UseManualTime()->Unit(benchmark::kMicrosecond);
  };
  add("pipeline/records", by_records, {1'000, 10'000, 100'000, 1'000'000});
  add("pipeline/live_writers", [](benchmark::State& state) { by_writers(state, Owners::kLive); },
      {1, 10, 100, 1000});
  add("pipeline/dead_writers", [](benchmark::State& state) { by_writers(state, Owners::kDead); },
      {1, 10, 100, 1000});
  add("pipeline/scopes", by_scopes, {1, 100});
  add("pipeline/body_bytes", by_body, {16, 2048});
}

}  // namespace shmring::bench
