// SPDX-License-Identifier: Apache-2.0
// Runs whose owner, evictor or recycler died half way, and words of runs that are damaged.
#include <gtest/gtest.h>

#include "libshmring/accounting.hpp"
#include "libshmring/fsck.hpp"
#include "libshmring/recover.hpp"
#include "libshmring/recycle.hpp"
#include "tests/libshmring/ring_test_support.hpp"

namespace shmring {
namespace {

using test::BlockText;
using test::emit;
using test::Flusher;
using test::TestRing;
using test::texts;

constexpr std::uint32_t kBlockBytes = 4096;
constexpr std::uint16_t kGone = 3;  // a slot that nobody holds

void make_cont(const TestRing& ring, std::uint32_t index, std::uint32_t generation = 0) {
  ring.descriptor(index).state.store(StateWord{
      .state = BlockState::kCont, .writer = kGone, .writer_generation = 5, .block_generation = generation}
                                         .pack());
}

/// Block `head` and the `conts` behind it, with a record that ends `end` bytes into them. `state`'s owner is gone.
BlockText make_run(const TestRing& ring, std::uint32_t head, std::uint32_t conts, BlockState state,
                   std::size_t payload) {
  BlockText text;
  text.resource("res").record(std::string(payload, 'r'));
  fill_block(ring, head, {.state = state, .writer = kGone, .writer_generation = 5}, text);
  for (std::uint32_t n = 1; n <= conts; ++n) make_cont(ring, head + n);
  return text;
}

void drain_until_quiet(Flusher& flusher, std::vector<std::string>& found) {
  for (int pass = 0; pass < 4; ++pass) {
    for (const Slice& slice : flusher.drain()) {
      for (std::string& text : texts(slice)) found.push_back(std::move(text));
      EXPECT_EQ(flusher.accept(slice.key), Reader::Acknowledged::kDone);
    }
  }
}

void expect_quiet(const TestRing& ring) {
  EXPECT_EQ(ring.blocks_in(BlockState::kFree), ring.file().geometry().block_count);
  EXPECT_EQ(account(ring.file()).closing, Closing::kCloses);
}

std::size_t damages(const TestRing& ring) {
  std::size_t count = 0;
  for (const Finding& finding : fsck(ring.file()))
    count += finding.severity == Finding::Severity::kDamage ? 1U : 0U;
  return count;
}

TEST(DeadOwnersRun, WithItsRecordIsDeliveredAndComesBack) {
  const TestRing ring({.blocks = 8});
  make_run(ring, 2, 2, BlockState::kOpen, 2 * kBlockBytes);
  EXPECT_EQ(damages(ring), 0U);
  Flusher flusher(ring);
  std::vector<std::string> found;
  drain_until_quiet(flusher, found);
  EXPECT_EQ(found, std::vector<std::string>{std::string(2 * kBlockBytes, 'r')});
  expect_quiet(ring);
}

TEST(DeadOwnersRun, HalfClaimedComesBack) {
  const TestRing ring({.blocks = 8});
  for (std::uint32_t conts = 0; conts < 4; ++conts) {
    ring.descriptor(2).state.store(StateWord{
        .state = BlockState::kOpen, .writer = kGone, .writer_generation = 5, .block_generation = conts}
                                       .pack());
    for (std::uint32_t n = 1; n <= conts; ++n) make_cont(ring, 2 + n, 50 + conts);
    EXPECT_EQ(damages(ring), 0U);
    Flusher flusher(ring);
    std::vector<std::string> found;
    drain_until_quiet(flusher, found);
    EXPECT_TRUE(found.empty());
    expect_quiet(ring);
  }
}

TEST(DeadOwnersRun, IsNotAdopted) {
  const TestRing ring({.blocks = 4});
  for (const std::uint32_t other : {0U, 3U}) test::seal_with(ring, other, {"x"});
  BlockText text;
  text.resource("res");
  fill_block(ring, 1, {.state = BlockState::kOpen, .writer = kGone, .writer_generation = 5}, text);
  make_cont(ring, 2);
  EXPECT_FALSE(emit(ring.open(), "new"));
  EXPECT_EQ(ring.state(1).writer, kGone);
  Flusher flusher(ring);
  EXPECT_EQ(flusher.drain().size(), 2U);
  EXPECT_TRUE(emit(ring.open(), "new"));
}

TEST(DeadOwnersRun, IsEvictedWithItsNeighbours) {
  const TestRing ring({.blocks = 4, .on_full = FullPolicy::kDropOldest});
  make_run(ring, 0, 3, BlockState::kOpen, 3 * kBlockBytes);
  ASSERT_TRUE(emit(ring.open(), "new"));
  EXPECT_EQ(ring.blocks_in(BlockState::kFree), 3U);
  EXPECT_EQ(ring.outcome(0, Outcome::kEvicted), 1U);
  EXPECT_EQ(account(ring.file()).closing, Closing::kCloses);
}

TEST(DeadEvictorsRun, GoesOnWhereItWas) {
  // Its words are reset, some of its neighbours are free already.
  for (std::uint32_t left = 0; left < 4; ++left) {
    for (const bool by_flusher : {true, false}) {
      const TestRing ring({.blocks = 4, .on_full = FullPolicy::kDropOldest});
      ring.descriptor(0).state.store(
          StateWord{.state = BlockState::kEvict, .writer = kGone, .writer_generation = 5}.pack());
      for (std::uint32_t n = 1; n <= left; ++n) make_cont(ring, n);
      for (std::uint32_t n = left + 1; n < 4; ++n) test::seal_with(ring, n, {"x"});
      if (by_flusher) {
        Flusher flusher(ring);
        std::vector<std::string> found;
        for (int n = 0; n < 4; ++n) drain_until_quiet(flusher, found);
        expect_quiet(ring);
      } else {
        ASSERT_TRUE(emit(ring.open(), "new"));
        EXPECT_EQ(ring.blocks_in(BlockState::kCont), 0U);
      }
      EXPECT_EQ(account(ring.file()).closing, Closing::kCloses);
    }
  }
}

TEST(DeadRecyclersRun, GoesOnWhereItWas) {
  for (std::uint32_t left = 0; left <= 2; ++left) {
    const TestRing ring({.blocks = 8});
    const BlockText text = make_run(ring, 2, left, BlockState::kSealed, 2 * kBlockBytes);
    BlockDescriptor& d = ring.descriptor(2);
    d.outcomes[0][0][static_cast<std::size_t>(Outcome::kAccepted)].store(OutcomeCell{.records = 1}.pack());
    d.exported.store(ExportedWord{.offset_bytes = 0, .count = 1}.pack());
    d.committed.store(ring.committed(2).reset().word);
    EXPECT_EQ(damages(ring), 0U) << left;
    Flusher flusher(ring);
    std::vector<std::string> found;
    drain_until_quiet(flusher, found);
    EXPECT_TRUE(found.empty());
    expect_quiet(ring);
  }
}

TEST(DeadRecyclersRun, IsNotTornFromAHeadInOtherHands) {
  const TestRing ring({.blocks = 8});
  make_run(ring, 2, 2, BlockState::kSealed, 2 * kBlockBytes);
  const std::uint64_t stale = ring.descriptor(2).state.load();
  StateWord evicting = StateWord::unpack(stale);
  evicting.state = BlockState::kEvict;
  ring.descriptor(2).state.store(evicting.pack());
  EXPECT_FALSE(free_conts(ring.file(), 2, stale));
  EXPECT_EQ(ring.blocks_in(BlockState::kCont), 2U);
}

TEST(DamagedRun, ThatReachesFurtherThanItsBlocksIsWrittenOff) {
  const TestRing ring({.blocks = 8});
  make_run(ring, 2, 1, BlockState::kSealed, 2 * kBlockBytes);  // one CONT is missing
  test::seal_with(ring, 4, {"other"});
  EXPECT_GE(damages(ring), 1U);
  Flusher flusher(ring);
  std::vector<std::string> found;
  drain_until_quiet(flusher, found);
  EXPECT_EQ(found, std::vector<std::string>{"other"});
  EXPECT_EQ(ring.outcome(2, Outcome::kCorrupt), 1U);
  expect_quiet(ring);
}

TEST(DamagedRun, WithoutAHeadComesBack) {
  const TestRing ring({.blocks = 8});
  make_cont(ring, 0);
  make_cont(ring, 5);
  make_cont(ring, 6);
  EXPECT_EQ(damages(ring), 3U);
  Flusher flusher(ring);
  std::vector<std::string> found;
  drain_until_quiet(flusher, found);
  expect_quiet(ring);
  EXPECT_EQ(damages(ring), 0U);
}

TEST(DamagedRun, OfMoreBlocksThanAnyRunHasIsNoRun) {
  const TestRing ring({.blocks = 2000});
  test::seal_with(ring, 0, {"head"});
  for (std::uint32_t n = 1; n < 2000; ++n) make_cont(ring, n);
  EXPECT_GT(damages(ring), 1000U);
  Flusher flusher(ring);
  std::vector<std::string> found;
  drain_until_quiet(flusher, found);
  EXPECT_EQ(found, std::vector<std::string>{"head"});
  expect_quiet(ring);
}

TEST(RecoverRun, FromAFile) {
  const TestRing ring({.blocks = 8});
  make_run(ring, 2, 2, BlockState::kOpen, 2 * kBlockBytes);
  for (const bool is_damaged : {false, true}) {
    if (is_damaged) ring.descriptor(4).state.fetch_xor(4);  // a CONT that is none any more
    std::vector<std::string> found;
    const auto report = recover(ring.path(), {}, [&found](Slice&& slice) {
      for (std::string& text : texts(slice)) found.push_back(std::move(text));
    });
    ASSERT_TRUE(report);
    EXPECT_EQ(found, std::vector<std::string>{std::string(2 * kBlockBytes, 'r')}) << is_damaged;
    EXPECT_EQ(report->doubtful, 0U) << is_damaged;
  }
}

}  // namespace
}  // namespace shmring
