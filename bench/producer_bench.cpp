// SPDX-License-Identifier: Apache-2.0
// What a record costs the program that emits it.
#include <benchmark/benchmark.h>

#include <array>
#include <cstring>
#include <utility>

#include "bench/batches.hpp"
#include "bench/benchmarks.hpp"

namespace shmring::bench {
namespace {

/// Measures `operation(i)` on the ring, which is empty at the start of each batch. `payload_bytes`: of every record.
template <typename Operation>
void measure_on(benchmark::State& state, BenchRing& ring, std::size_t payload_bytes,
                const Operation& operation) {
  ring.ring().prepare_thread();
  measure_batches(state, operation, [&](std::uint64_t committed) {
    const Taken taken = ring.take_all();
    return taken.payload_bytes == committed * payload_bytes ? taken.records : 0;
  });
  if (state.thread_index() != 0) return;
  if (const auto complaint = ring.complaint()) fail(state, complaint->c_str());
}

void reserve_copy_commit(benchmark::State& state, const Subjects& subjects) {
  std::array<std::byte, kPayloadBytes> payload;
  payload.fill(std::byte{0x2A});
  Writer writer = subjects.ring.ring().writer();
  measure_on(state, subjects.ring, kPayloadBytes, [&](std::uint64_t) {
    benchmark::DoNotOptimize(payload.data());
    auto slot = writer.try_reserve(RecordKind::kLog, kPayloadBytes);
    if (!slot) return false;
    std::memcpy(slot.payload().data(), payload.data(), kPayloadBytes);
    return std::move(slot).commit();
  });
}

void empty_slot(benchmark::State& state, const Subjects& subjects) {
  constexpr std::size_t kBytes = 64;
  Writer writer = subjects.ring.ring().writer();
  measure_on(state, subjects.ring, kBytes, [&](std::uint64_t) {
    auto slot = writer.try_reserve(RecordKind::kLog, kBytes);
    return slot && std::move(slot).commit();
  });
}

void log_record(benchmark::State& state, const Subjects& subjects) {
  const Logger log = subjects.ring.ring().logger("shop.orders", "1.4.0");
  measure_on(state, subjects.ring, kRecordBytes,
             [&](std::uint64_t i) { return subjects.samples.emit_log(log, i); });
}

void finished_span(benchmark::State& state, const Subjects& subjects) {
  const Tracer tracer = subjects.ring.ring().tracer("shop.orders", "1.4.0");
  measure_on(state, subjects.ring, kRecordBytes,
             [&](std::uint64_t i) { return subjects.samples.emit_span(tracer, i); });
}

void whole_span(benchmark::State& state, const Subjects& subjects) {
  const Tracer tracer = subjects.ring.ring().tracer("shop.orders", "1.4.0");
  measure_on(state, subjects.ring, kRecordBytes,
             [&](std::uint64_t i) { return subjects.samples.start_and_end_span(tracer, i); });
}

}  // namespace

void register_producer_benchmarks(const Subjects& subjects) {
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
  add("emit_log", log_record, "log record, `Logger::emit`, the clock included");
  add("emit_span", finished_span, "span, `Tracer::emit`, times given");
  add("start_end_span", whole_span, "span, `Tracer::start` to `Span::end`");
  add("reserve_copy_commit", reserve_copy_commit, "reserve, copy 200 bytes, commit");
  add("empty_slot", empty_slot, "reserve 64 bytes, write nothing, commit");
  if (core_count() < 2) return;  // two threads on one core measure the scheduler
  add("emit_log", log_record, "log record, two threads at once", 2);
  add("reserve_copy_commit", reserve_copy_commit, "reserve, copy 200 bytes, commit, two threads at once", 2);
}

}  // namespace shmring::bench
