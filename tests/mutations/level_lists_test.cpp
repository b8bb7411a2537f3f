// SPDX-License-Identifier: Apache-2.0
// A level that looks for forgotten blocks knows what the other one lists (R20).
#include "shmring/writer.hpp"

#include "tests/libshmring/ring_test_support.hpp"

namespace shmring {
namespace {

using test::TestRing;

TEST(LevelThatLooksForForgottenBlocks, KnowsTheOtherLevelsList) {
  const TestRing ring({.blocks = 8});
  const Ring opened = ring.open();
  {
    auto outer = opened.writer().try_reserve(RecordKind::kLog, 8);
    ASSERT_TRUE(outer);
    ASSERT_TRUE(test::emit(opened, "the second level's"));  // as a handler does that comes now
  }
  ASSERT_EQ(ring.blocks_in(BlockState::kOpen), 2U);
  this_thread_writers->levels[0].claiming.store(true);  // as if it had been torn out of a claim
  ASSERT_TRUE(test::emit(opened, std::string(3000, 'x')));
  ASSERT_TRUE(test::emit(opened, std::string(3000, 'y')));  // a claim, which looks
  EXPECT_FALSE(this_thread_writers->levels[0].claiming.load());
  EXPECT_EQ(ring.blocks_in(BlockState::kSealed), 1U);  // the first level's full one
  EXPECT_EQ(ring.blocks_in(BlockState::kOpen), 2U);
}

}  // namespace
}  // namespace shmring
