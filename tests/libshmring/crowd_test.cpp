// SPDX-License-Identifier: Apache-2.0
// Threads that hold blocks and sleep leave a part of the ring to everybody else.
#include "libshmring/crowd.hpp"

#include <gtest/gtest.h>

#include <condition_variable>
#include <mutex>

#include "tests/libshmring/ring_test_support.hpp"

namespace shmring {
namespace {

using test::emit;
using test::TestRing;

constexpr std::uint64_t kNow = 1'000'000'000;

/// Blocks that are OPEN, of a slot's holder who lives or not; the header's estimate of free blocks follows.
void open_blocks(const TestRing& ring, std::uint32_t count, std::uint16_t writer) {
  const std::uint32_t generation = 7;
  for (std::uint32_t index = 0; index < count; ++index) {
    fill_block(ring, index, {.state = BlockState::kOpen, .writer = writer, .writer_generation = generation},
               test::BlockText().resource("r"));
  }
  test::hold_slot(ring.slot(writer), generation, test::own_tid());
  ring.header().free_blocks.store(ring.blocks_in(BlockState::kFree));
}

TEST(Crowd, LeavesABlockToEverybodyWhileAQuarterIsFree) {
  const TestRing ring({.blocks = 64});
  open_blocks(ring, 48, 1);
  EXPECT_EQ(Crowd().room(ring.file(), kNow), Room::kForAll);
}

TEST(Crowd, LeavesABlockToTheBusyBelowAQuarterAndToNobodyBelowAnEighth) {
  const TestRing ring({.blocks = 64});
  open_blocks(ring, 49, 1);
  EXPECT_EQ(Crowd().room(ring.file(), kNow), Room::kForTheBusy);
  open_blocks(ring, 56, 1);
  EXPECT_EQ(Crowd().room(ring.file(), kNow), Room::kForTheBusy);
  open_blocks(ring, 57, 1);
  EXPECT_EQ(Crowd().room(ring.file(), kNow), Room::kForNobody);
  ring.header().free_blocks.store(~std::uint32_t{0});  // an estimate that ran below zero
  EXPECT_EQ(Crowd().room(ring.file(), kNow), Room::kForNobody);
}

TEST(Crowd, IsNoneOfBlocksThatWaitForTheFlusherOrWhoseOwnersAreGone) {
  const TestRing sealed({.blocks = 64});
  for (std::uint32_t index = 0; index < 64; ++index) test::seal_with(sealed, index, {"x"});
  sealed.header().free_blocks.store(0);
  EXPECT_EQ(Crowd().room(sealed.file(), kNow), Room::kForAll);
  const TestRing orphans({.blocks = 64});
  open_blocks(orphans, 60, 1);
  test::mark_died(orphans.slot(1));
  EXPECT_EQ(Crowd().room(orphans.file(), kNow), Room::kForAll);
}

TEST(Crowd, IsLookedForAgainLaterOrWhenManyBlocksWereClaimed) {
  const TestRing ring({.blocks = 64});
  open_blocks(ring, 52, 1);
  Crowd crowd;
  ASSERT_EQ(crowd.room(ring.file(), kNow), Room::kForTheBusy);
  test::mark_died(ring.slot(1));
  EXPECT_EQ(crowd.room(ring.file(), kNow + 1), Room::kForTheBusy) << "it has looked a moment ago";
  EXPECT_EQ(crowd.room(ring.file(), kNow + 1'000'000'000), Room::kForAll);
  test::hold_slot(ring.slot(1), 7, test::own_tid());
  ring.header().free_blocks.fetch_sub(5);
  EXPECT_EQ(crowd.room(ring.file(), kNow + 1'000'000'001), Room::kForNobody);
}

TEST(NewcomerInACrowd, SealsItsBlockAtTheCommit) {
  const TestRing ring({.blocks = 64});
  open_blocks(ring, 60, 1);
  const Ring opened = ring.open();
  ASSERT_TRUE(emit(opened, "a"));
  ASSERT_TRUE(emit(opened, "b"));
  EXPECT_EQ(ring.blocks_in(BlockState::kSealed), 2U);
  EXPECT_EQ(ring.blocks_in(BlockState::kFree), 2U);
  test::Flusher flusher(ring);
  for (const Slice& slice : flusher.drain())
    ASSERT_EQ(flusher.accept(slice.key), Reader::Acknowledged::kDone);
  EXPECT_EQ(ring.blocks_in(BlockState::kFree), 4U);
}

TEST(NewcomerInACrowd, SealsItsBlockAlsoWhenItAbandonsTheRecord) {
  const TestRing ring({.blocks = 64});
  open_blocks(ring, 60, 1);
  const Ring opened = ring.open();
  ASSERT_TRUE(opened.writer().try_reserve(RecordKind::kLog, 100));  // and gives it up at once
  EXPECT_EQ(ring.blocks_in(BlockState::kSealed), 1U);
  EXPECT_TRUE(emit(opened, "a"));
}

TEST(NewcomerInACrowd, KeepsABlockWhenItGoesOnEmitting) {
  const TestRing ring({.blocks = 64});
  open_blocks(ring, 50, 1);
  const Ring opened = ring.open();
  // Three in a row within a millisecond: sooner or later this thread is not interrupted in between.
  EXPECT_TRUE(test::eventually([&] {
    emit(opened, "a");
    emit(opened, "b");
    emit(opened, "c");
    return ring.blocks_in(BlockState::kOpen) == 51;
  }));
}

TEST(HolderInACrowd, KeepsItsBlockAndTheNextOne) {
  const TestRing ring({.blocks = 64});
  const Ring opened = ring.open();
  ASSERT_TRUE(emit(opened, "a"));
  const std::uint32_t mine = 1;
  for (std::uint32_t index = mine; index < 61; ++index) {
    fill_block(ring, index, {.state = BlockState::kOpen, .writer = 1, .writer_generation = 7},
               test::BlockText().resource("r"));
  }
  test::hold_slot(ring.slot(1), 7, test::own_tid());
  ring.header().free_blocks.store(ring.blocks_in(BlockState::kFree));
  ASSERT_TRUE(emit(opened, std::string(3000, 'b')));
  ASSERT_TRUE(emit(opened, std::string(3000, 'c')));
  EXPECT_EQ(ring.blocks_in(BlockState::kSealed), 1U);
  EXPECT_EQ(ring.blocks_in(BlockState::kOpen), 61U);
}

/// Threads that emit once and sleep until the test ends.
class Sleepers {
 public:
  ~Sleepers() {
    {
      const std::lock_guard lock(mutex_);
      over_ = true;
    }
    wake_.notify_all();
    for (std::thread& thread : threads_) thread.join();
  }
  /// One more. False: its record was refused.
  bool add(const Ring& ring) {
    std::atomic<int> said{0};
    threads_.emplace_back([this, &ring, &said] {
      said = emit(ring, "once") ? 1 : 2;
      std::unique_lock lock(mutex_);
      wake_.wait(lock, [this] { return over_; });
    });
    return test::eventually([&] { return said != 0; }) && said == 1;
  }

 private:
  std::mutex mutex_;
  std::condition_variable wake_;
  bool over_ = false;
  std::vector<std::thread> threads_;
};

TEST(CrowdThreads, AHundredThatSleepLeaveARingOf64BlocksToOneThatWorks) {
  const TestRing ring({.blocks = 64, .writers = 128});
  const Ring opened = ring.open();
  test::Flusher flusher(ring);
  std::size_t arrived = 0;
  const auto drain = [&] {
    for (const Slice& slice : flusher.drain()) {
      arrived += slice.key.records();
      ASSERT_EQ(flusher.accept(slice.key), Reader::Acknowledged::kDone);
    }
  };
  Sleepers sleepers;
  for (int n = 0; n < 100; ++n) {
    ASSERT_TRUE(sleepers.add(opened)) << "thread " << n;
    if (n % 4 == 3) drain();
  }
  drain();
  drain();
  EXPECT_GE(ring.blocks_in(BlockState::kFree), 8U);
  for (int n = 0; n < 400; ++n) {
    ASSERT_TRUE(emit(opened, std::string(200, 'w'))) << "record " << n;
    if (n % 4 == 3) drain();
  }
  drain();
  EXPECT_EQ(arrived, 500U);
}

}  // namespace
}  // namespace shmring
