// SPDX-License-Identifier: Apache-2.0
// A ring without a free block: drop, or wait for a while, and count.
#include <gtest/gtest.h>

#include "tests/libshmring/ring_test_support.hpp"

namespace shmring {
namespace {

using namespace std::chrono_literals;
using test::emit;
using test::RingShape;
using test::TestRing;

void fill_up(const TestRing& ring) {
  for (std::uint32_t i = 0; i < ring.file().geometry().block_count; ++i) test::seal_with(ring, i, {"x"});
}

RingShape blocking(std::chrono::microseconds timeout) {
  return {.on_full = FullPolicy::kBlock, .block_timeout = timeout};
}

TEST(DropNewest, DropsAndCountsBySignalInTheSlot) {
  const TestRing ring;
  fill_up(ring);
  const Ring opened = ring.open();
  EXPECT_FALSE(emit(opened, "a"));
  EXPECT_FALSE(emit(opened, "b"));
  EXPECT_FALSE(emit(opened, "c", RecordKind::kMetric));
  EXPECT_EQ(ring.slot_drops(0, DropCause::kRingFull), 2U);
  EXPECT_EQ(ring.slot_drops(0, DropCause::kRingFull, Signal::kMetrics), 1U);
  EXPECT_NE(ring.slot(0).first_drop_unix_ns.load(), 0U);
  EXPECT_GE(ring.slot(0).last_drop_unix_ns.load(), ring.slot(0).first_drop_unix_ns.load());
  EXPECT_EQ(ring.header().wake.load(), 1U);
}

TEST(DropNewest, WritesAgainOnceABlockWasRecycled) {
  const TestRing ring;
  fill_up(ring);
  const Ring opened = ring.open();
  ASSERT_FALSE(emit(opened, "a"));
  test::Flusher flusher(ring);
  const auto slices = flusher.drain();
  ASSERT_EQ(slices.size(), 4U);
  ASSERT_EQ(flusher.accept(slices[0].key), Reader::Acknowledged::kDone);
  EXPECT_TRUE(emit(opened, "b"));
}

TEST(DropNewest, DropsTooLargeARecordBeforeItClaimsABlock) {
  const TestRing ring;
  const Ring opened = ring.open();
  EXPECT_FALSE(opened.writer().try_reserve(RecordKind::kLog, opened.max_payload() + 1));
  EXPECT_FALSE(opened.writer().try_reserve(RecordKind::kLog, ~std::size_t{0}));
  EXPECT_EQ(ring.slot_drops(0, DropCause::kTooLarge), 2U);
  EXPECT_EQ(ring.blocks_in(BlockState::kFree), 4U);
  EXPECT_TRUE(opened.writer().try_reserve(RecordKind::kLog, opened.max_payload(),
                                          opened.scope({std::string(5000, 'n')})));
}

TEST(DropNewest, KeepsTheOpenBlockForRecordsThatStillFit) {
  const TestRing ring;
  for (std::uint32_t i = 1; i < 4; ++i) test::seal_with(ring, i, {"x"});
  const Ring opened = ring.open();
  ASSERT_TRUE(emit(opened, std::string(2000, 'a')));
  EXPECT_FALSE(emit(opened, std::string(2000, 'b')));
  EXPECT_TRUE(emit(opened, std::string(200, 'c')));
  EXPECT_EQ(ring.committed(0).count(), 2U);
  EXPECT_EQ(ring.state(0).state, BlockState::kOpen);
}

TEST(DropNewest, KeepsOneSignalsDropsFromAnothersRoom) {
  const TestRing ring;
  for (std::uint32_t i = 1; i < 4; ++i) test::seal_with(ring, i, {"x"});
  fill_block(ring, 0, {.state = BlockState::kOpen, .writer = 3, .writer_generation = 5},
             test::BlockText(Signal::kTraces).resource("r").record("orphan"));
  const Ring opened = ring.open();
  EXPECT_FALSE(emit(opened, "log"));
  EXPECT_TRUE(emit(opened, "span", RecordKind::kSpan));
}

TEST(Block, GivesUpAfterItsTimeout) {
  const TestRing ring(blocking(2ms));
  fill_up(ring);
  const auto before = std::chrono::steady_clock::now();
  EXPECT_FALSE(emit(ring.open(), "a"));
  EXPECT_GE(std::chrono::steady_clock::now() - before, 2ms);
  EXPECT_EQ(ring.slot_drops(0, DropCause::kBlockTimeout), 1U);
  EXPECT_EQ(ring.slot_drops(0, DropCause::kRingFull), 0U);
  EXPECT_EQ(ring.header().waiters.load(), 0U);
}

TEST(Block, DoesNotWaitAtAllWithATimeoutOfZero) {
  const TestRing ring(blocking(0us));
  fill_up(ring);
  EXPECT_FALSE(emit(ring.open(), "a"));
  EXPECT_EQ(ring.slot_drops(0, DropCause::kBlockTimeout), 1U);
}

TEST(Block, DoesNotWaitWhereThereIsRoom) {
  const TestRing ring(blocking(60s));
  EXPECT_TRUE(emit(ring.open(), "a"));
}

TEST(Block, WakesAWaiterWhenABlockIsRecycled) {
  const TestRing ring(blocking(60s));
  fill_up(ring);
  const Ring opened = ring.open();
  std::atomic<bool> written = false;
  std::thread writer([&] { written = emit(opened, "a"); });
  ASSERT_TRUE(test::eventually([&] { return ring.header().waiters.load() == 1; }));
  const std::uint32_t freed = ring.header().freed.load();
  test::Flusher flusher(ring);
  const auto slices = flusher.drain();
  ASSERT_EQ(flusher.accept(slices[0].key), Reader::Acknowledged::kDone);
  writer.join();
  EXPECT_TRUE(written);
  EXPECT_EQ(ring.header().freed.load(), freed + 1);
  EXPECT_EQ(ring.header().waiters.load(), 0U);
}

TEST(Block, FindsTheBlockOfAnOwnerThatDiesMeanwhile) {
  const TestRing ring(blocking(60s));
  fill_up(ring);
  test::hold_slot(ring.slot(3), 5, test::own_tid());
  fill_block(ring, 2, {.state = BlockState::kOpen, .writer = 3, .writer_generation = 5},
             test::BlockText().resource("r").record("old"));
  const Ring opened = ring.open();
  std::atomic<bool> written = false;
  std::thread writer([&] { written = emit(opened, "a"); });
  ASSERT_TRUE(test::eventually([&] { return ring.header().waiters.load() == 1; }));
  test::mark_died(ring.slot(3));
  writer.join();
  EXPECT_TRUE(written);
  EXPECT_EQ(ring.committed(2).count(), 2U);
}

TEST(Block, ObeysAPolicyThatIsChangedWhileItWaits) {
  const TestRing ring(blocking(60s));
  fill_up(ring);
  const Ring opened = ring.open();
  std::thread writer([&] { EXPECT_FALSE(emit(opened, "a")); });
  ASSERT_TRUE(test::eventually([&] { return ring.header().waiters.load() == 1; }));
  ring.header().on_full.store(static_cast<std::uint32_t>(FullPolicy::kDropNewest));
  writer.join();
  EXPECT_EQ(ring.slot_drops(0, DropCause::kRingFull), 1U);
}

}  // namespace
}  // namespace shmring
