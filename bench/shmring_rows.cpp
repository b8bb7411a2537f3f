// SPDX-License-Identifier: Apache-2.0
// What a record costs the program that emits it into a ring. A row is a few lines: add yours.
#include <cstring>
#include <utility>

#include "bench/harness/short_rows.hpp"

namespace shmring::bench {
namespace {

constexpr const char* kSurvives = "OTLP in shared memory; survives its process";
constexpr const char* kBytes = "bytes in shared memory; survive their process";

/// A row of a record that `emit(samples, logger or tracer, i)` emits. `kClock`: by which clock it is stamped.
template <Clock kClock, typename Emit>
void add_log_row(Rows& rows, About about, Emit) {
  about.record = kSurvives;
  add_ring_row<kRecordBytes>(rows, std::move(about), [](const Ring& ring, const SampleRecords& samples) {
    return [log = ring.logger("shop.orders", "1.4.0").with_clock(kClock), &samples](std::uint64_t i) {
      return Emit{}(samples, log, i);
    };
  });
}
template <Clock kClock, typename Emit>
void add_span_row(Rows& rows, About about, Emit) {
  about.record = kSurvives;
  add_ring_row<kRecordBytes>(rows, std::move(about), [](const Ring& ring, const SampleRecords& samples) {
    return [tracer = ring.tracer("shop.orders", "1.4.0").with_clock(kClock), &samples](std::uint64_t i) {
      return Emit{}(samples, tracer, i);
    };
  });
}

constexpr auto kEmit = [](const SampleRecords& samples, const Logger& log, std::uint64_t i) {
  return samples.emit_log(log, i);
};

void add_logs(Rows& rows) {
  const auto emit_site = [](const SampleRecords& samples, const Logger& log, std::uint64_t i) {
    return samples.emit_log_site(log, i);
  };
  add_log_row<Clock::kTsc>(rows,
                           {.name = "emit_log_site_tsc",
                            .label = "log record, call site encoded ahead, the TSC stamps",
                            .producers = {1, 2, 4, 8}},
                           emit_site);
  add_log_row<Clock::kRealtime>(
      rows, {.name = "emit_log_site", .label = "log record, call site encoded ahead, `clock_gettime`"},
      emit_site);
  add_log_row<Clock::kTsc>(
      rows, {.name = "emit_log_tsc", .label = "log record, `Logger::emit`, the TSC stamps"}, kEmit);
  add_emit_log_row(rows, {.name = "emit_log",
                          .label = "log record, `Logger::emit`, `clock_gettime`",
                          .producers = {1, 2, 4, 8}});
}

void add_spans(Rows& rows) {
  add_span_row<Clock::kRealtime>(
      rows, {.name = "emit_span", .label = "span, `Tracer::emit`, times given", .producers = {1, 2}},
      [](const SampleRecords& samples, const Tracer& tracer, std::uint64_t i) {
        return samples.emit_span(tracer, i);
      });
  add_span_row<Clock::kTsc>(
      rows,
      {.name = "emit_span_site_tsc",
       .label = "span, `Tracer::emit`, start and ids given, call site encoded ahead, the TSC stamps its end"},
      [](const SampleRecords& samples, const Tracer& tracer, std::uint64_t i) {
        static const Stamp start = tracer.now();
        return samples.emit_span_site(tracer, start, i);
      });
  add_span_row<Clock::kTsc>(
      rows,
      {.name = "span_site_tsc", .label = "span from start to end, call site encoded ahead, the TSC stamps"},
      [](const SampleRecords& samples, const Tracer& tracer, std::uint64_t i) {
        return samples.start_and_end_span_site(tracer, i);
      });
  const auto whole = [](const SampleRecords& samples, const Tracer& tracer, std::uint64_t i) {
    return samples.start_and_end_span(tracer, i);
  };
  add_span_row<Clock::kTsc>(
      rows, {.name = "start_end_span_tsc", .label = "span, `Tracer::start` to `Span::end`, the TSC stamps"},
      whole);
  add_span_row<Clock::kRealtime>(
      rows, {.name = "start_end_span", .label = "span, `Tracer::start` to `Span::end`, `clock_gettime`"},
      whole);
}

void add_bare_slots(Rows& rows) {
  add_reserve_row(
      rows,
      {.name = "reserve_copy_commit", .label = "reserve, copy 200 bytes, commit", .producers = {1, 2, 4, 8}});
  add_ring_row<64>(
      rows, {.name = "empty_slot", .label = "reserve 64 bytes, write nothing, commit", .record = kBytes},
      [](const Ring& ring, const SampleRecords&) {
        return [writer = ring.writer()](std::uint64_t) mutable {
          auto slot = writer.try_reserve(RecordKind::kLog, 64);
          return slot && std::move(slot).commit();
        };
      });
}

}  // namespace

void add_emit_log_row(Rows& rows, About about) {
  add_log_row<Clock::kRealtime>(rows, std::move(about), kEmit);
}

void add_reserve_row(Rows& rows, About about) {
  about.record = kBytes;
  add_ring_row<kPayloadBytes>(rows, std::move(about), [](const Ring& ring, const SampleRecords& samples) {
    return [writer = ring.writer(), &samples](std::uint64_t i) mutable {
      auto slot = writer.try_reserve(RecordKind::kLog, kPayloadBytes);
      if (!slot) return false;
      std::memcpy(slot.payload().data(), samples.encoded(i).data(), kPayloadBytes);
      return std::move(slot).commit();
    };
  });
}

void add_shmring_rows(Rows& rows) {
  add_logs(rows);
  add_spans(rows);
  add_bare_slots(rows);
}

}  // namespace shmring::bench
