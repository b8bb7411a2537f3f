// SPDX-License-Identifier: Apache-2.0
#include "flusher/pipeline.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/flusher/fakes.hpp"

namespace shmring::flusher {
namespace {

using testing::BlockMaker;
using testing::bodies_of;
using testing::count_of;
using ::testing::ElementsAre;
using testing::FakeExporter;
using testing::FakeSource;
using testing::InstantExporter;
using ::testing::IsEmpty;

struct Rig {
  Config config;
  FakeSource source;
  FakeExporter exporter;
  Log log{LogLevel::kError, [](std::string_view) {}};

  OutcomeCounts total() const {
    OutcomeCounts sum{};
    for (const auto& [key, counts] : source.acknowledged) {
      for (std::size_t i = 0; i < kOutcomeCount; ++i) sum[i] += counts[i];
    }
    return sum;
  }
};

Slice logs(std::uint32_t block, int count) {
  BlockMaker maker(block);
  for (int i = 0; i < count; ++i) maker.add_log(std::to_string(i));
  return maker.take();
}

Slice spans(std::uint32_t block, std::size_t bytes) {
  BlockMaker maker(block, Signal::kTraces);
  maker.append(RecordKind::kSpan, "\x0a\x10" + std::string(16, 't') + "\x12\x08" + std::string(8, 's') +
                                      "\x2a" + static_cast<char>(bytes) + std::string(bytes, 'n'));
  return maker.take();
}

TEST(Pipeline, AcknowledgesOnlyWhatWasAccepted) {
  Rig rig;
  Pipeline pipeline(rig.config, rig.source, {&rig.exporter}, rig.log);
  rig.source.slices.push_back(logs(1, 3));
  pipeline.drain();
  ASSERT_EQ(rig.exporter.taken.size(), 1U);
  EXPECT_THAT(rig.source.acknowledged, IsEmpty());
  EXPECT_FALSE(pipeline.is_idle());
  rig.exporter.answer(0);
  EXPECT_EQ(count_of(rig.total(), Outcome::kAccepted), 3U);
  EXPECT_TRUE(pipeline.is_idle());
}

class LetterBox final : public DeadLetters {
 public:
  std::vector<std::string> reasons;
  std::uint64_t records = 0;
  std::size_t largest = 0;
  bool keep(const DeadLetter& letter) override {
    EXPECT_EQ(letter.destination, kNoDestination);
    reasons.emplace_back(letter.reason);
    records += letter.records;
    largest = std::max(largest, letter.request.size());
    return true;
  }
};

TEST(Pipeline, KeepsBadRecordsBeforeTheyAreAcknowledgedInOneLetterForMany) {
  Rig rig;
  LetterBox box;
  Pipeline pipeline(rig.config, rig.source, {&rig.exporter}, rig.log, nullptr, &box);
  for (std::uint32_t block = 1; block <= 3; ++block) {
    BlockMaker maker(block);
    maker.add_log("x");
    maker.add_bad();
    rig.source.slices.push_back(maker.take());
  }
  pipeline.drain();
  ASSERT_EQ(box.reasons.size(), 1U);
  EXPECT_THAT(box.reasons[0],
              ::testing::AllOf(::testing::StartsWith("no OTLP: "), ::testing::HasSubstr(" (3)")));
  EXPECT_EQ(box.records, 3U);
  rig.exporter.answer(0);
  EXPECT_EQ(count_of(rig.total(), Outcome::kInvalid), 3U);
  EXPECT_EQ(count_of(rig.total(), Outcome::kAccepted), 3U);
}

TEST(Pipeline, KeepsNoMoreOfAFloodOfBadRecordsThanALetterHolds) {
  Rig rig;
  LetterBox box;
  Pipeline pipeline(rig.config, rig.source, {&rig.exporter}, rig.log, nullptr, &box);
  const std::string garbage(10'000, '\xff');
  for (std::uint32_t block = 1; block <= 300; ++block) {
    BlockMaker maker(block);
    maker.append(RecordKind::kLog, garbage);
    rig.source.slices.push_back(maker.take());
  }
  pipeline.drain();
  ASSERT_EQ(box.reasons.size(), 1U);
  EXPECT_LE(box.largest, 1U << 20U);
  EXPECT_GT(box.records, 90U);
  EXPECT_THAT(box.reasons[0], ::testing::HasSubstr(std::to_string(300 - box.records) + " more"));
  EXPECT_EQ(count_of(rig.total(), Outcome::kInvalid), 300U);
}

TEST(Pipeline, BooksEachOutcomeWhereItBelongs) {
  Rig rig;
  Pipeline pipeline(rig.config, rig.source, {&rig.exporter}, rig.log);
  BlockMaker maker(1);
  for (int i = 0; i < 5; ++i) maker.add_log("x");
  maker.add_bad();
  maker.count_one_too_many();
  const Slice slice = maker.take();
  const std::uint64_t records = slice.key.records();
  rig.source.slices.push_back(slice);
  rig.source.slices.push_back(logs(2, 4));
  pipeline.drain();
  rig.exporter.answer(0, {.rejected = 7});
  const OutcomeCounts total = rig.total();
  EXPECT_EQ(count_of(total, Outcome::kAccepted), 2U);
  EXPECT_EQ(count_of(total, Outcome::kRejected), 7U);
  EXPECT_EQ(count_of(total, Outcome::kInvalid), 1U);
  EXPECT_EQ(count_of(total, Outcome::kCorrupt), 1U);
  std::uint64_t first = 0;
  for (const std::uint64_t count : rig.source.acknowledged[0].second) first += count;
  EXPECT_EQ(first, records);  // counts of a piece add up to its records
  EXPECT_EQ(pipeline.totals().rejected, 7U);
}

TEST(Pipeline, ABatchRefusedForGoodIsRejectedWhole) {
  Rig rig;
  Pipeline pipeline(rig.config, rig.source, {&rig.exporter}, rig.log);
  rig.source.slices.push_back(logs(1, 3));
  pipeline.drain();
  rig.exporter.answer(0, {.outcome = SendOutcome::kRejected, .reason = "HTTP status 400"});
  EXPECT_EQ(count_of(rig.total(), Outcome::kRejected), 3U);
}

TEST(Pipeline, ASignalWithoutRoomKeepsNoOtherFromItsOwn) {
  Rig rig;
  rig.config.memory_limit = 48U << 20U;  // some 3 MiB for each signal
  rig.config.batch.records = 1;
  rig.config.max_in_flight = 1;
  Pipeline pipeline(rig.config, rig.source, {&rig.exporter}, rig.log);
  // The trace backend is dead: spans pile up until their share of the memory is used.
  std::uint32_t block = 0;
  while (pipeline.has_room() && !pipeline.has_left_some()) {
    for (int i = 0; i < 1000; ++i) rig.source.slices.push_back(spans(block++, 120));
    pipeline.drain();
  }
  EXPECT_TRUE(pipeline.has_left_some());
  EXPECT_FALSE(pipeline.wants_more());
  EXPECT_EQ(rig.exporter.taken.size(), 1U);
  rig.source.slices.push_back(logs(1'000'000, 2));
  pipeline.drain();
  std::vector<std::string> seen;
  for (std::size_t i = 0; i < rig.exporter.taken.size(); ++i) {  // grows with each answer
    if (rig.exporter.taken[i].batch->signal != Signal::kLogs) continue;
    seen.push_back(bodies_of(rig.exporter.taken[i].batch->request).at(0));
    rig.exporter.answer(i);
  }
  EXPECT_THAT(seen, ElementsAre("0", "1"));
  EXPECT_EQ(count_of(rig.total(), Outcome::kAccepted), 2U);
}

TEST(Pipeline, TakesMoreOnceThereIsRoomAgain) {
  Rig rig;
  rig.config.memory_limit = 48U << 20U;
  Pipeline pipeline(rig.config, rig.source, {&rig.exporter}, rig.log);
  BlockMaker maker(1);
  for (std::uint32_t block = 0; block < 20; ++block) {
    BlockMaker large(block);
    large.add_log(std::string(900'000, 'x'));
    rig.source.slices.push_back(large.take());
  }
  pipeline.drain();
  EXPECT_TRUE(pipeline.has_left_some());
  std::size_t answered = 0;
  while (answered < rig.exporter.taken.size()) {
    rig.exporter.answer(answered++);
    if (pipeline.wants_more()) pipeline.drain();
  }
  EXPECT_FALSE(pipeline.has_left_some());
  EXPECT_TRUE(pipeline.is_idle());
  EXPECT_EQ(pipeline.totals().accepted, 20U);
}

TEST(Pipeline, GoesOnWhenAnotherFlusherTookOver) {
  Rig rig;
  Pipeline pipeline(rig.config, rig.source, {&rig.exporter}, rig.log);
  rig.source.slices.push_back(logs(1, 1));
  pipeline.drain();
  rig.source.is_superseded = true;
  rig.exporter.answer(0);
  EXPECT_TRUE(pipeline.is_idle());
  EXPECT_THAT(rig.source.acknowledged, IsEmpty());
}

TEST(Pipeline, AnExporterThatIsDoneAtOnceAcknowledgesAfterTheDrain) {
  struct Strict final : FakeSource {
    bool is_draining = false;
    DrainReport drain(const DrainBudget& budget, const std::function<bool(Slice&&)>& sink) override {
      is_draining = true;
      const DrainReport report = FakeSource::drain(budget, sink);
      is_draining = false;
      return report;
    }
    Reader::Acknowledged acknowledge(const SliceKey& key, const OutcomeCounts& counts) override {
      EXPECT_FALSE(is_draining);
      return FakeSource::acknowledge(key, counts);
    }
  };
  Config config;
  config.batch.records = 1;
  Strict source;
  InstantExporter exporter;
  Log log{LogLevel::kError, [](std::string_view) {}};
  Pipeline pipeline(config, source, {&exporter}, log);
  source.slices.push_back(logs(1, 10));
  pipeline.drain();
  EXPECT_EQ(source.acknowledged.size(), 10U);
}

TEST(Pipeline, TakesOnlySignalsThatAreDueAndThoseOfWhichSomethingWasLeft) {
  Rig rig;
  Pipeline pipeline(rig.config, rig.source, {&rig.exporter}, rig.log);
  rig.source.slices.push_back(logs(1, 3));
  rig.source.slices.push_back(spans(2, 10));
  pipeline.drain({false, true, false});
  ASSERT_EQ(rig.exporter.taken.size(), 1U);
  EXPECT_EQ(rig.exporter.taken[0].batch->signal, Signal::kTraces);
  EXPECT_FALSE(pipeline.wants_more());  // the logs can wait
  EXPECT_FALSE(pipeline.has_left_some());
  pipeline.drain({true, false, false});
  ASSERT_EQ(rig.exporter.taken.size(), 2U);
  EXPECT_EQ(rig.exporter.taken[1].batch->signal, Signal::kLogs);
}

TEST(Pipeline, EachSignalHasABatchSizeAndAWindowOfItsOwn) {
  Rig rig;
  rig.config.signals[0].batch_records = 2;
  rig.config.signals[0].max_in_flight = 3;
  Pipeline pipeline(rig.config, rig.source, {&rig.exporter}, rig.log);
  rig.source.slices.push_back(logs(1, 10));
  for (std::uint32_t block = 2; block < 7; ++block) rig.source.slices.push_back(spans(block, 10));
  pipeline.drain();
  ASSERT_EQ(rig.exporter.taken.size(), 4U);  // three of logs' five batches, and all spans in one
  std::map<Signal, std::uint64_t> records;
  for (const auto& taken : rig.exporter.taken) records[taken.batch->signal] += taken.batch->records;
  EXPECT_EQ(records[Signal::kLogs], 6U);
  EXPECT_EQ(records[Signal::kTraces], 5U);
}

TEST(Pipeline, BatchesThatBecomeJsonAreSmaller) {
  Config config;
  config.exporters = {ExporterKind::kOtlp};
  config.otlp[0].protocol = Protocol::kHttpJson;
  EXPECT_EQ(config.batch_of(Signal::kLogs).bytes, config.batch.bytes / 4);
  EXPECT_EQ(config.batch_of(Signal::kTraces).bytes, config.batch.bytes);
  config.exporters = {ExporterKind::kFile};
  EXPECT_EQ(config.batch_of(Signal::kLogs).bytes, config.batch.bytes);
}

}  // namespace
}  // namespace shmring::flusher
