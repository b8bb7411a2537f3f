// SPDX-License-Identifier: Apache-2.0
#include "flusher/retry.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/flusher/fakes.hpp"

namespace shmring::flusher {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::FakeExporter;
using testing::FakeTimers;

constexpr RetryLimits kLimits{milliseconds(100), seconds(10), seconds(60)};

TEST(Backoff, GrowsToItsLimitAndIsJittered) {
  Backoff backoff(kLimits, 1);
  bool is_jittered = false;
  for (unsigned attempt = 0; attempt < 100; ++attempt) {
    const auto grown = attempt < 7 ? milliseconds(100) * (1 << attempt) : milliseconds(10'000);
    const auto first = backoff.wait(attempt, std::nullopt);
    const auto second = backoff.wait(attempt, std::nullopt);
    EXPECT_GE(first, grown / 2);
    EXPECT_LE(first, grown);
    is_jittered = is_jittered || first != second;
  }
  EXPECT_TRUE(is_jittered);
}

TEST(Backoff, HonoursWhatTheServerAsksForUpToALimit) {
  Backoff backoff(kLimits, 1);
  for (int i = 0; i < 100; ++i) {
    EXPECT_GE(backoff.wait(0, seconds(5)), seconds(5));
    EXPECT_LE(backoff.wait(0, seconds(5)), seconds(10));
    EXPECT_EQ(backoff.wait(0, seconds(1'000'000)), seconds(60));
    EXPECT_LE(backoff.wait(0, seconds(-5)), milliseconds(100));
  }
}

struct Retrying {
  FakeTimers timers;
  Log log{LogLevel::kError, [](std::string_view) {}};
  std::uint64_t duplicates = 0;
  FakeExporter* next = new FakeExporter;
  RetryingExporter exporter{
      std::unique_ptr<Exporter>(next),
      timers,
      log,
      {.name = "otlp", .limits = kLimits, .seed = 1, .on_possible_duplicates = [this](const Batch& batch) {
         duplicates += batch.records;
       }}};
  std::vector<SendResult> results;

  void submit() {
    exporter.submit(std::make_shared<const Batch>(Batch{.request = "r", .records = 10}),
                    [this](const SendResult& result) { results.push_back(result); });
  }
};

TEST(RetryingExporter, NeverGivesUpWhatCanBeRepeated) {
  Retrying retrying;
  retrying.submit();
  for (std::size_t i = 0; i < 1000; ++i) {
    retrying.next->answer(i, {.outcome = SendOutcome::kRetryable});
    ASSERT_EQ(retrying.timers.waiting.size(), 1U);
    retrying.timers.run_all();
  }
  EXPECT_TRUE(retrying.results.empty());
  retrying.next->answer(1000);
  ASSERT_EQ(retrying.results.size(), 1U);
  EXPECT_EQ(retrying.results[0].outcome, SendOutcome::kAccepted);
  EXPECT_EQ(retrying.duplicates, 0U);
}

TEST(RetryingExporter, NeverRepeatsWhatWasRefusedOrPartlyAccepted) {
  Retrying retrying;
  retrying.submit();
  retrying.submit();
  retrying.next->answer(0, {.outcome = SendOutcome::kRejected});
  retrying.next->answer(1, {.rejected = 3});
  EXPECT_TRUE(retrying.timers.waiting.empty());
  ASSERT_EQ(retrying.results.size(), 2U);
  EXPECT_EQ(retrying.results[1].rejected, 3U);
}

TEST(RetryingExporter, CountsABatchThatMayHaveArrivedOnce) {
  Retrying retrying;
  retrying.submit();
  for (std::size_t i = 0; i < 5; ++i) {
    retrying.next->answer(i, {.outcome = SendOutcome::kRetryable, .may_have_arrived = i > 0});
    retrying.timers.run_all();
  }
  EXPECT_EQ(retrying.duplicates, 10U);
}

TEST(RetryingExporter, GivesBackWhatWaitsAndWhatFailsFromThenOn) {
  Retrying rig;
  rig.submit();
  rig.submit();
  rig.next->answer(0, {.outcome = SendOutcome::kRetryable, .reason = "away"});
  rig.exporter.set_patience(Signal::kTraces, Patience::kGiveBack);
  EXPECT_TRUE(rig.results.empty());
  rig.exporter.set_patience(Signal::kLogs, Patience::kGiveBack);
  ASSERT_EQ(rig.results.size(), 1U);
  EXPECT_EQ(rig.results[0].outcome, SendOutcome::kRetryable);
  EXPECT_EQ(rig.results[0].reason, "away");
  rig.next->answer(1, {.outcome = SendOutcome::kRetryable});
  EXPECT_EQ(rig.results.size(), 2U);
  rig.timers.run_all();
  EXPECT_EQ(rig.next->taken.size(), 2U) << "a batch that was given back is tried by its owner";
  rig.exporter.set_patience(Signal::kLogs, Patience::kRetry);
  rig.submit();
  rig.next->answer(2, {.outcome = SendOutcome::kRetryable});
  rig.timers.run_all();
  EXPECT_EQ(rig.next->taken.size(), 4U);
}

}  // namespace
}  // namespace shmring::flusher
