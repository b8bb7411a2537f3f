// SPDX-License-Identifier: Apache-2.0
// What the flusher does with a record before it is sent and after it was accepted.
#include <benchmark/benchmark.h>

#include <chrono>
#include <limits>
#include <string>
#include <vector>

#include "bench/batches.hpp"
#include "bench/benchmarks.hpp"
#include "libshmring/otlp/request.hpp"
#include "libshmring/otlp/validate.hpp"

namespace shmring::bench {
namespace {

constexpr std::size_t kRequestBytes = 3584U << 10U;  // gRPC servers refuse 4 MiB

/// Drain to acknowledgement, with a destination that accepts everything at once. Kept from pass to pass, as the flusher
/// keeps its buffers.
class FlushPass {
 public:
  FlushPass(Reader& reader, std::size_t records_per_request)
      : reader_(reader), records_per_request_(records_per_request) {}

  /// Records that are in a finished request and acknowledged.
  std::uint64_t run() {
    keys_.clear();
    encoded_ = 0;
    reader_.drain(std::numeric_limits<std::uint64_t>::max(),
                  [this](Slice&& slice) { return take(slice), true; });
    finish_request();
    std::uint64_t acknowledged = 0;
    for (const SliceKey& key : keys_) {
      OutcomeCounts counts{};
      counts[static_cast<std::size_t>(Outcome::kAccepted)] = key.records();
      if (reader_.acknowledge(key, counts) == Reader::Acknowledged::kDone) acknowledged += key.records();
    }
    return encoded_ == acknowledged ? acknowledged : 0;
  }

 private:
  void take(const Slice& slice) {
    keys_.push_back(slice.key);
    otlp::Bytes resource;
    otlp::Bytes scope;
    otlp::RequestBuilder::Group group{};
    bool has_group = false;
    SliceWalk walk(slice);
    while (const auto record = walk.next()) {
      const otlp::Verdict verdict = otlp::validate(slice.key.signal, record->payload, repaired_);
      if (verdict.outcome == otlp::Outcome::kInvalid) continue;
      if (!has_group || record->resource.data() != resource.data() || record->scope.data() != scope.data()) {
        resource = record->resource;
        scope = record->scope;
        group = builder_.group(resource, scope);
        has_group = true;
      }
      if (builder_.record_count() >= records_per_request_ ||
          builder_.size_with(group, verdict.payload.size()) > kRequestBytes) {
        finish_request();
        group = builder_.group(resource, scope);
      }
      builder_.add(group, verdict.payload);
    }
  }

  void finish_request() {
    if (builder_.is_empty()) return;
    encoded_ += builder_.record_count();
    std::string body;
    body.reserve(builder_.encoded_size());
    builder_.finish(body);
    benchmark::DoNotOptimize(body.data());
  }

  Reader& reader_;
  std::size_t records_per_request_;
  otlp::RequestBuilder builder_;
  std::vector<std::byte> repaired_;
  std::vector<SliceKey> keys_;
  std::uint64_t encoded_ = 0;
};

/// The ring is filled with a batch of log records outside of the time.
void drain_to_acknowledge(benchmark::State& state, const Subjects& subjects) {
  using Clock = std::chrono::steady_clock;
  pin_to_core(0);
  const Logger log = subjects.ring.ring().logger("shop.orders", "1.4.0");
  FlushPass pass(subjects.ring.reader(), static_cast<std::size_t>(state.range(0)));
  double nanoseconds = 0;
  bool failed = false;
  for (auto _ : state) {
    for (std::uint64_t i = 0; i < kBatch; ++i) failed |= !subjects.samples.emit_log(log, i);
    const auto begin = Clock::now();
    const std::uint64_t acknowledged = pass.run();
    const std::chrono::duration<double> seconds = Clock::now() - begin;
    state.SetIterationTime(seconds.count());
    nanoseconds += seconds.count() * 1e9;
    failed |= acknowledged != kBatch;
  }
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(kBatch));
  state.counters["ns"] =
      nanoseconds / (static_cast<double>(state.iterations()) * static_cast<double>(kBatch));
  state.SetLabel("drain, validate, encode, acknowledge; requests of " + std::to_string(state.range(0)));
  if (failed) fail(state, "records were dropped, lost or found invalid");
  if (const auto complaint = subjects.ring.complaint()) fail(state, complaint->c_str());
}

}  // namespace

void register_drain_benchmarks(const Subjects& subjects) {
  benchmark::RegisterBenchmark("drain",
                               [subjects](benchmark::State& state) { drain_to_acknowledge(state, subjects); })
      ->Arg(512)
      ->Arg(2048)
      ->Arg(8192)  // records per request: the SDKs' default, the flusher's, the largest
      ->UseManualTime()
      ->Unit(benchmark::kMicrosecond);
}

}  // namespace shmring::bench
