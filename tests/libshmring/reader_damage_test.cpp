// SPDX-License-Identifier: Apache-2.0
// Words that contradict each other, and bytes that are no records: the loss stays in the block, is counted, and ends.
#include <gtest/gtest.h>

#include <cstddef>

#include "libshmring/accounting.hpp"
#include "libshmring/fsck.hpp"
#include "libshmring/snapshot.hpp"
#include "tests/libshmring/ring_test_support.hpp"

namespace shmring {
namespace {

using test::BlockText;
using test::fill_block;
using test::Flusher;
using test::TestRing;
using test::texts;
using Acknowledged = Reader::Acknowledged;

/// Drains and accepts until nothing comes any more.
void drain_to_the_end(Flusher& flusher) {
  for (int pass = 0; pass < 8; ++pass) {
    for (const Slice& slice : flusher.drain()) {
      SliceWalk walk(slice);
      OutcomeCounts counts{};
      while (walk.next()) ++counts[static_cast<std::size_t>(Outcome::kAccepted)];
      counts[static_cast<std::size_t>(Outcome::kCorrupt)] = walk.corrupt();
      flusher.reader->acknowledge(slice.key, counts);
    }
  }
}

void expect_healed(const TestRing& ring, std::uint32_t block) {
  EXPECT_EQ(ring.state(block).state, BlockState::kFree);
  EXPECT_EQ(ring.committed(block).offset_bytes(), 0U);
  EXPECT_EQ(ring.committed(block).count(), ring.exported(block).count);
  EXPECT_EQ(account(ring.file()).closing, Closing::kCloses);
}

TEST(WriteOff, EndsABlockWhoseCommittedLiesOutsideIt) {
  const TestRing ring;
  test::seal_with(ring, 0, {"a", "b"});
  ring.descriptor(0).committed.store(CommittedWord{}.advanced(8192, 2).word);
  Flusher flusher(ring);
  drain_to_the_end(flusher);
  EXPECT_EQ(ring.outcome(0, Outcome::kCorrupt), 2U);
  expect_healed(ring, 0);
}

TEST(WriteOff, EndsABlockWhoseExportedIsAhead) {
  const TestRing ring;
  test::seal_with(ring, 0, {"a", "b"});
  ring.descriptor(0).exported.store(ExportedWord{.offset_bytes = 4096}.pack());
  Flusher flusher(ring);
  drain_to_the_end(flusher);
  EXPECT_EQ(ring.outcome(0, Outcome::kCorrupt), 2U);
  expect_healed(ring, 0);
}

TEST(WriteOff, EndsABlockThatPromisesMoreRecordsThanItsBytesHold) {
  const TestRing ring;
  test::seal_with(ring, 0, {"a", "b"});
  ring.descriptor(0).committed.fetch_add(std::uint64_t{100} << kCountShift);
  Flusher flusher(ring);
  drain_to_the_end(flusher);
  EXPECT_EQ(ring.outcome(0, Outcome::kCorrupt), 102U);
  expect_healed(ring, 0);
}

TEST(WriteOff, BelievesNoMoreLossThanABlockCanHold) {
  for (const std::uint64_t promised : {std::uint64_t{1000}, std::uint64_t{1} << 39U, kCountMask - 5}) {
    const TestRing ring;
    test::seal_with(ring, 0, {"a", "b"}, 7);
    ring.descriptor(0).committed.fetch_add(promised << kCountShift);
    Flusher flusher(ring);
    drain_to_the_end(flusher);
    EXPECT_GE(ring.outcome(0, Outcome::kCorrupt), 1U) << promised;
    EXPECT_LE(ring.outcome(0, Outcome::kCorrupt), 4096U / sizeof(RecordHeader)) << promised;
    expect_healed(ring, 0);
  }
}

TEST(WriteOff, EndsABlockThatIsExportedToItsEndWithAnotherCount) {
  const TestRing ring;
  test::seal_with(ring, 0, {"a", "b"});
  ring.descriptor(0).exported.store(ExportedWord{.offset_bytes = ring.committed(0).offset_bytes()}.pack());
  Flusher flusher(ring);
  drain_to_the_end(flusher);
  EXPECT_EQ(ring.outcome(0, Outcome::kCorrupt), 2U);
  expect_healed(ring, 0);
}

TEST(WriteOff, EndsABlockOfASignalThatDoesNotExist) {
  const TestRing ring;
  test::seal_with(ring, 0, {"a"});
  ring.descriptor(0).state.store(
      StateWord{.state = BlockState::kSealed, .signal = static_cast<Signal>(5)}.pack());
  Flusher flusher(ring);
  drain_to_the_end(flusher);
  expect_healed(ring, 0);
}

TEST(Damage, OfAStateDeliversTheBlockOnceItsOwnerIsGone) {
  for (const int bits : {3, 5, 6, 7}) {
    const TestRing ring;
    BlockText text;
    fill_block(
        ring, 2,
        {.state = static_cast<BlockState>(bits), .pin = Pin::kPinned, .writer = 1, .writer_generation = 7},
        text.resource("r").record("a").record("b"));
    test::hold_slot(ring.slot(1), 7, test::own_tid());
    Flusher flusher(ring);
    EXPECT_TRUE(flusher.drain().empty());  // its owner may still write
    test::mark_died(ring.slot(1));
    const auto slices = flusher.drain();
    EXPECT_EQ(texts(slices), (std::vector<std::string>{"a", "b"})) << bits;
    for (const Slice& slice : slices) flusher.accept(slice.key);
    expect_healed(ring, 2);
  }
}

TEST(WriteOff, WaitsUntilTheOwnerIsGone) {
  const TestRing ring;
  test::hold_slot(ring.slot(0), 1, test::own_tid());
  fill_block(ring, 0, {.state = BlockState::kOpen, .writer = 0, .writer_generation = 1},
             BlockText().resource("r").record("a"));
  ring.descriptor(0).committed.store(CommittedWord{}.advanced(8192, 1).word);
  Flusher flusher(ring);
  drain_to_the_end(flusher);
  EXPECT_EQ(ring.state(0).state, BlockState::kOpen);
  test::mark_died(ring.slot(0));
  drain_to_the_end(flusher);
  EXPECT_EQ(ring.outcome(0, Outcome::kCorrupt), 1U);
  expect_healed(ring, 0);
}

TEST(WriteOff, GoesOnWhereAPredecessorDied) {
  const TestRing ring;
  test::seal_with(ring, 0, {"a"});
  BlockDescriptor& d = ring.descriptor(0);
  d.committed.store(CommittedWord{}.advanced(8192, 1).word);
  d.outcomes[1][0][static_cast<std::size_t>(Outcome::kCorrupt)].store(OutcomeCell{.records = 1}.pack());
  d.exported.store(ExportedWord{.set = 1, .count = 1}.pack());  // counted as corrupt, not reset yet
  Flusher flusher(ring);
  drain_to_the_end(flusher);
  EXPECT_EQ(ring.outcome(0, Outcome::kCorrupt), 1U);
  expect_healed(ring, 0);
}

TEST(Damage, InABlocksBytesCostsThatBlocksRecordsOnly) {
  const TestRing ring;
  test::seal_with(ring, 0, {"a", "b", "c"});
  test::seal_with(ring, 1, {"sound"});
  const RecordHeader huge{0xFFFFFFFFU, static_cast<std::uint8_t>(RecordKind::kLog), 0, 0};
  std::memcpy(ring.file().block(0) + 32, &huge, sizeof(huge));  // where "b" begins
  Flusher flusher(ring);
  drain_to_the_end(flusher);
  EXPECT_EQ(ring.outcome(0, Outcome::kAccepted), 1U);
  EXPECT_EQ(ring.outcome(0, Outcome::kCorrupt), 2U);
  EXPECT_EQ(ring.outcome(1, Outcome::kAccepted), 1U);
  expect_healed(ring, 0);
  expect_healed(ring, 1);
}

TEST(Damage, OfExportedWhileASliceIsOnItsWayHandsItOutAgain) {
  const TestRing ring;
  test::seal_with(ring, 0, {"a", "b"});
  Flusher flusher(ring);
  const SliceKey key = flusher.drain().at(0).key;
  const std::uint64_t sound = ring.descriptor(0).exported.load();
  ring.descriptor(0).exported.store(sound ^ 8U);
  EXPECT_EQ(flusher.accept(key), Acknowledged::kSuperseded);
  ring.descriptor(0).exported.store(sound);
  EXPECT_EQ(texts(flusher.drain()), (std::vector<std::string>{"a", "b"}));
}

TEST(Damage, OfAPinWhileASliceIsOnItsWayCostsNoBlock) {
  for (std::uint8_t pin = 0; pin < 4; ++pin) {
    const TestRing ring;
    test::seal_with(ring, 0, {"a", "b"});
    test::Flusher flusher(ring);
    const auto slices = flusher.drain();
    ASSERT_EQ(slices.size(), 1U);
    StateWord state = ring.state(0);
    state.pin = static_cast<Pin>(pin);
    ring.descriptor(0).state.store(state.pack());
    flusher.accept(slices[0].key);
    flusher.drain();
    flusher.drain();
    EXPECT_EQ(ring.state(0).state, BlockState::kFree) << "pin " << static_cast<unsigned>(pin);
  }
}

TEST(Damage, OfEveryBitOfADescriptorEndsAndHarmsNoOtherBlock) {
  for (std::size_t bit = 0; bit < sizeof(BlockDescriptor) * 8; ++bit) {
    const bool line_of_owner = bit < 128;                // state, committed
    const bool exported = bit >= 512 && bit < 576;       // the flusher's line
    const bool cell = bit >= 1024 && bit % 64 % 8 == 0;  // a sample of the outcome cells
    if (!line_of_owner && !exported && !cell) continue;
    const TestRing ring;
    test::seal_with(ring, 0, {"a", "b"}, 1);
    test::seal_with(ring, 1, {"sound", "too"});
    reinterpret_cast<unsigned char*>(&ring.descriptor(0))[bit / 8] ^=
        static_cast<unsigned char>(1U << bit % 8);
    static_cast<void>(account(ring.file()));
    static_cast<void>(fsck(ring.file()));
    static_cast<void>(peek(ring.file(), 0));
    static_cast<void>(peek(ring.file(), 0, 1));
    Flusher flusher(ring);
    drain_to_the_end(flusher);
    EXPECT_EQ(ring.outcome(1, Outcome::kAccepted), 2U) << "bit " << bit;
    EXPECT_EQ(ring.state(1).state, BlockState::kFree) << "bit " << bit;
  }
}

TEST(Damage, OfManyWordsAtOnceEnds) {
  std::uint64_t random = 42;
  const auto next = [&random] { return random = random * 6364136223846793005U + 1442695040888963407U; };
  const TestRing ring({.blocks = 8});
  Flusher flusher(ring);
  for (int round = 0; round < 300; ++round) {
    for (std::uint32_t block = 0; block < 8; ++block) {
      BlockDescriptor& d = ring.descriptor(block);
      d.state.store(next());
      d.committed.store(next());
      d.exported.store(next());
      for (std::size_t at = 0; at < 4096; at += 8) {
        const std::uint64_t word = next() >> (round % 2 == 0 ? 0U : 50U);
        std::memcpy(ring.file().block(block) + at, &word, sizeof(word));
      }
    }
    drain_to_the_end(flusher);
    static_cast<void>(account(ring.file(), 2));
    static_cast<void>(fsck(ring.file()));
    peek_all(ring.file(), [](Slice&& slice) { texts(slice); });
  }
}

}  // namespace
}  // namespace shmring
