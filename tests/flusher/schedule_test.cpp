// SPDX-License-Identifier: Apache-2.0
#include "flusher/schedule.hpp"

#include <gtest/gtest.h>

namespace shmring::flusher {
namespace {

using std::chrono::milliseconds;

constexpr TimePoint kFirstTick{std::chrono::hours(5)};
constexpr auto kInterval = milliseconds(200);

TEST(Schedule, TheFirstTickComesOneIntervalAfterTheStart) {
  Schedule schedule(kFirstTick, kInterval);
  EXPECT_FALSE(schedule.is_due(kFirstTick));
  EXPECT_FALSE(schedule.is_due(kFirstTick + milliseconds(199)));
  EXPECT_TRUE(schedule.is_due(kFirstTick + milliseconds(200)));
  EXPECT_FALSE(schedule.is_due(kFirstTick + milliseconds(200)));
}

TEST(Schedule, LateTicksDoNotMoveTheGrid) {
  Schedule schedule(kFirstTick, kInterval);
  for (int n = 1; n <= 1000; ++n) {
    EXPECT_EQ(schedule.deadline(), kFirstTick + n * kInterval);
    EXPECT_TRUE(schedule.is_due(kFirstTick + n * kInterval + milliseconds(150)));  // each time late
  }
  EXPECT_EQ(schedule.missed(), 0U);
}

TEST(Schedule, MissedTicksBecomeOneAndAreCounted) {
  Schedule schedule(kFirstTick, kInterval);
  EXPECT_TRUE(schedule.is_due(kFirstTick + milliseconds(1050)));  // of 200, 400, 600, 800, 1000
  EXPECT_EQ(schedule.missed(), 4U);
  EXPECT_FALSE(schedule.is_due(kFirstTick + milliseconds(1199)));
  EXPECT_TRUE(schedule.is_due(kFirstTick + milliseconds(1200)));
  EXPECT_EQ(schedule.missed(), 4U);
}

TEST(Schedule, AClockThatIsExactlyOnATickMissesNone) {
  Schedule schedule(kFirstTick, kInterval);
  EXPECT_TRUE(schedule.is_due(kFirstTick + 2 * kInterval));
  EXPECT_EQ(schedule.missed(), 1U);
  EXPECT_EQ(schedule.deadline(), kFirstTick + 3 * kInterval);
}

TEST(Schedules, EachSignalTicksAtItsOwnInterval) {
  Schedules schedules(kFirstTick, {milliseconds(200), milliseconds(200), milliseconds(1000)});
  EXPECT_EQ(schedules.deadline(), kFirstTick + milliseconds(200));
  EXPECT_EQ(schedules.due(kFirstTick + milliseconds(200)), (SignalSet{true, true, false}));
  EXPECT_EQ(schedules.due(kFirstTick + milliseconds(201)), (SignalSet{false, false, false}));
  EXPECT_EQ(schedules.due(kFirstTick + milliseconds(1000)), kAllSignals);
  EXPECT_EQ(schedules.missed(), 3U);  // of the first two: 400, 600, 800
}

}  // namespace
}  // namespace shmring::flusher
