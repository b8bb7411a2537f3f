// SPDX-License-Identifier: Apache-2.0
// The rate of the time stamp counter, measured by readings that are made by hand.
#include "libshmring/tick_clock.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <random>

#include "libshmring/tick_times.hpp"

namespace shmring {
namespace {

constexpr std::uint64_t kSecond = 1'000'000'000;
constexpr std::uint64_t kMillisecond = 1'000'000;
constexpr std::uint64_t kTwoGigahertz = std::uint64_t{1} << 31U;  // nanoseconds for 2^32 ticks
constexpr std::uint64_t kFirstTick = 1'000'000, kBooted = 5'000'000, kUnix = 1'790'000'000 * kSecond;

/// Two ticks to the nanosecond, so long after the first look.
ClockReading after(std::uint64_t ns) {
  return {.ticks = kFirstTick + 2 * ns, .monotonic_ns = kBooted + ns, .unix_ns = kUnix + ns};
}

Calibration begun() { return {.ticks = kFirstTick, .monotonic_ns = kBooted}; }

/// One that has seen a window of a second, at after(kSecond).
Calibration known() {
  Calibration calibration = begun();
  EXPECT_TRUE(anchor_at(after(kSecond), calibration));
  return calibration;
}

void expect_begun_anew(const Calibration& calibration, const ClockReading& now) {
  EXPECT_EQ(calibration.ticks, now.ticks);
  EXPECT_EQ(calibration.monotonic_ns, now.monotonic_ns);
  EXPECT_EQ(calibration.rate, 0U);
}

TEST(AnchorAt, SaysWhatTheReadingSaysAndAtWhichRateTheCounterRuns) {
  Calibration calibration = begun();
  const auto anchor = anchor_at(after(20'000), calibration);
  ASSERT_TRUE(anchor);
  EXPECT_EQ(anchor->clock.ticks, after(20'000).ticks);
  EXPECT_EQ(anchor->clock.unix_ns, kUnix + 20'000);
  EXPECT_EQ(anchor->clock.rate, kTwoGigahertz);
}

TEST(AnchorAt, BeginsWithTheFirstReading) {
  Calibration calibration;
  EXPECT_FALSE(anchor_at(after(0), calibration));
  expect_begun_anew(calibration, after(0));
  EXPECT_TRUE(anchor_at(after(10'000), calibration));
}

TEST(AnchorAt, AsksForAnotherReadingWhenTheFirstIsTooYoung) {
  Calibration calibration = begun();
  for (const std::uint64_t ns : {1U, 5'000U, 9'999U}) EXPECT_FALSE(anchor_at(after(ns), calibration)) << ns;
  expect_begun_anew(calibration, after(0));  // the first look stays where it was
  EXPECT_TRUE(anchor_at(after(10'000), calibration));
}

TEST(AnchorAt, HoldsNoLongerThanItWasMeasuredUntilAWindowIsOver) {
  Calibration calibration = begun();
  for (const std::uint64_t ns : {10'000U, 15'000U, 1'000'000U, 400'000'000U, 999'999'999U}) {
    const auto anchor = anchor_at(after(ns), calibration);
    ASSERT_TRUE(anchor) << ns;
    EXPECT_EQ(anchor->holds_ticks, 2 * ns);
    expect_begun_anew(calibration, after(0));  // measured from the first look on, and not kept
  }
}

TEST(AnchorAt, KeepsTheRateOfAWindowOfASecond) {
  Calibration calibration = begun();
  const auto anchor = anchor_at(after(kSecond), calibration);
  ASSERT_TRUE(anchor);
  EXPECT_EQ(anchor->holds_ticks, 2 * kSecond);
  EXPECT_EQ(calibration.rate, kTwoGigahertz);
  EXPECT_EQ(calibration.ticks, after(kSecond).ticks);
  EXPECT_EQ(calibration.monotonic_ns, after(kSecond).monotonic_ns);
}

TEST(AnchorAt, HoldsForASecondHoweverLongTheWindowWas) {
  Calibration calibration = begun();
  const auto anchor = anchor_at(after(3600 * kSecond), calibration);
  ASSERT_TRUE(anchor);
  EXPECT_EQ(anchor->holds_ticks, 2 * kSecond);
  EXPECT_EQ(anchor->clock.rate, kTwoGigahertz);
}

TEST(AnchorAt, TakesTheKnownRateWithinAWindow) {
  Calibration calibration = known();
  const Calibration before = calibration;
  ClockReading late = after(kSecond + 10 * kMillisecond);
  late.ticks += 10'000;  // a reading that was interrupted for 5 us
  const auto anchor = anchor_at(late, calibration);
  ASSERT_TRUE(anchor);
  EXPECT_EQ(anchor->clock.rate, kTwoGigahertz);
  EXPECT_EQ(anchor->clock.ticks, late.ticks);
  EXPECT_EQ(anchor->holds_ticks, 2 * kSecond);
  EXPECT_EQ(calibration.ticks, before.ticks);
  EXPECT_EQ(calibration.rate, before.rate);
}

TEST(AnchorAt, TakesTheKnownRateAtOnce) {
  Calibration calibration = known();
  EXPECT_TRUE(anchor_at(after(kSecond + 1), calibration));
  EXPECT_EQ(calibration.rate, kTwoGigahertz);
}

TEST(AnchorAt, FollowsARateThatDrifts) {
  Calibration calibration = known();
  ClockReading later = after(3 * kSecond);
  later.ticks += 4 * kSecond / 10'000;  // a ten-thousandth faster over two seconds
  const auto anchor = anchor_at(later, calibration);
  ASSERT_TRUE(anchor);
  EXPECT_LT(anchor->clock.rate, kTwoGigahertz);
  EXPECT_NEAR(static_cast<double>(anchor->clock.rate), 0x1p31 / 1.0001, 2.0);
  EXPECT_EQ(calibration.rate, anchor->clock.rate);
  EXPECT_EQ(calibration.ticks, later.ticks);
}

TEST(AnchorAt, BeginsAnewWhereAClockHasJumped) {
  for (const std::uint64_t ns : {kMillisecond, 100 * kMillisecond, kSecond, 60 * kSecond}) {
    for (const std::int64_t off : {-4, 4}) {  // thousandths
      Calibration calibration = known();
      ClockReading now = after(kSecond + ns);
      now.ticks += 2 * ns / 1000 * static_cast<std::uint64_t>(off);
      EXPECT_FALSE(anchor_at(now, calibration)) << ns << " " << off;
      expect_begun_anew(calibration, now);
    }
  }
}

TEST(AnchorAt, CallsNoReadingsOwnErrorAJump) {
  Calibration calibration = known();
  ClockReading now = after(kSecond + kMillisecond / 10);
  now.ticks += 2'000;  // a microsecond of a tenth of a millisecond
  EXPECT_TRUE(anchor_at(now, calibration));
  EXPECT_EQ(calibration.rate, kTwoGigahertz);
}

TEST(AnchorAt, BeginsAnewWhereTheCounterStandsStillOrRunsBackwards) {
  for (const bool is_known : {false, true}) {
    for (const std::uint64_t back : {0U, 1U, 1'000'000U}) {
      Calibration calibration = is_known ? known() : begun();
      ClockReading now = after(5 * kSecond);
      now.ticks = calibration.ticks - back;
      EXPECT_FALSE(anchor_at(now, calibration)) << back;
      expect_begun_anew(calibration, now);
    }
  }
}

TEST(AnchorAt, BeginsAnewWhereTheMonotonicClockRunsBackwards) {
  for (const bool is_known : {false, true}) {
    Calibration calibration = is_known ? known() : begun();
    ClockReading now = after(5 * kSecond);
    now.monotonic_ns = calibration.monotonic_ns - 1;
    EXPECT_FALSE(anchor_at(now, calibration));
    expect_begun_anew(calibration, now);
  }
}

TEST(AnchorAt, BeginsAnewWhereNoProcessorIsThatFast) {
  Calibration calibration = begun();
  ClockReading now = after(10'000);
  now.ticks = kFirstTick + (std::uint64_t{1} << 60U);
  EXPECT_FALSE(anchor_at(now, calibration));
  expect_begun_anew(calibration, now);
}

TEST(AnchorAt, ErrsNeverByMoreThanItsReadings) {
  constexpr int kReadingError = 60;  // nanoseconds at most, to either side
  std::mt19937_64 random(3);
  std::uniform_int_distribution<int> error(-kReadingError, kReadingError);
  const auto read = [&](std::uint64_t ns) {
    ClockReading reading = after(ns);
    const auto off = static_cast<std::uint64_t>(static_cast<std::int64_t>(error(random)));
    reading.monotonic_ns += off;
    reading.unix_ns += off;
    return reading;
  };
  for (int round = 0; round < 2000; ++round) {
    const ClockReading first = read(0);
    Calibration calibration{.ticks = first.ticks, .monotonic_ns = first.monotonic_ns};
    const std::uint64_t ns = 10'200 + random() % (2 * kSecond >> random() % 18U);
    const auto anchor = anchor_at(read(ns), calibration);
    ASSERT_TRUE(anchor) << ns;
    const std::uint64_t later = ns + random() % (anchor->holds_ticks / 2);
    const auto at = static_cast<std::int64_t>(unix_ns_of(anchor->clock, after(later).ticks));
    ASSERT_LE(std::abs(at - static_cast<std::int64_t>(kUnix + later)), 3 * kReadingError + 1)
        << ns << " " << later;
  }
}

TEST(TickAnchor, HoldsFromItsMomentOn) {
  const TickAnchor anchor{.clock = {.ticks = 1000, .unix_ns = 1, .rate = 1}, .holds_ticks = 10};
  EXPECT_FALSE(anchor.holds_for(999));
  EXPECT_TRUE(anchor.holds_for(1000));
  EXPECT_TRUE(anchor.holds_for(1009));
  EXPECT_FALSE(anchor.holds_for(1010));
  EXPECT_FALSE(TickAnchor{}.holds_for(0));
}

TEST(Usable, ChangesNoClockButTheCounter) {
  EXPECT_EQ(usable(Clock::kRealtime), Clock::kRealtime);
  EXPECT_EQ(usable(Clock::kCoarse), Clock::kCoarse);
  EXPECT_NE(usable(Clock::kTsc), Clock::kCoarse);
}

TEST(AnchorNow, IsThePresentMomentByBothClocks) {
  if (usable(Clock::kTsc) != Clock::kTsc) GTEST_SKIP() << "no time stamp counter that can be relied on here";
  Calibration calibration;  // of which it begins itself
  for (int i = 0; i < 3; ++i) {
    const std::uint64_t tick_before = read_tsc();
    const std::uint64_t before = unix_time_ns();
    const TickAnchor anchor = anchor_now(calibration);
    const std::uint64_t after = unix_time_ns();
    EXPECT_GE(anchor.clock.unix_ns, before);
    EXPECT_LE(anchor.clock.unix_ns, after);
    EXPECT_GT(anchor.clock.ticks, tick_before);
    EXPECT_GT(anchor.clock.rate, 0U);
    EXPECT_GT(anchor.holds_ticks, 0U);
  }
  const Calibration now = calibration_now();
  EXPECT_GT(now.ticks, calibration.ticks);
  EXPECT_GT(now.monotonic_ns, calibration.monotonic_ns);
  EXPECT_EQ(now.rate, 0U);
}

}  // namespace
}  // namespace shmring
