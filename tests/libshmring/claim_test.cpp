// SPDX-License-Identifier: Apache-2.0
// Claiming, adopting and sealing blocks. Blocks of others are made by hand; this thread is the one who claims.
#include <gtest/gtest.h>

#include <algorithm>

#include "libshmring/claim.hpp"
#include "libshmring/recycle.hpp"
#include "tests/libshmring/ring_test_support.hpp"

namespace shmring {
namespace {

using test::BlockText;
using test::emit;
using test::fill_block;
using test::hold_slot;
using test::own_tid;
using test::TestRing;
using test::texts;

constexpr std::uint16_t kOther = 3;  // the slot of another writer

StateWord open_of(std::uint16_t slot, std::uint32_t generation) {
  return {.state = BlockState::kOpen, .writer = slot, .writer_generation = generation};
}

/// The block that this thread has open for a signal; ~0 when none.
std::uint32_t my_block(Signal signal = Signal::kLogs) {
  const OpenBlock& block = this_thread_writers->levels[0].open[static_cast<std::size_t>(signal)];
  return block.capacity == 0 ? ~0U : block.index;
}

/// All blocks but these are full of somebody else's.
void take_all_but(const TestRing& ring, std::initializer_list<std::uint32_t> left) {
  for (std::uint32_t i = 0; i < ring.file().geometry().block_count; ++i) {
    if (std::find(left.begin(), left.end(), i) == left.end()) test::seal_with(ring, i, {"x"});
  }
}

TEST(Claim, MakesAFreeBlockOursAndBeginsWithAResource) {
  const TestRing ring;
  ASSERT_TRUE(emit(ring.open(), "hello"));
  const StateWord state = ring.state(my_block());
  EXPECT_EQ(state.state, BlockState::kOpen);
  EXPECT_EQ(state.signal, Signal::kLogs);
  EXPECT_EQ(state.writer, this_thread_writers->slot_index);
  EXPECT_EQ(state.writer_generation, this_thread_writers->slot_generation);
  RecordHeader first{};
  std::memcpy(&first, ring.file().block(my_block()), sizeof(first));
  EXPECT_EQ(first.kind, static_cast<std::uint8_t>(RecordKind::kResource));
  EXPECT_EQ(ring.committed(my_block()).count(), 1U);
  EXPECT_EQ(ring.slot(0).open_block[0][0].load(), my_block() + 1);
}

TEST(Claim, GivesEachSignalABlockOfItsOwn) {
  const TestRing ring;
  const Ring opened = ring.open();
  ASSERT_TRUE(emit(opened, "log"));
  ASSERT_TRUE(emit(opened, "span", RecordKind::kSpan));
  ASSERT_TRUE(emit(opened, "metric", RecordKind::kMetric));
  EXPECT_EQ(ring.blocks_in(BlockState::kOpen), 3U);
  EXPECT_EQ(ring.state(my_block(Signal::kTraces)).signal, Signal::kTraces);
  EXPECT_EQ(ring.state(my_block(Signal::kMetrics)).signal, Signal::kMetrics);
}

TEST(Claim, KeepsTheBlocksGenerationAndCount) {
  const TestRing ring;
  take_all_but(ring, {2});
  ring.descriptor(2).state.store(StateWord{.block_generation = 77}.pack());
  ring.descriptor(2).committed.store(std::uint64_t{1000} << kCountShift);
  ring.descriptor(2).exported.store(ExportedWord{.count = 1000}.pack());
  ASSERT_TRUE(emit(ring.open(), "a"));
  EXPECT_EQ(ring.state(2).block_generation, 77U);
  EXPECT_EQ(ring.committed(2).count(), 1001U);
}

TEST(Claim, SealsAFullBlockAndTakesAnother) {
  const TestRing ring;
  const Ring opened = ring.open();
  ASSERT_TRUE(emit(opened, std::string(2000, 'a')));
  const std::uint32_t first = my_block();
  ASSERT_TRUE(emit(opened, std::string(2000, 'b')));
  EXPECT_NE(my_block(), first);
  EXPECT_EQ(ring.state(first).state, BlockState::kSealed);
  EXPECT_EQ(ring.committed(first).count(), 1U);
}

TEST(Claim, FillsABlockToItsLastByte) {
  const TestRing ring;
  const Ring opened = ring.open();
  ASSERT_TRUE(emit(opened, "x"));
  const std::uint32_t block = my_block();
  const std::uint32_t left = 4096 - ring.committed(block).offset_bytes();
  ASSERT_TRUE(emit(opened, std::string(left - sizeof(RecordHeader), 'a')));
  EXPECT_EQ(my_block(), block);
  EXPECT_EQ(ring.committed(block).offset_bytes(), 4096U);
  ASSERT_TRUE(emit(opened, ""));
  EXPECT_NE(my_block(), block);
}

TEST(Claim, WritesNothingBehindABlockWhoseFreeWordIsDamaged) {
  const TestRing ring;
  take_all_but(ring, {1});
  const std::vector<std::byte> before(ring.file().block(2), ring.file().block(3));
  for (const std::uint32_t offset : {4096U - 64U, 4096U, 4104U, 1U << 20U}) {
    ring.descriptor(1).state.store(0);
    ring.descriptor(1).committed.store(offset / 8);
    EXPECT_FALSE(emit(ring.open(), std::string(200, 'a'))) << offset;
    EXPECT_EQ(ring.state(1).state, BlockState::kSealed)
        << offset;  // the flusher finds out what is wrong with it
    EXPECT_TRUE(std::equal(before.begin(), before.end(), ring.file().block(2))) << offset;
    this_thread_writers->full[0] = FullRing{};  // look at every block again
  }
}

/// Claims a fresh block: nothing fits behind what was written to the last one.
std::uint32_t claim_another(const Ring& ring) {
  EXPECT_TRUE(emit(ring, std::string(3000, 'x')));
  return my_block();
}

/// The flusher sends what these blocks hold; the sealed ones are free then.
void recycle_all(const TestRing& ring) {
  test::Flusher flusher(ring);
  for (const auto& slice : flusher.drain()) ASSERT_EQ(flusher.accept(slice.key), Reader::Acknowledged::kDone);
}

TEST(Claim, GoesOnBehindTheLastBlockWhereNothingWasRecycled) {
  const TestRing ring({.blocks = 8});
  const Ring opened = ring.open();
  for (std::uint32_t block = 0; block < 8; ++block) EXPECT_EQ(claim_another(opened), block);
}

TEST(Claim, TakesTheLowestBlockThatWasRecycled) {
  const TestRing ring({.blocks = 8});
  const Ring opened = ring.open();
  for (std::uint32_t block = 0; block < 5; ++block) ASSERT_EQ(claim_another(opened), block);
  ring.header().next_block[0].hint.store(5);
  recycle_all(ring);  // 0 to 3; 4 is still being written to
  ASSERT_EQ(ring.blocks_in(BlockState::kFree), 7U);
  EXPECT_EQ(ring.header().next_block[0].hint.load(), 0U);
  for (const std::uint32_t block : {0U, 1U, 2U, 3U, 5U, 6U, 7U}) EXPECT_EQ(claim_another(opened), block);
}

TEST(Claim, TakesTheLowestBlockInWhateverOrderTheyWereRecycled) {
  const TestRing ring({.blocks = 8});
  take_all_but(ring, {7});
  const Ring opened = ring.open();
  ASSERT_EQ(claim_another(opened), 7U);
  EXPECT_EQ(ring.header().next_block[0].hint.load(), 8U);
  for (const std::uint32_t block : {5U, 2U, 4U}) {
    BlockDescriptor& d = ring.descriptor(block);
    const CommittedWord committed{d.committed.load()};
    d.exported.store(
        ExportedWord{.offset_bytes = committed.offset_bytes(), .count = committed.count()}.pack());
    ASSERT_TRUE(recycle(ring.file(), block, d.state.load(), d.exported.load(), d.committed.load()));
  }
  EXPECT_EQ(ring.header().next_block[0].hint.load(), 2U);
  for (const std::uint32_t block : {2U, 4U, 5U}) EXPECT_EQ(claim_another(opened), block);
  EXPECT_FALSE(emit(opened, std::string(3000, 'x'))) << "nothing else is free";
}

TEST(Claim, StartsAtTheRingsBeginningAgainBehindItsLastBlock) {
  const TestRing ring({.blocks = 8});
  const Ring opened = ring.open();
  ring.header().next_block[0].hint.store(7);
  EXPECT_EQ(claim_another(opened), 7U);
  EXPECT_EQ(claim_another(opened), 0U);
}

TEST(Claim, BelievesNoHintOfWhereToStart) {
  for (const std::uint32_t hint : {8U, 9U, 15U, 1U << 31U, ~0U - 1, ~0U}) {
    const TestRing ring({.blocks = 8});
    take_all_but(ring, {3});
    ring.header().next_block[0].hint.store(hint);
    const Ring opened = ring.open();
    EXPECT_EQ(claim_another(opened), 3U) << hint;  // one scan looks at every block
    EXPECT_EQ(ring.header().next_block[0].hint.load(), 4U) << hint;
  }
}

TEST(Claim, BelievesNoHintOfWhereToStartLookingForARunEither) {
  for (const std::uint32_t hint : {8U, 15U, 1U << 31U, ~0U}) {
    const TestRing ring({.blocks = 8});
    take_all_but(ring, {3, 4, 5});
    ring.header().next_block[0].hint.store(hint);
    const Ring opened = ring.open();
    EXPECT_TRUE(emit(opened, std::string(9000, 'x'))) << hint;
    EXPECT_EQ(ring.state(3).state, BlockState::kSealed) << hint;
    EXPECT_EQ(ring.state(5).state, BlockState::kCont) << hint;
  }
}

TEST(Claim, FindsTheFreeBlocksOfAFullRingThatStartsAnywhere) {
  for (std::uint32_t hint = 0; hint < 8; ++hint) {
    const TestRing ring({.blocks = 8});
    ring.header().next_block[0].hint.store(hint);
    const Ring opened = ring.open();
    for (std::uint32_t step = 0; step < 8; ++step) EXPECT_EQ(claim_another(opened), (hint + step) % 8);
    EXPECT_FALSE(emit(opened, std::string(3000, 'x')));
  }
}

/// A ring of eight stretches of eight blocks; this thread is the writer of slot `slot`.
struct Stretches {
  explicit Stretches(std::uint32_t slot) : ring({.blocks = 64, .writers = 16}) {
    for (std::uint32_t i = 0; i < slot; ++i) hold_slot(ring.slot(i), 1, own_tid());
  }
  std::vector<std::uint32_t> claims(std::uint32_t count) const {
    std::vector<std::uint32_t> blocks;
    for (; count > 0; --count) blocks.push_back(claim_another(ring.open()));
    return blocks;
  }
  TestRing ring;
};

TEST(ClaimInStretches, BeginsWhereTheNumberOfItsSlotSays) {
  for (const std::uint32_t slot : {0U, 1U, 7U, 9U}) {
    const Stretches stretches(slot);
    const std::uint32_t begin = slot % 8 * 8;
    EXPECT_EQ(stretches.claims(2), (std::vector<std::uint32_t>{begin, begin + 1})) << slot;
  }
}

TEST(ClaimInStretches, GoesOnIntoTheNextAndRoundTheRingsEnd) {
  const Stretches stretches(7);
  EXPECT_EQ(stretches.claims(10), (std::vector<std::uint32_t>{56, 57, 58, 59, 60, 61, 62, 63, 0, 1}));
}

TEST(ClaimInStretches, ComesBackToTheLowestOfItsOwnThatWasRecycled) {
  for (const std::uint32_t slot : {1U, 7U}) {
    const Stretches stretches(slot);
    stretches.claims(10);
    recycle_all(stretches.ring);
    EXPECT_EQ(stretches.claims(1).front(), slot * 8) << slot;
  }
}

TEST(Seal, KeepsThePin) {
  const TestRing ring;
  const Ring opened = ring.open();
  ASSERT_TRUE(emit(opened, "a"));
  const std::uint32_t block = my_block();
  StateWord pinned = ring.state(block);
  pinned.pin = Pin::kPinned;
  ring.descriptor(block).state.store(pinned.pack());
  seal_block(*this_thread_writers, this_thread_writers->levels[0].open[0]);
  EXPECT_EQ(ring.state(block).state, BlockState::kSealed);
  EXPECT_EQ(ring.state(block).pin, Pin::kPinned);
}

TEST(Seal, LeavesABlockAloneThatWasTakenAway) {
  const TestRing ring;
  const Ring opened = ring.open();
  ASSERT_TRUE(emit(opened, "a"));
  const std::uint32_t block = my_block();
  for (const StateWord taken :
       {open_of(kOther, 1), open_of(0, this_thread_writers->slot_generation + 1), StateWord{}}) {
    ring.descriptor(block).state.store(taken.pack());
    seal_block(*this_thread_writers, this_thread_writers->levels[0].open[0]);
    EXPECT_EQ(ring.descriptor(block).state.load(), taken.pack());
  }
}

TEST(Adopt, GoesOnWhereThePredecessorInTheSlotEnded) {
  const TestRing ring;
  const Ring opened = ring.open();
  std::thread([&] { ASSERT_TRUE(emit(opened, "first")); }).join();
  ASSERT_TRUE(emit(opened, "second"));
  EXPECT_EQ(ring.blocks_in(BlockState::kFree), 3U);
  EXPECT_EQ(ring.committed(my_block()).count(), 2U);
  test::Flusher flusher(ring);
  const auto slices = flusher.drain();
  ASSERT_EQ(slices.size(), 1U);
  EXPECT_EQ(texts(slices[0]), (std::vector<std::string>{"first", "second"}));
}

TEST(Adopt, TakesAnyGoneOwnersBlockBeforeItFails) {
  const TestRing ring;
  take_all_but(ring, {2});
  fill_block(ring, 2, open_of(kOther, 5), BlockText().resource("r").record("old"));
  ASSERT_TRUE(emit(ring.open(), "new"));
  EXPECT_EQ(my_block(), 2U);
  EXPECT_EQ(ring.state(2).writer, this_thread_writers->slot_index);
  EXPECT_EQ(ring.committed(2).count(), 2U);
}

TEST(Adopt, KeepsTheOrderOfTheAdoptersRecords) {
  const TestRing ring;
  fill_block(ring, 2, open_of(kOther, 5), BlockText().resource("r").record("old"));  // of an early ticket
  for (const std::uint32_t taken : {0U, 3U}) test::seal_with(ring, taken, {"x"});
  ring.header().ticket.store(1);
  const Ring opened = ring.open();
  ASSERT_TRUE(emit(opened, std::string(3500, '1')));
  ASSERT_EQ(my_block(), 1U);
  ASSERT_TRUE(emit(opened, std::string(2000, '2')));
  ASSERT_EQ(my_block(), 2U);
  test::Flusher flusher(ring);
  std::string order;
  for (const std::string& text : texts(flusher.drain())) order += text[0];
  EXPECT_EQ(order, "xx1o2");
}

/// Whether a log record finds a place when block 2 is the only one not full of somebody else's, in `state`.
bool adopts(const TestRing& ring, StateWord state, const BlockText& text) {
  take_all_but(ring, {2});
  fill_block(ring, 2, state, text);
  const std::uint64_t word = ring.descriptor(2).state.load();
  const bool written = emit(ring.open(), "new");
  if (!written) {
    EXPECT_EQ(ring.descriptor(2).state.load(), word);
  }
  return written;
}

TEST(Adopt, LeavesAnotherSignalsBlockAlone) {
  EXPECT_FALSE(
      adopts(TestRing(), open_of(kOther, 5), BlockText(Signal::kTraces).resource("r").record("old")));
}

TEST(Adopt, LeavesAPinnedBlockAlone) {
  StateWord state = open_of(kOther, 5);
  state.pin = Pin::kPinned;
  EXPECT_FALSE(adopts(TestRing(), state, BlockText().resource("r").record("old")));
}

TEST(Adopt, LeavesALivingOwnersBlockAlone) {
  const TestRing ring;
  hold_slot(ring.slot(kOther), 5, own_tid());
  EXPECT_FALSE(adopts(ring, open_of(kOther, 5), BlockText().resource("r").record("old")));
}

TEST(Adopt, TakesTheBlockOfALivingSlotsFormerHolder) {
  const TestRing ring;
  hold_slot(ring.slot(kOther), 6, own_tid());
  EXPECT_TRUE(adopts(ring, open_of(kOther, 5), BlockText().resource("r").record("old")));
}

TEST(Adopt, LeavesABlockAloneThatHasNoRoom) {
  EXPECT_FALSE(
      adopts(TestRing(), open_of(kOther, 5), BlockText().resource("r").record(std::string(3900, 'x'))));
}

TEST(Adopt, LeavesASealedBlockAlone) {
  StateWord state = open_of(kOther, 5);
  state.state = BlockState::kSealed;
  EXPECT_FALSE(adopts(TestRing(), state, BlockText().resource("r").record("old")));
}

TEST(Adopt, LeavesABlockAloneWhoseOwnerIsNoSlotOfThisRing) {
  EXPECT_FALSE(adopts(TestRing(), open_of(4, 5), BlockText().resource("r").record("old")));
}

TEST(Adopt, LeavesABlockAloneWhoseOffsetLiesOutsideIt) {
  const TestRing ring;
  take_all_but(ring, {2});
  fill_block(ring, 2, open_of(kOther, 5), BlockText().record("old"));
  for (const std::uint32_t offset : {4096U, 4104U, 1U << 20U, (1U << 21U) - 8U}) {
    ring.descriptor(2).committed.store(CommittedWord{}.advanced(offset, 1).word);
    EXPECT_FALSE(emit(ring.open(), "new")) << offset;
    this_thread_writers->full[0] = FullRing{};
  }
}

TEST(Adopt, IgnoresAHintThatLiesOutsideTheRing) {
  const TestRing ring;
  for (auto& hint : ring.slot(0).open_block) hint[0].store(~0U);
  EXPECT_TRUE(emit(ring.open(), "a"));
}

TEST(Claim, WakesTheFlusherOnceWhenLessThanAQuarterIsFree) {
  const TestRing ring({.blocks = 8});
  const Ring opened = ring.open();
  ring.header().free_blocks.store(3);
  ASSERT_TRUE(emit(opened, "a"));  // two are left: a quarter
  EXPECT_EQ(ring.header().wake.load(), 0U);
  ASSERT_TRUE(emit(opened, "b", RecordKind::kSpan));
  EXPECT_EQ(ring.header().wake.load(), 1U);
  ASSERT_TRUE(emit(opened, "c", RecordKind::kMetric));
  EXPECT_EQ(ring.header().wake.load(), 1U);
}

TEST(Claim, WakesTheFlusherWhenTheEstimateSaysThatNothingIsLeft) {
  for (const std::uint32_t estimate : {0U, ~0U}) {
    const TestRing ring;
    ring.header().free_blocks.store(estimate);
    ASSERT_TRUE(emit(ring.open(), "a"));
    EXPECT_EQ(ring.header().wake.load(), 1U) << estimate;
  }
}

TEST(Claim, WakesAFlusherThatWaits) {
  const TestRing ring;
  test::Flusher flusher(ring);
  std::thread writer([&] { wake_flusher(ring.header()); });
  EXPECT_TRUE(test::eventually([&] { return flusher.reader->wait_for_wake(1000); }));
  writer.join();
  EXPECT_TRUE(flusher.reader->consume_wake());
  EXPECT_FALSE(flusher.reader->consume_wake());
}

}  // namespace
}  // namespace shmring
