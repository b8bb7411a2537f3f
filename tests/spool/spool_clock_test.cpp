// SPDX-License-Identifier: Apache-2.0
#include "spool/spool_clock.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <time.h>

namespace shmring::spool {
namespace {

constexpr long long kYear = 365LL * 24 * 3600 * 1'000'000'000;

long long wall_ns() {
  timespec time{};
  clock_gettime(CLOCK_REALTIME, &time);
  return time.tv_sec * 1'000'000'000LL + time.tv_nsec;
}

TEST(SpoolClock, GoesOnWhereItWas) {
  const SpoolClock clock;
  const SpoolClock later = SpoolClock::restore(clock.save());
  EXPECT_GE(later.now_ns(), clock.now_ns() - 1'000'000'000);
}

TEST(SpoolClock, AStepOfTheWallClockMovesNothingWithinABoot) {
  const SpoolClock clock;
  std::string saved = clock.save();
  saved.resize(saved.rfind(' ') + 1);
  saved += std::to_string(wall_ns() - kYear);  // as if that had been a year ago
  EXPECT_LT(SpoolClock::restore(saved).now_ns(), clock.now_ns() + 60'000'000'000);
}

TEST(SpoolClock, OverARebootTheWallClockSaysHowLongItTook) {
  const std::string saved = fmt::format("another-boot {} {} {}", 0, 5'000'000'000, wall_ns() - kYear);
  EXPECT_GE(SpoolClock::restore(saved).now_ns(), kYear);
  const std::string backwards = fmt::format("another-boot {} {} {}", 0, 5'000'000'000, wall_ns() + kYear);
  EXPECT_LT(SpoolClock::restore(backwards).now_ns(), kYear);
}

}  // namespace
}  // namespace shmring::spool
