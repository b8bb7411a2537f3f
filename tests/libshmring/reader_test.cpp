// SPDX-License-Identifier: Apache-2.0
// Draining and acknowledging: every record once, in order, and nothing leaves before its outcome.
#include "libshmring/reader.hpp"

#include <gtest/gtest.h>

#include "libshmring/accounting.hpp"
#include "tests/libshmring/ring_test_support.hpp"

namespace shmring {
namespace {

using test::BlockText;
using test::emit;
using test::fill_block;
using test::Flusher;
using test::hold_slot;
using test::own_tid;
using test::TestRing;
using test::texts;
using Acknowledged = Reader::Acknowledged;
using Texts = std::vector<std::string>;

StateWord opened_at(std::uint16_t slot, std::uint32_t generation) {
  return {.state = BlockState::kOpen, .writer = slot, .writer_generation = generation};
}

TEST(Drain, HandsOutEachRecordOnce) {
  const TestRing ring;
  test::seal_with(ring, 0, {"a", "b"});
  Flusher flusher(ring);
  EXPECT_EQ(texts(flusher.drain()), (Texts{"a", "b"}));
  EXPECT_EQ(flusher.report.records, 2U);
  EXPECT_EQ(flusher.report.slices, 1U);
  EXPECT_EQ(flusher.report.free_blocks, 3U);
  EXPECT_FALSE(flusher.report.more);
  EXPECT_TRUE(flusher.drain().empty());
  EXPECT_EQ(ring.state(0).state, BlockState::kSealed);
}

TEST(Drain, TakesTheOldestBlocksFirst) {
  const TestRing ring;
  const std::uint64_t tickets[] = {7, 2, 9, 5};
  for (std::uint32_t i = 0; i < 4; ++i) {
    test::seal_with(ring, i, {std::to_string(tickets[i])});
    ring.descriptor(i).ticket.store(tickets[i]);
  }
  EXPECT_EQ(texts(Flusher(ring).drain()), (Texts{"2", "5", "7", "9"}));
}

TEST(Drain, HandsOutAnOpenBlockInPartsWhileItGrows) {
  const TestRing ring;
  const Ring opened = ring.open();
  Flusher flusher(ring);
  ASSERT_TRUE(emit(opened, "a"));
  const auto first = flusher.drain();
  EXPECT_EQ(texts(first), Texts{"a"});
  EXPECT_NE(ring.state(0).pin, Pin::kUnpinned);
  ASSERT_TRUE(emit(opened, "b"));
  const auto second = flusher.drain();
  EXPECT_EQ(texts(second), Texts{"b"});
  EXPECT_EQ(flusher.accept(first[0].key), Acknowledged::kDone);
  EXPECT_NE(ring.state(0).pin, Pin::kUnpinned);  // the second part is on its way
  EXPECT_EQ(flusher.accept(second[0].key), Acknowledged::kDone);
  EXPECT_EQ(ring.state(0).pin, Pin::kUnpinned);
  EXPECT_EQ(ring.state(0).state, BlockState::kOpen);
  ASSERT_TRUE(emit(opened, "c"));
  EXPECT_EQ(texts(flusher.drain()), Texts{"c"});
  EXPECT_EQ(ring.outcome(0, Outcome::kAccepted), 2U);
}

TEST(Drain, PassesOverASignalWhoseBudgetIsUsedUp) {
  const TestRing ring;
  test::seal_with(ring, 0, {"log"});
  fill_block(ring, 1, {.state = BlockState::kSealed},
             BlockText(Signal::kTraces).resource("r").record("span"));
  Flusher flusher(ring);
  std::vector<Slice> slices;
  const DrainReport report = flusher.reader->drain(DrainBudget{0, 4096, 4096}, [&](Slice&& slice) {
    slices.push_back(std::move(slice));
    return true;
  });
  EXPECT_EQ(texts(slices), Texts{"span"});
  EXPECT_TRUE(report.more);
  EXPECT_TRUE(report.left[0]);
  EXPECT_FALSE(report.left[1]);
  EXPECT_EQ(ring.state(0).pin, Pin::kUnpinned);
  EXPECT_EQ(texts(flusher.drain()), Texts{"log"});
}

TEST(Drain, KeepsWhatTheSinkRefuses) {
  const TestRing ring;
  test::seal_with(ring, 0, {"a"});
  test::seal_with(ring, 1, {"b"});
  Flusher flusher(ring);
  int asked = 0;
  const DrainReport report = flusher.reader->drain(1U << 20U, [&asked](Slice&&) { return ++asked > 9; });
  EXPECT_EQ(asked, 1);
  EXPECT_TRUE(report.more);
  EXPECT_EQ(report.records, 0U);
  EXPECT_EQ(ring.state(0).pin, Pin::kUnpinned);
  EXPECT_EQ(texts(flusher.drain()), (Texts{"a", "b"}));
}

TEST(Drain, RecyclesALivingWritersBlockThatHoldsOnlyContextNever) {
  const TestRing ring;
  hold_slot(ring.slot(0), 1, own_tid());
  fill_block(ring, 0, opened_at(0, 1), BlockText().resource("r").scope(1, "s"));
  Flusher flusher(ring);
  EXPECT_TRUE(flusher.drain().empty());
  EXPECT_EQ(ring.state(0).state, BlockState::kOpen);
  EXPECT_EQ(ring.state(0).pin, Pin::kUnpinned);
  EXPECT_EQ(ring.exported(0).offset_bytes, ring.committed(0).offset_bytes());
}

TEST(Drain, RecyclesAnOrphanThatHoldsOnlyContext) {
  const TestRing ring;
  fill_block(ring, 0, opened_at(0, 1), BlockText().resource("r"));
  Flusher flusher(ring);
  EXPECT_TRUE(flusher.drain().empty());
  EXPECT_EQ(ring.state(0).state, BlockState::kFree);
}

TEST(Drain, RecyclesAnOrphanThatDiedRightAfterItsClaim) {
  const TestRing ring;
  ring.descriptor(0).state.store(opened_at(0, 1).pack());
  Flusher flusher(ring);
  EXPECT_TRUE(flusher.drain().empty());
  EXPECT_EQ(ring.state(0).state, BlockState::kFree);
  EXPECT_EQ(ring.state(0).block_generation, 1U);
}

TEST(Drain, SealsAnOrphanOnlyOnceItIsExported) {
  const TestRing ring;
  fill_block(ring, 0, opened_at(3, 1), BlockText().resource("r").record("a"));
  Flusher flusher(ring);
  const auto slices = flusher.drain();
  ASSERT_EQ(slices.size(), 1U);
  EXPECT_EQ(ring.state(0).state, BlockState::kOpen);
  flusher.drain();
  EXPECT_EQ(ring.state(0).state, BlockState::kOpen);
  EXPECT_EQ(flusher.accept(slices[0].key), Acknowledged::kDone);
  EXPECT_EQ(ring.state(0).state, BlockState::kFree);
}

TEST(DrainProcesses, FreesTheSlotOfAHolderThatOnlyProcKnowsToBeGone) {
  const TestRing ring({.writers = 40});
  hold_slot(ring.slot(39), 1, test::dead_tid());
  fill_block(ring, 0, opened_at(39, 1), BlockText().resource("r").record("a"));
  Flusher flusher(ring);
  for (int tick = 0; tick < 3; ++tick) flusher.drain();
  EXPECT_EQ(liveness(ring.slot(39), Ask::kWord), Liveness::kVacant);
}

TEST(Drain, MendsTheEstimateOfFreeBlocks) {
  const TestRing ring;
  ring.header().free_blocks.store(12345);
  test::seal_with(ring, 0, {"a"});
  Flusher(ring).drain();
  EXPECT_EQ(ring.header().free_blocks.load(), 3U);
}

TEST(Drain, DoesNothingForAFlusherThatLostItsLease) {
  const TestRing ring;
  test::seal_with(ring, 0, {"a"});
  Flusher flusher(ring);
  ring.header().epoch.fetch_add(1);
  EXPECT_TRUE(flusher.drain().empty());
  EXPECT_EQ(ring.state(0).pin, Pin::kUnpinned);
}

TEST(Acknowledge, CountsEveryOutcomeAndRecyclesTheBlock) {
  const TestRing ring;
  test::seal_with(ring, 0, {"a", "b", "c", "d", "e", "f", "g", "h"});
  Flusher flusher(ring);
  const auto slices = flusher.drain();
  EXPECT_EQ(flusher.reader->acknowledge(slices[0].key, {1, 1, 1, 1, 1, 1, 1, 1}), Acknowledged::kDone);
  for (std::size_t outcome = 0; outcome < kOutcomeCount; ++outcome) {
    EXPECT_EQ(ring.outcome(0, static_cast<Outcome>(outcome)), 1U) << outcome;
  }
  EXPECT_EQ(ring.state(0).state, BlockState::kFree);
  EXPECT_EQ(account(ring.file()).closing, Closing::kCloses);
}

TEST(Acknowledge, TakesASliceInParts) {
  const TestRing ring;
  test::seal_with(ring, 0, {"a", "b"});
  Flusher flusher(ring);
  const SliceKey whole = flusher.drain().at(0).key;
  SliceKey first = whole;
  first.end -= 16;
  --first.end_count;
  SliceKey second = whole;
  second.begin = first.end;
  second.begin_count = first.end_count;
  EXPECT_EQ(flusher.accept(first), Acknowledged::kDone);
  EXPECT_EQ(ring.state(0).state, BlockState::kSealed);
  EXPECT_EQ(ring.outcome(0, Outcome::kAccepted), 1U);
  EXPECT_EQ(flusher.accept(second), Acknowledged::kDone);
  EXPECT_EQ(ring.state(0).state, BlockState::kFree);
}

TEST(Acknowledge, RefusesASliceTwice) {
  const TestRing ring;
  test::seal_with(ring, 0, {"a"});
  Flusher flusher(ring);
  const SliceKey key = flusher.drain().at(0).key;
  EXPECT_EQ(flusher.accept(key), Acknowledged::kDone);
  EXPECT_EQ(flusher.accept(key), Acknowledged::kSuperseded);
  EXPECT_EQ(account(ring.file()).total.outcomes[0], 1U);
}

TEST(Acknowledge, RefusesWhatWasNeverHandedOut) {
  const TestRing ring;
  test::seal_with(ring, 0, {"a"});
  Flusher flusher(ring);
  SliceKey key{.block = 0, .end = ring.committed(0).offset_bytes(), .end_count = 1};
  EXPECT_EQ(flusher.accept(key), Acknowledged::kSuperseded);
  key.block = 4;
  EXPECT_EQ(flusher.accept(key), Acknowledged::kSuperseded);
  key = flusher.drain().at(0).key;
  key.end += 8;
  EXPECT_EQ(flusher.accept(key), Acknowledged::kSuperseded);
  EXPECT_EQ(ring.outcome(0, Outcome::kAccepted), 0U);
}

TEST(Acknowledge, GoesOnOverTheWrapOfTheCounts) {
  const TestRing ring;
  test::seal_with(ring, 0, {"a", "b", "c"}, kCountMask);
  Flusher flusher(ring);
  const auto slices = flusher.drain();
  EXPECT_EQ(texts(slices), (Texts{"a", "b", "c"}));
  EXPECT_EQ(slices[0].key.records(), 3U);
  EXPECT_EQ(flusher.accept(slices[0].key), Acknowledged::kDone);
  EXPECT_EQ(ring.state(0).state, BlockState::kFree);
  EXPECT_EQ(ring.exported(0).count, 2U);
  EXPECT_EQ(ring.committed(0).count(), 2U);
  const Accounting accounting = account(ring.file());
  EXPECT_EQ(accounting.closing, Closing::kCloses);
  EXPECT_EQ(accounting.total.written, kCountMask + 3);
}

TEST(Acknowledge, GoesOnOverTheWrapOfABlocksGeneration) {
  const TestRing ring;
  test::seal_with(ring, 0, {"a"});
  ring.descriptor(0).state.store(
      StateWord{.state = BlockState::kSealed, .block_generation = StateWord::kGenerationMask}.pack());
  Flusher flusher(ring);
  EXPECT_EQ(flusher.accept(flusher.drain().at(0).key), Acknowledged::kDone);
  EXPECT_EQ(ring.descriptor(0).state.load(), 0U);
  ASSERT_TRUE(emit(ring.open(), "next"));
  EXPECT_EQ(texts(flusher.drain()), Texts{"next"});
}

OutcomeCounts spooled(std::uint64_t records) {
  OutcomeCounts counts{};
  counts[static_cast<std::size_t>(Outcome::kSpooled)] = records;
  return counts;
}

TEST(Apply, MakesAnAcknowledgementThatAPredecessorDidNotComeToMake) {
  const TestRing ring;
  test::seal_with(ring, 0, {"a", "b"});
  const SliceKey key = [&] {
    Flusher dead(ring);
    return dead.drain().at(0).key;
  }();
  Flusher flusher(ring);
  EXPECT_EQ(flusher.reader->apply(key, spooled(2)), Reader::Applied::kDone);
  EXPECT_EQ(flusher.reader->apply(key, spooled(2)), Reader::Applied::kWasDone);
  EXPECT_TRUE(flusher.drain().empty());
  EXPECT_EQ(ring.outcome(0, Outcome::kSpooled), 2U);
  EXPECT_EQ(ring.state(0).state, BlockState::kFree);
  EXPECT_EQ(account(ring.file()).closing, Closing::kCloses);
}

TEST(Apply, RefusesAStretchThatDoesNotFollow) {
  const TestRing ring;
  test::seal_with(ring, 0, {"a", "b"});
  SliceKey key = [&] {
    Flusher dead(ring);
    return dead.drain().at(0).key;
  }();
  Flusher flusher(ring);
  SliceKey later = key;
  later.begin_count = key.begin_count + 1;
  EXPECT_EQ(flusher.reader->apply(later, spooled(1)), Reader::Applied::kCannot);
  SliceKey other_life = key;
  ++other_life.block_generation;
  EXPECT_EQ(flusher.reader->apply(other_life, spooled(2)), Reader::Applied::kCannot);
  SliceKey nowhere = key;
  nowhere.block = 99;
  EXPECT_EQ(flusher.reader->apply(nowhere, spooled(2)), Reader::Applied::kCannot);
  EXPECT_EQ(texts(flusher.drain()), (Texts{"a", "b"}));
}

TEST(ReleaseAll, GivesEverythingBackToBeHandedOutAgain) {
  const TestRing ring;
  test::seal_with(ring, 0, {"a"});
  Flusher flusher(ring);
  const SliceKey key = flusher.drain().at(0).key;
  flusher.reader->release_all();
  EXPECT_EQ(ring.state(0).pin, Pin::kUnpinned);
  EXPECT_EQ(flusher.accept(key), Acknowledged::kSuperseded);
  EXPECT_EQ(texts(flusher.drain()), Texts{"a"});
}

TEST(Beat, SaysThatTheFlusherLives) {
  const TestRing ring;
  Flusher flusher(ring);
  ring.header().heartbeat_ns.store(0);
  flusher.reader->beat(200);
  EXPECT_NE(ring.header().heartbeat_ns.load(), 0U);
  EXPECT_EQ(ring.header().interval_ms.load(), 200U);
}

}  // namespace
}  // namespace shmring
