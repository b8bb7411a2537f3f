// SPDX-License-Identifier: Apache-2.0
#include "flusher/health.hpp"

#include <gtest/gtest.h>

namespace shmring::flusher {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

const TimePoint kStart{std::chrono::hours(1)};

TEST(Health, IsAliveForThreeIntervalsAfterATickAndNeverLessThanASecond) {
  Health health;
  health.begin_serving(kStart, seconds(10));
  EXPECT_TRUE(health.alive(kStart + seconds(30)).is_good);
  EXPECT_FALSE(health.alive(kStart + seconds(31)).is_good);
  EXPECT_FALSE(health.ready(kStart + seconds(31)).is_good);
  health.on_tick(kStart + seconds(31));
  EXPECT_TRUE(health.alive(kStart + seconds(60)).is_good);
  Health fast;
  fast.begin_serving(kStart, milliseconds(10));
  EXPECT_TRUE(fast.alive(kStart + milliseconds(999)).is_good);
  EXPECT_FALSE(fast.alive(kStart + milliseconds(1001)).is_good);
}

TEST(Health, AStandbyIsAliveAndNotReady) {
  Health health;
  EXPECT_TRUE(health.alive(kStart).is_good);
  EXPECT_FALSE(health.ready(kStart).is_good);
  health.begin_serving(kStart, seconds(1));
  EXPECT_TRUE(health.ready(kStart).is_good);
  health.end_serving();
  EXPECT_FALSE(health.ready(kStart).is_good);
}

TEST(Health, IsReadyWhileSomeDestinationAnswers) {
  Health health;
  health.begin_serving(kStart, seconds(1));
  EXPECT_TRUE(health.ready(kStart).is_good);  // nothing was due
  health.on_attempt("otlp", Signal::kLogs, Answered::kNo);
  EXPECT_FALSE(health.ready(kStart).is_good);
  health.on_attempt("file", Signal::kLogs, Answered::kYes);
  EXPECT_TRUE(health.ready(kStart).is_good);
  health.on_attempt("file", Signal::kLogs, Answered::kNo);
  EXPECT_FALSE(health.ready(kStart).is_good);
}

}  // namespace
}  // namespace shmring::flusher
