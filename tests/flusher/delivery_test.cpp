// SPDX-License-Identifier: Apache-2.0
#include "flusher/delivery.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/flusher/fakes.hpp"

namespace shmring::flusher {
namespace {

using ::testing::ElementsAre;
using testing::FakeExporter;
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
  Delivery delivery({&exporter}, 2, outcomes.finished());
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
  Delivery delivery({&exporter}, 1, outcomes.finished());
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
  Delivery delivery({&a, &b}, 4, outcomes.finished());
  delivery.send(batch(0));
  a.answer(0);
  EXPECT_THAT(outcomes.numbers, IsEmpty());
  b.answer(0);
  EXPECT_THAT(outcomes.numbers, ElementsAre(0U));
  EXPECT_THAT(outcomes.rejected, ElementsAre(0U));
}

TEST(Delivery, WhatOneDestinationRefusedIsNotAccepted) {
  FakeExporter a;
  FakeExporter b;
  Outcomes outcomes;
  Delivery delivery({&a, &b}, 4, outcomes.finished());
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
  Delivery delivery({&a, &b}, 4, [&](const Batch&, const BatchOutcome& outcome) {
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
  Delivery delivery({&exporter}, 1, outcomes.finished());
  for (std::uint64_t n = 0; n < 10'000; ++n) delivery.send(batch(n));
  EXPECT_EQ(outcomes.numbers.size(), 10'000U);
  EXPECT_EQ(delivery.unfinished_batches(), 0U);
  EXPECT_EQ(delivery.memory(Signal::kLogs), 0U);
}

TEST(Delivery, ABatchWithoutRecordsAsksNobody) {
  FakeExporter exporter;
  Outcomes outcomes;
  Delivery delivery({&exporter}, 1, outcomes.finished());
  delivery.send(batch(0, Signal::kLogs, 0));
  EXPECT_THAT(exporter.taken, IsEmpty());
  EXPECT_THAT(outcomes.numbers, ElementsAre(0U));
}

TEST(Delivery, MemoryIsThatOfUnfinishedBatches) {
  FakeExporter exporter;
  Outcomes outcomes;
  Delivery delivery({&exporter}, 2, outcomes.finished());
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
