// SPDX-License-Identifier: Apache-2.0
#include "flusher/replay.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/flusher/fakes.hpp"

namespace shmring::flusher {
namespace {

using std::chrono::milliseconds;
using ::testing::ElementsAre;
using testing::FakeExporter;
using testing::FakeSpool;
using testing::FakeTimers;
using ::testing::IsEmpty;

/// Rows of logs for one destination, read at once; outcomes wait to be written.
class FakeRows final : public SpoolSource {
 public:
  std::vector<std::int64_t> ids;
  std::vector<std::pair<std::int64_t, std::function<void()>>> settling;

  void next(std::size_t, Signal signal, std::int64_t after, std::uint64_t most, Rows rows) override {
    std::vector<spool::SpooledBatch> found;
    for (const std::int64_t id : ids) {
      if (signal == Signal::kLogs && id > after && found.size() < most)
        found.push_back({.id = id, .request = std::to_string(id), .records = 10});
    }
    rows(std::move(found));
  }
  void settle(std::int64_t batch, std::size_t, std::uint64_t, std::uint64_t,
              std::function<void()> settled) override {
    settling.emplace_back(batch, std::move(settled));
  }
};

struct ReplayRig {
  FakeExporter exporter;
  FakeSpool spool;
  FakeTimers timers;
  FakeRows source;
  Delivery delivery{{&exporter}, {.window = 4, .spool = &spool}, [](const Batch&, const BatchOutcome&) {}};
  Replay replay;
  explicit ReplayRig(std::uint64_t rate = 0)
      : replay(source, delivery, {&exporter}, timers,
               {.records_per_second = rate,
                .retry = {milliseconds(100), milliseconds(1000), milliseconds(1000)}}) {
    source.ids = {1, 2, 3, 4, 5};
  }
  /// More wait than the window holds, and the first has failed.
  void go_away() {
    for (std::uint64_t n = 0; n < 5; ++n)
      delivery.send({.signal = Signal::kLogs, .number = 100 + n, .request = "r", .records = 1});
    delivery.note_failure(0, Signal::kLogs);
    for (std::size_t i = 0; i < 4; ++i) exporter.answer(i, {.outcome = SendOutcome::kRetryable});
    spool.answer(0, true);
    exporter.taken.clear();
  }
  void answer(std::size_t index, SendOutcome outcome = SendOutcome::kAccepted) {
    exporter.answer(index, {.outcome = outcome});
  }
};

TEST(Replay, SendsInOrderInHalfOfTheWindowUntilOutcomesAreOnTheDisk) {
  ReplayRig rig;
  rig.replay.pump();
  EXPECT_THAT(rig.exporter.numbers(), ElementsAre(1U, 2U));
  rig.answer(0);
  rig.replay.pump();
  EXPECT_THAT(rig.exporter.numbers(), ElementsAre(1U, 2U)) << "its outcome is not written";
  rig.source.settling.at(0).second();
  EXPECT_THAT(rig.exporter.numbers(), ElementsAre(1U, 2U, 3U));
  EXPECT_FALSE(rig.replay.is_idle());
}

TEST(Replay, NewBatchesHaveTheOtherHalf) {
  ReplayRig rig;
  rig.replay.pump();
  for (std::uint64_t n = 0; n < 5; ++n)
    rig.delivery.send({.signal = Signal::kLogs, .number = 100 + n, .request = "r", .records = 1});
  EXPECT_THAT(rig.exporter.numbers(), ElementsAre(1U, 2U, 100U, 101U));
}

TEST(Replay, WhileTheDestinationIsAwayTheOldestRowIsTheProbe) {
  ReplayRig rig;
  rig.go_away();
  const TimePoint now = Clock::now();
  rig.replay.pump(now);
  EXPECT_THAT(rig.exporter.numbers(), IsEmpty()) << "it has failed just now";
  rig.replay.pump(now + milliseconds(200));
  EXPECT_THAT(rig.exporter.numbers(), ElementsAre(1U));
  rig.answer(0, SendOutcome::kRetryable);
  rig.replay.pump(Clock::now() + milliseconds(2000));
  EXPECT_THAT(rig.exporter.numbers(), ElementsAre(1U, 1U));
  EXPECT_EQ(rig.exporter.taken[1].batch->request, "1");
  EXPECT_TRUE(rig.delivery.is_away(0, Signal::kLogs));
  rig.answer(1);
  EXPECT_FALSE(rig.delivery.is_away(0, Signal::kLogs));
  rig.source.settling.at(0).second();
  EXPECT_THAT(rig.exporter.numbers(), ElementsAre(1U, 1U, 2U, 3U));
}

TEST(Replay, WithNothingInTheSpoolWhatWaitsInMemoryIsTried) {
  ReplayRig rig;
  rig.source.ids.clear();
  rig.go_away();
  const TimePoint now = Clock::now();
  rig.replay.pump(now);
  EXPECT_TRUE(rig.delivery.is_away(0, Signal::kLogs));
  rig.replay.pump(now + milliseconds(200));  // finds that there is none
  rig.replay.pump(now + milliseconds(200));
  EXPECT_FALSE(rig.delivery.is_away(0, Signal::kLogs));
}

TEST(Replay, KeepsToItsRate) {
  ReplayRig rig(10);
  const auto sent_by = [&](TimePoint now) {
    rig.replay.pump(now);
    for (std::size_t i = rig.source.settling.size(); i < rig.exporter.taken.size(); ++i) {
      rig.answer(i);
      rig.source.settling.at(i).second();
    }
    return rig.exporter.taken.size();
  };
  const TimePoint now = Clock::now();
  const std::size_t at_once = sent_by(now);
  EXPECT_LE(at_once, 2U) << "ten records a second: the second batch overdraws";
  EXPECT_EQ(sent_by(now + milliseconds(500)), at_once);
  EXPECT_GT(sent_by(now + milliseconds(60'000)), at_once);
}

TEST(Replay, WhatComesInLaterIsFound) {
  ReplayRig rig;
  rig.source.ids = {1};
  rig.replay.pump();
  rig.answer(0);
  rig.source.settling.at(0).second();
  EXPECT_TRUE(rig.replay.is_idle());
  rig.source.ids = {1, 7};
  rig.replay.pump();
  EXPECT_EQ(rig.exporter.taken.size(), 1U);
  rig.replay.look_again(0, Signal::kLogs);
  rig.replay.pump();
  EXPECT_THAT(rig.exporter.numbers(), ElementsAre(1U, 7U));
}

}  // namespace
}  // namespace shmring::flusher
