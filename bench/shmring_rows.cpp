// SPDX-License-Identifier: Apache-2.0
// What a record costs the program that emits it into a ring. A row is a few lines: add yours.
#include <cstring>
#include <utility>

#include "bench/harness/short_rows.hpp"

namespace shmring::bench {
namespace {

constexpr const char* kSurvives = "OTLP in shared memory; survives its process";

void add_records(Rows& rows) {
  add_ring_row<kRecordBytes>(rows,
                             {.name = "emit_log",
                              .label = "log record, `Logger::emit`",
                              .record = kSurvives,
                              .producers = {1, 2, 4, 8}},
                             [](const Ring& ring, const SampleRecords& samples) {
                               return [log = ring.logger("shop.orders", "1.4.0"), &samples](std::uint64_t i) {
                                 return samples.emit_log(log, i);
                               };
                             });
  add_ring_row<kRecordBytes>(rows,
                             {.name = "emit_span",
                              .label = "span, `Tracer::emit`, times given",
                              .record = kSurvives,
                              .producers = {1, 2}},
                             [](const Ring& ring, const SampleRecords& samples) {
                               return [tracer = ring.tracer("shop.orders", "1.4.0"),
                                       &samples](std::uint64_t i) { return samples.emit_span(tracer, i); };
                             });
  add_ring_row<kRecordBytes>(
      rows, {.name = "start_end_span", .label = "span, `Tracer::start` to `Span::end`", .record = kSurvives},
      [](const Ring& ring, const SampleRecords& samples) {
        return [tracer = ring.tracer("shop.orders", "1.4.0"), &samples](std::uint64_t i) {
          return samples.start_and_end_span(tracer, i);
        };
      });
}

void add_bare_slots(Rows& rows) {
  constexpr const char* kBytes = "bytes in shared memory; survive their process";
  add_ring_row<kPayloadBytes>(rows,
                              {.name = "reserve_copy_commit",
                               .label = "reserve, copy 200 bytes, commit",
                               .record = kBytes,
                               .producers = {1, 2, 4, 8}},
                              [](const Ring& ring, const SampleRecords& samples) {
                                return [writer = ring.writer(), &samples](std::uint64_t i) mutable {
                                  auto slot = writer.try_reserve(RecordKind::kLog, kPayloadBytes);
                                  if (!slot) return false;
                                  std::memcpy(slot.payload().data(), samples.encoded(i).data(),
                                              kPayloadBytes);
                                  return std::move(slot).commit();
                                };
                              });
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

void add_shmring_rows(Rows& rows) {
  add_records(rows);
  add_bare_slots(rows);
}

}  // namespace shmring::bench
