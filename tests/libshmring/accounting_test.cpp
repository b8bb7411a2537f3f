// SPDX-License-Identifier: Apache-2.0
// The accounts close in every state of a block, and do not when one counter is off by one.
#include "libshmring/accounting.hpp"

#include <gtest/gtest.h>

#include "tests/libshmring/ring_test_support.hpp"

namespace shmring {
namespace {

using test::BlockText;
using test::emit;
using test::fill_block;
using test::Flusher;
using test::TestRing;

constexpr auto kLogs = static_cast<std::size_t>(Signal::kLogs);
constexpr auto kTraces = static_cast<std::size_t>(Signal::kTraces);
constexpr auto kAccepted = static_cast<std::size_t>(Outcome::kAccepted);

void expect_closes(const TestRing& ring, std::uint64_t written, std::uint64_t pending) {
  const Accounting accounting = account(ring.file());
  EXPECT_EQ(accounting.closing, Closing::kCloses);
  EXPECT_EQ(accounting.total.written, written);
  EXPECT_EQ(accounting.total.pending, pending);
  EXPECT_EQ(accounting.total.written, accounting.total.fates());
}

TEST(Accounting, ClosesOnAFreshRing) {
  const TestRing ring;
  expect_closes(ring, 0, 0);
  const Accounting accounting = account(ring.file());
  EXPECT_EQ(accounting.blocks.total, 4U);
  EXPECT_EQ(accounting.blocks.free, 4U);
  EXPECT_EQ(accounting.oldest_opened_ns, 0U);
}

TEST(Accounting, ClosesInEachStateOfABlock) {
  const TestRing ring;
  BlockText text;
  text.resource("r").scope(1, "s").record("a", 1).record("b");
  for (const Pin pin : {Pin::kUnpinned, Pin::kPinned}) {
    for (const BlockState state : {BlockState::kOpen, BlockState::kSealed, BlockState::kEvict}) {
      fill_block(ring, 0, {.state = state, .pin = pin}, text, 5);
      expect_closes(ring, 7, 2);
    }
  }
  ring.descriptor(0).state.store(0);
  EXPECT_EQ(account(ring.file()).closing, Closing::kOpen);  // free, with records in it (I6)
}

TEST(Accounting, ClosesWhileABlockIsExportedInParts) {
  const TestRing ring;
  const Ring opened = ring.open();
  Flusher flusher(ring);
  for (int i = 1; i <= 3; ++i) {
    ASSERT_TRUE(emit(opened, "x"));
    expect_closes(ring, static_cast<std::uint64_t>(i), 1);
    const auto slices = flusher.drain();
    expect_closes(ring, static_cast<std::uint64_t>(i), 1);
    ASSERT_EQ(flusher.accept(slices[0].key), Reader::Acknowledged::kDone);
    expect_closes(ring, static_cast<std::uint64_t>(i), 0);
  }
}

TEST(Accounting, KeepsSignalsApartOverTheLivesOfABlock) {
  const TestRing ring;
  fill_block(ring, 0, {.state = BlockState::kSealed}, BlockText(Signal::kTraces).resource("r").record("span"),
             3);
  const Accounting accounting = account(ring.file());
  EXPECT_EQ(accounting.signals[kLogs].written, 3U);
  EXPECT_EQ(accounting.signals[kLogs].outcomes[kAccepted], 3U);
  EXPECT_EQ(accounting.signals[kTraces].written, 1U);
  EXPECT_EQ(accounting.signals[kTraces].pending, 1U);
}

TEST(Accounting, ClosesOverTheWrapOfTheCounts) {
  const TestRing ring;
  test::seal_with(ring, 0, {"a", "b"}, kCountMask);
  expect_closes(ring, kCountMask + 2, 2);
}

TEST(Accounting, DoesNotCloseWhenOneCounterIsOffByOne) {
  const auto closing_after = [](auto change) {
    const TestRing ring;
    test::seal_with(ring, 0, {"a", "b"}, 3);
    change(ring.descriptor(0));
    return account(ring.file()).closing;
  };
  const std::uint64_t one = std::uint64_t{1} << kCountShift;
  EXPECT_EQ(closing_after([](BlockDescriptor&) {}), Closing::kCloses);
  EXPECT_EQ(closing_after([&](BlockDescriptor& d) { d.committed.fetch_add(one); }), Closing::kOpen);
  EXPECT_EQ(closing_after([&](BlockDescriptor& d) { d.committed.fetch_sub(one); }), Closing::kOpen);
  EXPECT_EQ(closing_after([&](BlockDescriptor& d) { d.exported.fetch_add(one); }), Closing::kOpen);
  EXPECT_EQ(closing_after([&](BlockDescriptor& d) { d.exported.fetch_sub(one); }), Closing::kOpen);
  for (std::size_t signal = 0; signal < kSignalCount; ++signal) {
    for (std::size_t outcome = 0; outcome < kOutcomeCount; ++outcome) {
      EXPECT_EQ(closing_after([&](BlockDescriptor& d) { d.outcomes[0][signal][outcome].fetch_add(1); }),
                Closing::kOpen);
      EXPECT_EQ(closing_after([&](BlockDescriptor& d) { d.outcomes[1][signal][outcome].fetch_add(1); }),
                Closing::kCloses);
    }
  }
}

TEST(Accounting, DoesNotCloseOnAStateThatMeansNothing) {
  const TestRing ring;
  ring.descriptor(0).state.store(7);
  const Accounting accounting = account(ring.file());
  EXPECT_EQ(accounting.closing, Closing::kOpen);
  EXPECT_EQ(accounting.blocks.unknown, 1U);
}

TEST(Accounting, TakesTheCensusOfTheBlocks) {
  const TestRing ring({.blocks = 8});
  const BlockText empty;
  fill_block(ring, 0, {.state = BlockState::kOpen}, empty);
  fill_block(ring, 1, {.state = BlockState::kOpen, .pin = Pin::kPinned}, empty);
  fill_block(ring, 2, {.state = BlockState::kSealed}, empty);
  fill_block(ring, 3, {.state = BlockState::kCont}, empty);
  const BlockCensus census = account(ring.file()).blocks;
  EXPECT_EQ(census.total, 8U);
  EXPECT_EQ(census.free, 4U);
  EXPECT_EQ(census.open, 2U);
  EXPECT_EQ(census.sealed, 2U);
  EXPECT_EQ(census.pinned, 1U);
}

TEST(Accounting, AddsUpDropsOfHeaderAndSlots) {
  const TestRing ring;
  ring.header().dropped[kLogs][static_cast<std::size_t>(DropCause::kNoWriterSlot)].store(2);
  ring.slot(0).dropped[kLogs][static_cast<std::size_t>(DropCause::kRingFull)].store(3);
  ring.slot(3).dropped[kTraces][static_cast<std::size_t>(DropCause::kRingFull)].store(4);
  ring.header().duplicates_possible[kTraces].store(7);
  const Accounting accounting = account(ring.file());
  EXPECT_EQ(accounting.signals[kLogs].dropped_total(), 5U);
  EXPECT_EQ(accounting.signals[kTraces].dropped_total(), 4U);
  EXPECT_EQ(accounting.total.dropped_total(), 9U);
  EXPECT_EQ(accounting.total.attempted(), 9U);
  EXPECT_EQ(accounting.total.duplicates_possible, 7U);
}

TEST(Accounting, NamesTheOldestBlockWithSomethingPending) {
  const TestRing ring;
  test::seal_with(ring, 0, {"a"});
  test::seal_with(ring, 1, {"b"});
  test::seal_with(ring, 2, {});
  ring.descriptor(0).opened_ns.store(500);
  ring.descriptor(1).opened_ns.store(400);
  ring.descriptor(2).opened_ns.store(300);
  EXPECT_EQ(account(ring.file()).oldest_opened_ns, 400U);
}

TEST(AccountingThreads, ClosesAtEveryInstantWhileOthersWriteAndAcknowledge) {
  const TestRing ring({.blocks = 16});
  const Ring opened = ring.open();
  std::atomic<bool> stop = false;
  std::atomic<std::uint64_t> dropped = 0;
  std::thread writer([&] {
    while (!stop) {
      if (!emit(opened, "some record")) ++dropped;
    }
  });
  std::thread flusher([&] {
    Flusher draining(ring);
    while (!stop) {
      for (const Slice& slice : draining.drain())
        EXPECT_EQ(draining.accept(slice.key), Reader::Acknowledged::kDone);
    }
  });
  for (int look = 0; look < 300; ++look) {
    const Accounting accounting = account(ring.file(), 100000);
    EXPECT_NE(accounting.closing, Closing::kOpen);
    if (accounting.closing != Closing::kCloses) continue;
    EXPECT_EQ(accounting.total.written, accounting.total.fates());
  }
  stop = true;
  writer.join();
  flusher.join();
  const Accounting last = account(ring.file());
  EXPECT_EQ(last.closing, Closing::kCloses);
  EXPECT_EQ(last.total.dropped_total(), dropped);
}

}  // namespace
}  // namespace shmring
