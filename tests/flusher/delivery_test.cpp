// SPDX-License-Identifier: Apache-2.0
#include "flusher/delivery.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/flusher/fakes.hpp"

namespace shmring::flusher {
namespace {

using ::testing::ElementsAre;
using testing::FakeExporter;
using testing::FakeSpool;
using testing::InstantExporter;
using ::testing::IsEmpty;

Batch batch(std::uint64_t number, Signal signal = Signal::kLogs, std::uint64_t records = 10) {
  return {.signal = signal, .number = number, .request = "request", .records = records};
}

struct Outcomes {
  std::vector<std::uint64_t> numbers;
  std::vector<std::uint64_t> rejected;
  Delivery::Finished finished() {
    return [this](const Batch& done, const BatchOutcome& outcome) {
      numbers.push_back(done.number);
      rejected.push_back(outcome.rejected);
    };
  }
};

TEST(Delivery, SendsOnlyWithinTheWindowOfTheOldestUnfinished) {
  FakeExporter exporter;
  Outcomes outcomes;
  Delivery delivery({&exporter}, {.window = 2}, outcomes.finished());
  for (std::uint64_t n = 0; n < 5; ++n) delivery.send(batch(n));
  EXPECT_EQ(exporter.taken.size(), 2U);
  exporter.answer(1);  // the second; the first still holds the window
  EXPECT_EQ(exporter.taken.size(), 2U);
  EXPECT_THAT(outcomes.numbers, ElementsAre(1U));
  exporter.answer(0);
  EXPECT_EQ(exporter.taken.size(), 4U);
  EXPECT_THAT(outcomes.numbers, ElementsAre(1U, 0U));
  EXPECT_EQ(delivery.unfinished_batches(), 3U);
  EXPECT_EQ(delivery.unfinished_records(), 30U);
}

TEST(Delivery, ADeadDestinationOfOneSignalHoldsUpNoOther) {
  FakeExporter exporter;
  Outcomes outcomes;
  Delivery delivery({&exporter}, {.window = 1}, outcomes.finished());
  for (std::uint64_t n = 0; n < 3; ++n) delivery.send(batch(n, Signal::kTraces));
  delivery.send(batch(100, Signal::kLogs));
  ASSERT_EQ(exporter.taken.size(), 2U);
  exporter.answer(1);
  EXPECT_THAT(outcomes.numbers, ElementsAre(100U));
}

TEST(Delivery, ABatchIsFinishedWhenEveryDestinationHasSpoken) {
  FakeExporter a;
  FakeExporter b;
  Outcomes outcomes;
  Delivery delivery({&a, &b}, {.window = 4}, outcomes.finished());
  delivery.send(batch(0));
  a.answer(0);
  EXPECT_THAT(outcomes.numbers, IsEmpty());
  b.answer(0);
  EXPECT_THAT(outcomes.numbers, ElementsAre(0U));
  EXPECT_THAT(outcomes.rejected, ElementsAre(0U));
}

TEST(Delivery, KnowsWhatOneDestinationHasAndAnotherHasNot) {
  FakeExporter a;
  FakeExporter b;
  Outcomes outcomes;
  Delivery delivery({&a, &b}, {.window = 4}, outcomes.finished());
  for (std::uint64_t n = 0; n < 3; ++n) delivery.send(batch(n));
  delivery.send(batch(3, Signal::kTraces));
  EXPECT_EQ(delivery.records_settled_in_part(Signal::kLogs), 0U);
  a.answer(0);
  a.answer(1);
  b.answer(1);
  EXPECT_EQ(delivery.records_settled_in_part(Signal::kLogs), 10U);
  EXPECT_EQ(delivery.records_settled_in_part(Signal::kTraces), 0U);
}

TEST(Delivery, ADestinationThatIsAwayHoldsUpNoOther) {
  FakeExporter away;
  InstantExporter here;
  Outcomes outcomes;
  Delivery delivery({&away, &here}, {.window = 2}, outcomes.finished());
  for (std::uint64_t n = 0; n < 100; ++n) delivery.send(batch(n));
  EXPECT_EQ(here.taken.size(), 100U);
  EXPECT_EQ(away.taken.size(), 2U);
  EXPECT_THAT(outcomes.numbers, IsEmpty());
  EXPECT_EQ(delivery.waiting_records(0, Signal::kLogs), 1000U);
  EXPECT_EQ(delivery.waiting_records(1, Signal::kLogs), 0U);
  for (std::size_t i = 0; i < 100; ++i) away.answer(i);
  EXPECT_EQ(outcomes.numbers.size(), 100U);
  EXPECT_EQ(delivery.memory(Signal::kLogs), 0U);
}

struct Spooling {
  FakeExporter away;
  FakeExporter here;
  FakeSpool spool;
  std::vector<std::uint64_t> spooled;
  std::vector<std::uint64_t> settled;
  Delivery delivery{
      {&away, &here}, {.window = 2, .spool = &spool}, [this](const Batch& done, const BatchOutcome& outcome) {
        (outcome.is_spooled ? spooled : settled).push_back(done.number);
      }};

  /// Sends so many, and the first of them fails at `away`, which then gives back what it has.
  void lose(std::uint64_t batches) {
    for (std::uint64_t n = 0; n < batches; ++n) delivery.send(batch(n));
    delivery.note_failure(0, Signal::kLogs);
    away.answer(0, {.outcome = SendOutcome::kRetryable});
    away.answer(1, {.outcome = SendOutcome::kRetryable});
  }
};

TEST(Delivery, AFailureAloneIsNoReasonToSpool) {
  Spooling rig;
  rig.delivery.send(batch(0));
  rig.delivery.send(batch(1));
  rig.delivery.note_failure(0, Signal::kLogs);
  EXPECT_EQ(rig.away.patience, Patience::kRetry);
  rig.delivery.send(batch(2));
  EXPECT_EQ(rig.away.patience, Patience::kGiveBack);
  EXPECT_TRUE(rig.delivery.is_away(0, Signal::kLogs));
  EXPECT_FALSE(rig.delivery.is_away(0, Signal::kTraces));
}

TEST(Delivery, SpoolsInOrderWhatAllOthersHaveTaken) {
  Spooling rig;
  rig.lose(5);
  EXPECT_THAT(rig.spool.offered, IsEmpty());  // `here` has not spoken
  rig.here.answer(1);
  EXPECT_THAT(rig.spool.offered, IsEmpty());  // the second, but not the first
  rig.here.answer(0, {.rejected = 3});
  ASSERT_EQ(rig.spool.offered.size(), 1U);
  EXPECT_THAT(rig.spool.numbers(0), ElementsAre(0U, 1U));
  EXPECT_THAT(rig.spool.offered[0].batches[0].destinations, ElementsAre(0U));
  EXPECT_EQ(rig.spool.offered[0].batches[0].so_far.rejected, 3U);
  for (std::size_t i = 2; i < 5; ++i) rig.here.answer(i);
  EXPECT_EQ(rig.spool.offered.size(), 1U) << "one handover at a time";
  EXPECT_THAT(rig.spooled, IsEmpty());
  rig.spool.answer(0, true);
  EXPECT_THAT(rig.spooled, ElementsAre(0U, 1U));
  EXPECT_THAT(rig.spool.numbers(1), ElementsAre(2U, 3U, 4U));
  rig.spool.answer(1, true);
  EXPECT_EQ(rig.delivery.unfinished_batches(), 0U);
  EXPECT_EQ(rig.away.taken.size(), 2U);
}

TEST(Delivery, WhatTheSpoolRefusesStaysAndIsOfferedAgain) {
  Spooling rig;
  rig.lose(3);
  for (std::size_t i = 0; i < 3; ++i) rig.here.answer(i);
  rig.spool.answer(0, false);
  EXPECT_EQ(rig.spool.offered.size(), 1U) << "not at once: a full disk stays full for a while";
  EXPECT_THAT(rig.spooled, IsEmpty());
  rig.delivery.offer_again();
  ASSERT_EQ(rig.spool.offered.size(), 2U);
  EXPECT_THAT(rig.spool.numbers(1), ElementsAre(0U, 1U, 2U));
  rig.spool.answer(1, true);
  EXPECT_THAT(rig.spooled, ElementsAre(0U, 1U, 2U));
}

TEST(Delivery, ALaneThatIsOpenAgainTakesWhatWasNotSpooled) {
  Spooling rig;
  rig.lose(4);
  rig.here.answer(0);
  ASSERT_EQ(rig.spool.offered.size(), 1U);  // the first one
  rig.delivery.open_lane(0, Signal::kLogs);
  EXPECT_EQ(rig.away.patience, Patience::kRetry);
  EXPECT_THAT(rig.away.numbers(), ElementsAre(0U, 1U, 1U, 2U));
  rig.spool.answer(0, true);
  rig.away.answer(2);
  rig.here.answer(1);
  EXPECT_THAT(rig.settled, ElementsAre(1U));
  EXPECT_THAT(rig.spooled, ElementsAre(0U));
}

TEST(Delivery, AtTheEndAllIsOfferedToTheSpool) {
  Spooling rig;
  rig.delivery.send(batch(0));
  rig.delivery.send(batch(1, Signal::kMetrics));
  rig.delivery.park_all();
  EXPECT_THAT(rig.spool.offered, IsEmpty());  // both are still on the wire
  for (FakeExporter* exporter : {&rig.away, &rig.here}) {
    exporter->answer(0, {.outcome = SendOutcome::kRetryable});
    exporter->answer(1, {.outcome = SendOutcome::kRetryable});
  }
  ASSERT_EQ(rig.spool.offered.size(), 2U);
  EXPECT_THAT(rig.spool.offered[0].batches[0].destinations, ElementsAre(0U, 1U));
}

TEST(Delivery, AWindowThatIsLentToTheSpoolIsSmallerMeanwhile) {
  Spooling rig;
  rig.delivery.lend_window(0, Signal::kLogs, 1);
  for (std::uint64_t n = 0; n < 3; ++n) rig.delivery.send(batch(n));
  EXPECT_EQ(rig.away.taken.size(), 1U);
  rig.delivery.lend_window(0, Signal::kLogs, 0);
  EXPECT_EQ(rig.away.taken.size(), 2U);
}

TEST(Delivery, WhatOneDestinationRefusedIsNotAccepted) {
  FakeExporter a;
  FakeExporter b;
  Outcomes outcomes;
  Delivery delivery({&a, &b}, {.window = 4}, outcomes.finished());
  for (std::uint64_t n = 0; n < 4; ++n) delivery.send(batch(n));
  a.answer(0, {.outcome = SendOutcome::kRejected});
  b.answer(0);
  a.answer(1, {.rejected = 3});
  b.answer(1, {.rejected = 4});
  a.answer(2, {.rejected = 1'000'000});  // a server cannot reject more than it got
  b.answer(2);
  EXPECT_THAT(outcomes.rejected, ElementsAre(10U, 4U, 10U));
}

TEST(Delivery, WhatOneLostIsNotCalledKept) {
  FakeExporter a;
  FakeExporter b;
  std::vector<std::pair<std::uint64_t, std::uint64_t>> outcomes;
  Delivery delivery({&a, &b}, {.window = 4}, [&](const Batch&, const BatchOutcome& outcome) {
    outcomes.emplace_back(outcome.rejected, outcome.dead_lettered);
  });
  for (std::uint64_t n = 0; n < 3; ++n) delivery.send(batch(n));
  a.answer(0, {.outcome = SendOutcome::kRejected, .dead_lettered = 10});
  b.answer(0);
  a.answer(1, {.rejected = 3, .dead_lettered = 9});  // more than there are
  b.answer(1);
  a.answer(2, {.dead_lettered = 10});
  b.answer(2, {.rejected = 4});
  EXPECT_THAT(outcomes, ElementsAre(std::pair(0U, 10U), std::pair(1U, 9U), std::pair(4U, 6U)));
}

TEST(Delivery, AnExporterThatIsDoneAtOnceNeedsNoStackForEachBatch) {
  InstantExporter exporter;
  Outcomes outcomes;
  Delivery delivery({&exporter}, {.window = 1}, outcomes.finished());
  for (std::uint64_t n = 0; n < 10'000; ++n) delivery.send(batch(n));
  EXPECT_EQ(outcomes.numbers.size(), 10'000U);
  EXPECT_EQ(delivery.unfinished_batches(), 0U);
  EXPECT_EQ(delivery.memory(Signal::kLogs), 0U);
}

TEST(Delivery, ABatchWithoutRecordsAsksNobody) {
  FakeExporter exporter;
  Outcomes outcomes;
  Delivery delivery({&exporter}, {.window = 1}, outcomes.finished());
  delivery.send(batch(0, Signal::kLogs, 0));
  EXPECT_THAT(exporter.taken, IsEmpty());
  EXPECT_THAT(outcomes.numbers, ElementsAre(0U));
}

TEST(Delivery, MemoryIsThatOfUnfinishedBatches) {
  FakeExporter exporter;
  Outcomes outcomes;
  Delivery delivery({&exporter}, {.window = 2}, outcomes.finished());
  delivery.send(batch(0));
  const std::uint64_t one = delivery.memory(Signal::kLogs);
  EXPECT_GT(one, 0U);
  delivery.send(batch(1));
  EXPECT_EQ(delivery.memory(Signal::kLogs), 2 * one);
  exporter.answer(1);  // not the oldest, but its memory is free
  EXPECT_EQ(delivery.memory(Signal::kLogs), one);
  EXPECT_EQ(exporter.taken[1].batch.use_count(), 1);
}

}  // namespace
}  // namespace shmring::flusher
