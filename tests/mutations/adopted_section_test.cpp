// SPDX-License-Identifier: Apache-2.0
// Who adopts a block begins a section of its own: its records are not its predecessor's (R9).
#include "tests/libshmring/ring_test_support.hpp"

namespace shmring {
namespace {

using test::TestRing;

TEST(Adopter, BeginsASectionOfItsOwn) {
  const TestRing ring;
  const Ring opened = ring.open();
  test::mark_died(ring.slot(3));
  ring.slot(3).claim.store(ClaimWord{.generation = 1, .phase = SlotPhase::kHeld}.pack());
  test::BlockText text;
  text.resource("the predecessor").scope(1, "its scope").record("its record", 1);
  test::fill_block(ring, 0, {.state = BlockState::kOpen, .writer = 3, .writer_generation = 1}, text);
  const ScopeId scope = opened.scope({.name = "another scope"});
  ASSERT_EQ(scope.value, 1U);
  ASSERT_TRUE(test::emit(opened, "an adopter's record", RecordKind::kLog, scope));
  ASSERT_EQ(ring.state(0).writer, 0U);

  test::Flusher flusher(ring);
  const std::vector<Slice> slices = flusher.drain();
  ASSERT_EQ(slices.size(), 1U);
  SliceWalk walk(slices[0]);
  const auto first = walk.next();
  const auto second = walk.next();
  ASSERT_TRUE(first && second);
  EXPECT_EQ(test::text_of(first->resource), "the predecessor");
  EXPECT_EQ(test::text_of(first->scope), "its scope");
  EXPECT_NE(test::text_of(second->resource), "the predecessor");
  EXPECT_NE(test::text_of(second->resource), "");
  EXPECT_NE(test::text_of(second->scope), "its scope");
}

}  // namespace
}  // namespace shmring
