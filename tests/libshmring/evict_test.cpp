// SPDX-License-Identifier: Apache-2.0
// Policy drop-oldest: what is taken, what is never taken, and that every record has one fate.
#include "libshmring/evict.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "libshmring/accounting.hpp"
#include "tests/libshmring/ring_test_support.hpp"

namespace shmring {
namespace {

using test::emit;
using test::RingShape;
using test::TestRing;

RingShape dropping_oldest(std::uint32_t blocks = 4) {
  return {.blocks = blocks, .on_full = FullPolicy::kDropOldest};
}

void fill_every_block(const TestRing& ring) {
  for (std::uint32_t i = 0; i < ring.file().geometry().block_count; ++i) {
    test::seal_with(ring, i, {"old" + std::to_string(i), "more"});
    ring.descriptor(i).ticket.store(100 - i);  // the last is the oldest
  }
}

TEST(DropOldest, TakesTheBlockThatWasOpenedFirstAndCountsWhatWasInIt) {
  const TestRing ring(dropping_oldest());
  fill_every_block(ring);
  const Ring opened = ring.open();
  ASSERT_TRUE(emit(opened, "new"));
  EXPECT_EQ(ring.state(3).state, BlockState::kOpen);
  EXPECT_EQ(ring.state(3).block_generation, 1U);
  EXPECT_EQ(ring.outcome(3, Outcome::kEvicted), 2U);
  EXPECT_EQ(ring.committed(3).count(), 3U);
  const Accounting accounting = account(ring.file());
  EXPECT_EQ(accounting.closing, Closing::kCloses);
  EXPECT_EQ(accounting.total.dropped_total(), 0U);
  EXPECT_EQ(accounting.total.pending, 7U);
}

TEST(DropOldest, CountsOnlyWhatWasNotExported) {
  const TestRing ring(dropping_oldest());
  fill_every_block(ring);
  ring.descriptor(3).outcomes[0][0][static_cast<std::size_t>(Outcome::kAccepted)].store(
      OutcomeCell{.records = 1}.pack());
  const std::uint32_t first = static_cast<std::uint32_t>(record_bytes(3) + record_bytes(4));
  ring.descriptor(3).exported.store(ExportedWord{.offset_bytes = first, .count = 1}.pack());
  const Ring opened = ring.open();
  ASSERT_TRUE(emit(opened, "new"));
  EXPECT_EQ(ring.outcome(3, Outcome::kEvicted), 1U);
  EXPECT_EQ(ring.outcome(3, Outcome::kAccepted), 1U);
  EXPECT_EQ(account(ring.file()).closing, Closing::kCloses);
}

TEST(DropOldest, BelievesNoMoreThanABlockCanHold) {
  const TestRing ring(dropping_oldest());
  fill_every_block(ring);
  ring.descriptor(3).committed.fetch_xor(std::uint64_t{1} << 60U);  // a flipped bit of the count
  ASSERT_TRUE(emit(ring.open(), "new"));
  EXPECT_EQ(ring.outcome(3, Outcome::kEvicted), 1U);
  EXPECT_EQ(account(ring.file()).closing, Closing::kCloses);
}

TEST(DropOldest, NeverTakesAPinnedBlockNorALiveWritersOwn) {
  const TestRing ring(dropping_oldest());
  fill_every_block(ring);
  StateWord pinned = ring.state(3);
  pinned.pin = Pin::kPinned;
  ring.descriptor(3).state.store(pinned.pack());
  test::hold_slot(ring.slot(2), 5, test::own_tid());
  ring.descriptor(2).state.store(
      StateWord{.state = BlockState::kOpen, .writer = 2, .writer_generation = 5}.pack());
  ring.descriptor(1).state.store(
      StateWord{.state = BlockState::kEvict, .writer = 2, .writer_generation = 5}.pack());
  const Ring opened = ring.open();
  ASSERT_TRUE(emit(opened, "new"));
  EXPECT_EQ(ring.state(0).block_generation, 1U);  // the only one left, though the youngest
  for (std::uint32_t i = 1; i < 4; ++i) EXPECT_EQ(ring.state(i).block_generation, 0U) << i;
}

TEST(DropOldest, DropsTheNewestWhenNothingCanBeTaken) {
  const TestRing ring(dropping_oldest());
  fill_every_block(ring);
  for (std::uint32_t i = 0; i < 4; ++i) {
    StateWord pinned = ring.state(i);
    pinned.pin = Pin::kPinned;
    ring.descriptor(i).state.store(pinned.pack());
  }
  EXPECT_FALSE(emit(ring.open(), "new"));
  EXPECT_EQ(ring.slot_drops(0, DropCause::kRingFull), 1U);
}

TEST(DropOldest, GoesOnWithABlockWhoseEvictorDied) {
  const TestRing ring(dropping_oldest());
  fill_every_block(ring);
  ring.descriptor(3).state.store(StateWord{.state = BlockState::kEvict, .writer = 1, .writer_generation = 9}
                                     .pack());  // nobody holds slot 1
  ASSERT_TRUE(emit(ring.open(), "new"));
  EXPECT_EQ(ring.outcome(3, Outcome::kEvicted), 2U);
  EXPECT_EQ(account(ring.file()).closing, Closing::kCloses);
}

TEST(DropOldest, LeavesABlockOfADeadEvictorToTheFlusherToo) {
  const TestRing ring(dropping_oldest());
  fill_every_block(ring);
  ring.descriptor(3).state.store(
      StateWord{.state = BlockState::kEvict, .writer = 1, .writer_generation = 9}.pack());
  test::Flusher flusher(ring);
  std::size_t records = 0;
  for (int pass = 0; pass < 8; ++pass) {
    for (const Slice& slice : flusher.drain()) {
      records += slice.key.records();
      EXPECT_EQ(flusher.accept(slice.key), Reader::Acknowledged::kDone);
    }
  }
  EXPECT_EQ(records, 8U);
  EXPECT_EQ(ring.blocks_in(BlockState::kFree), 4U);
}

TEST(DropOldest, AFlusherPinsAQuarterOfTheBlocksAtMostAThirdOfItForEachSignal) {
  const TestRing ring(dropping_oldest(24));
  for (std::uint32_t i = 0; i < 24; ++i) {
    test::BlockText text(i < 12 ? Signal::kTraces : Signal::kLogs);
    fill_block(ring, i, {.state = BlockState::kSealed}, text.resource("r").record("x"));
  }
  test::Flusher flusher(ring);
  const auto slices = flusher.drain();
  ASSERT_EQ(slices.size(), 4U);  // two of each: traces, of which nobody hears again, hold up no logs
  EXPECT_TRUE(flusher.report.more);
  EXPECT_TRUE(flusher.drain().empty());  // nothing was acknowledged
  EXPECT_EQ(account(ring.file()).blocks.pinned, 4U);
  for (const Slice& slice : slices) {
    if (slice.key.signal == Signal::kTraces) continue;
    EXPECT_EQ(flusher.accept(slice.key), Reader::Acknowledged::kDone);
  }
  EXPECT_EQ(flusher.drain().size(), 2U);
}

TEST(DropOldest, GoesOnBesideAFlusherWhoseDestinationNeverAnswers) {
  const TestRing ring(dropping_oldest(24));
  const Ring opened = ring.open();
  test::Flusher flusher(ring);
  for (int n = 0; n < 100; ++n) {
    ASSERT_TRUE(emit(opened, std::string(3000, 'x'))) << n;
    flusher.drain();  // pins the block that is still open
  }
  EXPECT_EQ(ring.slot_drops(0, DropCause::kRingFull), 0U);
  EXPECT_GT(account(ring.file()).total.outcomes[static_cast<std::size_t>(Outcome::kEvicted)], 70U);
}

TEST(DropOldest, AnAcknowledgementAfterTheEvictionIsSuperseded) {
  const TestRing ring(dropping_oldest());
  fill_every_block(ring);
  test::Flusher flusher(ring);
  const auto slices = flusher.drain();
  ASSERT_EQ(slices.size(), 1U);
  flusher.reader->release_all();  // given back: unpinned
  const Ring opened = ring.open();
  ASSERT_TRUE(emit(opened, "new"));
  EXPECT_EQ(ring.state(3).block_generation, 1U);
  EXPECT_EQ(flusher.accept(slices[0].key), Reader::Acknowledged::kSuperseded);
  EXPECT_EQ(account(ring.file()).closing, Closing::kCloses);
}

TEST(DropOldest, WritersThatEvictEachOtherBesideAFlusherCountEveryRecordOnce) {
  const TestRing ring({.blocks = 16, .writers = 8, .on_full = FullPolicy::kDropOldest});
  const Ring opened = ring.open();
  std::atomic<std::uint64_t> committed{0};
  std::atomic<bool> done{false};
  std::uint64_t delivered = 0;
  std::thread reading([&] {
    test::Flusher flusher(ring);
    while (!done.load() || account(ring.file()).total.pending != 0) {
      for (const Slice& slice : flusher.drain()) {
        if (flusher.accept(slice.key) == Reader::Acknowledged::kDone) delivered += slice.key.records();
      }
    }
  });
  std::vector<std::thread> writing;
  for (int t = 0; t < 4; ++t) {
    writing.emplace_back([&] {
      for (int i = 0; i < 20000; ++i) committed += emit(opened, std::string(100, 'x')) ? 1U : 0U;
    });
  }
  for (std::thread& thread : writing) thread.join();
  done = true;
  reading.join();
  const Accounting accounting = account(ring.file());
  EXPECT_EQ(accounting.closing, Closing::kCloses);
  EXPECT_EQ(accounting.total.written, committed.load());
  EXPECT_EQ(accounting.total.outcomes[static_cast<std::size_t>(Outcome::kAccepted)], delivered);
  EXPECT_EQ(delivered + accounting.total.outcomes[static_cast<std::size_t>(Outcome::kEvicted)],
            committed.load());
  EXPECT_GT(accounting.total.outcomes[static_cast<std::size_t>(Outcome::kEvicted)], 0U);
}

}  // namespace
}  // namespace shmring
