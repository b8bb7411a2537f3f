// SPDX-License-Identifier: Apache-2.0
// When a holder of the lease counts as stale.
#include "tools/flusher_view.hpp"

#include <gtest/gtest.h>

namespace shmring::tools {
namespace {

using namespace std::chrono_literals;

TEST(FlusherState, IsStaleAfterFiveIntervals) {
  EXPECT_EQ(state_of_holder(5s, 1s), FlusherState::kRunning);
  EXPECT_EQ(state_of_holder(5001ms, 1s), FlusherState::kStale);
}

TEST(FlusherState, IsNotStaleBeforeTwoSecondsHoweverShortTheInterval) {
  EXPECT_EQ(state_of_holder(2s, 10ms), FlusherState::kRunning);
  EXPECT_EQ(state_of_holder(2001ms, 10ms), FlusherState::kStale);
  EXPECT_EQ(state_of_holder(2001ms, 0ms), FlusherState::kStale);
}

}  // namespace
}  // namespace shmring::tools
