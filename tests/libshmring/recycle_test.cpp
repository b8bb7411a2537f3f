// SPDX-License-Identifier: Apache-2.0
// From SEALED to FREE, whichever of its three steps a flusher died after.
#include "libshmring/recycle.hpp"

#include <gtest/gtest.h>

#include "libshmring/accounting.hpp"
#include "tests/libshmring/ring_test_support.hpp"

namespace shmring {
namespace {

using test::Flusher;
using test::TestRing;

constexpr std::uint32_t kLastGeneration = StateWord::kGenerationMask;

/// A sealed block, all of whose records were accepted.
void make_done(const TestRing& ring, std::uint32_t index, std::uint32_t generation = 0) {
  test::BlockText text;
  text.resource("r").record("a").record("b");
  fill_block(ring, index, {.state = BlockState::kSealed, .block_generation = generation}, text, 2);
  ring.descriptor(index).committed.store(CommittedWord{}.advanced(text.size(), 2).word);
  ring.descriptor(index).exported.store(ExportedWord{.offset_bytes = text.size(), .count = 2}.pack());
}

bool recycle_now(const TestRing& ring, std::uint32_t index) {
  BlockDescriptor& d = ring.descriptor(index);
  return recycle(ring.file(), index, d.state.load(), d.exported.load(), d.committed.load());
}

void expect_free(const TestRing& ring, std::uint32_t index, std::uint32_t generation, std::uint64_t count) {
  EXPECT_EQ(ring.descriptor(index).state.load(), StateWord{.block_generation = generation}.pack());
  EXPECT_EQ(ring.committed(index).offset_bytes(), 0U);
  EXPECT_EQ(ring.committed(index).count(), count);
  EXPECT_EQ(ring.exported(index).offset_bytes, 0U);
  EXPECT_EQ(ring.exported(index).count, count);
}

TEST(NothingLeft, NeedsEqualCountsAndAnExportThatCaughtUp) {
  const auto committed = CommittedWord{}.advanced(64, 3);
  EXPECT_TRUE(nothing_left(committed, {.offset_bytes = 64, .count = 3}));
  EXPECT_TRUE(nothing_left(committed, {.offset_bytes = 72, .count = 3}));
  EXPECT_FALSE(nothing_left(committed, {.offset_bytes = 56, .count = 3}));
  EXPECT_FALSE(nothing_left(committed, {.offset_bytes = 64, .count = 2}));
  EXPECT_FALSE(nothing_left(committed, {.offset_bytes = 72, .count = 4}));
}

TEST(Recycle, FreesTheBlockInItsNextGeneration) {
  const TestRing ring;
  make_done(ring, 0, 5);
  ring.header().free_blocks.store(3);
  EXPECT_TRUE(recycle_now(ring, 0));
  expect_free(ring, 0, 6, 2);
  EXPECT_EQ(ring.header().free_blocks.load(), 4U);
  EXPECT_EQ(ring.header().freed.load(), 1U);
}

TEST(Recycle, WrapsTheBlocksGeneration) {
  const TestRing ring;
  make_done(ring, 0, kLastGeneration);
  EXPECT_TRUE(recycle_now(ring, 0));
  expect_free(ring, 0, 0, 2);
}

TEST(Recycle, LeavesABlockAloneOfWhichAWordHasMoved) {
  const TestRing ring;
  BlockDescriptor& d = ring.descriptor(0);
  for (std::atomic<std::uint64_t>* word : {&d.committed, &d.exported, &d.state}) {
    make_done(ring, 0);
    const std::uint64_t state = d.state.load();
    const std::uint64_t exported = d.exported.load();
    const std::uint64_t committed = d.committed.load();
    word->fetch_add(std::uint64_t{1} << 50U);
    EXPECT_FALSE(recycle(ring.file(), 0, state, exported, committed));
    EXPECT_EQ(ring.state(0).state, BlockState::kSealed);
  }
  EXPECT_EQ(ring.header().freed.load(), 0U);
}

TEST(InterruptedRecycle, GoesOnAfterCommittedWasReset) {
  const TestRing ring;
  make_done(ring, 0);
  ring.descriptor(0).committed.store(ring.committed(0).reset().word);
  Flusher flusher(ring);
  EXPECT_TRUE(flusher.drain().empty());
  EXPECT_EQ(flusher.report.recycled, 1U);
  expect_free(ring, 0, 1, 2);
  EXPECT_EQ(account(ring.file()).closing, Closing::kCloses);
}

TEST(InterruptedRecycle, GoesOnAfterExportedWasReset) {
  const TestRing ring;
  make_done(ring, 0);
  ring.descriptor(0).committed.store(ring.committed(0).reset().word);
  ring.descriptor(0).exported.store(ExportedWord{.count = 2}.pack());
  Flusher flusher(ring);
  EXPECT_TRUE(flusher.drain().empty());
  expect_free(ring, 0, 1, 2);
}

TEST(InterruptedRecycle, GoesOnBeforeItsFirstStep) {
  const TestRing ring;
  make_done(ring, 0);
  Flusher flusher(ring);
  EXPECT_TRUE(flusher.drain().empty());
  expect_free(ring, 0, 1, 2);
}

TEST(InterruptedRecycle, KeepsThePredecessorsPinOutOfTheNextLife) {
  const TestRing ring;
  make_done(ring, 0);
  ring.descriptor(0).state.store(StateWord{.state = BlockState::kSealed, .pin = Pin::kPinned}.pack());
  Flusher flusher(ring);
  EXPECT_TRUE(flusher.drain().empty());
  expect_free(ring, 0, 1, 2);
}

TEST(InterruptedRecycle, ClosesTheAccountsAtEachOfItsSteps) {
  const TestRing ring;
  make_done(ring, 0);
  EXPECT_EQ(account(ring.file()).closing, Closing::kCloses);
  ring.descriptor(0).committed.store(ring.committed(0).reset().word);
  EXPECT_EQ(account(ring.file()).closing, Closing::kCloses);
  ring.descriptor(0).exported.store(ExportedWord{.count = 2}.pack());
  EXPECT_EQ(account(ring.file()).closing, Closing::kCloses);
  ring.descriptor(0).state.store(StateWord{.block_generation = 1}.pack());
  const Accounting after = account(ring.file());
  EXPECT_EQ(after.closing, Closing::kCloses);
  EXPECT_EQ(after.total.written, 2U);
}

}  // namespace
}  // namespace shmring
