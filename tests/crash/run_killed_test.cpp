// SPDX-License-Identifier: Apache-2.0
// FAULTS: killed at every instruction, where runs of blocks are the matter (R10): claim, commit, give back, evict, drain, recycle.
#include <gtest/gtest.h>

#include <optional>

#include "libshmring/accounting.hpp"
#include "tests/crash/stage.hpp"

namespace shmring::testing {
namespace {

using Flusher = EnteringFlusher<Ledger>;

class RunKilledAtEveryInstruction : public ::testing::Test {
 protected:
  Stage stage;
  std::optional<Flusher> flusher;  // the tracee's

  void registered() { static_cast<void>(stage.ring().prepare_thread()); }
  void take_over() { flusher.emplace(stage.file(), stage.ledger()); }
  std::uint32_t blocks_in(BlockState wanted) const {
    std::uint32_t count = 0;
    for (const BlockDescriptor& descriptor : stage.file().descriptors())
      count += StateWord::unpack(descriptor.state.load()).state == wanted ? 1 : 0;
    return count;
  }
};

TEST_F(RunKilledAtEveryInstruction, OfClaimingWritingAndSealingIt) {
  expect_survived(stage, {.prepare = [&] { registered(); }, .work = [&] { stage.emit_large(); }}, 40);
  EXPECT_GE(blocks_in(BlockState::kCont), 1U);
  EXPECT_EQ(blocks_in(BlockState::kSealed), 1U);
}

TEST_F(RunKilledAtEveryInstruction, OfClaimingItBesideAnOpenBlock) {
  const auto large_and_small = [&] {
    stage.emit_large();
    stage.emit(2);
  };
  expect_survived(stage, {.prepare = [&] { stage.emit(2); }, .work = large_and_small}, 60);
}

TEST_F(RunKilledAtEveryInstruction, OfGivingItBack) {
  const auto abandon = [&] {
    { const Slot slot = stage.ring().writer().try_reserve(RecordKind::kLog, 9000); }
    stage.emit();
  };
  expect_survived(stage, {.prepare = [&] { registered(); }, .work = abandon}, 20);
  EXPECT_EQ(blocks_in(BlockState::kCont), 0U);
}

TEST_F(RunKilledAtEveryInstruction, OfBeingRefusedForWantOfNeighbours) {
  stage.circumstances().full = true;
  const auto fill = [&] {
    while (stage.emit_large()) {
    }
  };
  expect_survived(stage, {.prepare = fill, .work = [&] { stage.emit_large(); }}, 2);
}

TEST_F(RunKilledAtEveryInstruction, OfDrainingAcknowledgingAndRecyclingIt) {
  stage.somebody_killed_after([&] {
    stage.emit(1);
    stage.emit_large();
    stage.emit(1);
    stage.emit_large();
  });
  ASSERT_GE(blocks_in(BlockState::kCont), 2U);
  const auto pass = [&] {
    flusher->drain();
    flusher->acknowledge();
  };
  expect_survived(stage, {.prepare = [&] { take_over(); }, .work = pass}, 60);
  EXPECT_EQ(blocks_in(BlockState::kCont), 0U);
}

TEST_F(RunKilledAtEveryInstruction, OfRecyclingOneThatWasNeverFinished) {
  stage.somebody_killed_after([&] {
    const Slot slot = stage.ring().writer().try_reserve(RecordKind::kLog, 9000);
    ::raise(SIGKILL);
  });
  ASSERT_EQ(blocks_in(BlockState::kCont), 2U);
  expect_survived(stage, {.prepare = [&] { take_over(); }, .work = [&] { flusher->empty(stage.file()); }}, 5);
  EXPECT_EQ(blocks_in(BlockState::kFree), 8U);
}

// ------------------------------------------------------------------------------------------------------------ eviction

constexpr RingShape kDropsOldest{
    .blocks = 8, .block_bytes = 4096, .writers = 4, .on_full = FullPolicy::kDropOldest};

class RunsEvictorKilledAtEveryInstruction : public ::testing::Test {
 protected:
  Stage stage{kDropsOldest};
  RunsEvictorKilledAtEveryInstruction() { stage.circumstances().may_evict = true; }
};

TEST_F(RunsEvictorKilledAtEveryInstruction, OfMakingNeighboursFree) {
  const auto fill = [&] {
    while (account(stage.file()).blocks.free > 0) stage.emit();
  };
  expect_survived(stage, {.prepare = fill, .work = [&] { stage.emit_large(); }}, 60);
}

TEST_F(RunsEvictorKilledAtEveryInstruction, OfEvictingARunForASmallRecordAndForAnotherRun) {
  const auto fill = [&] {
    while (account(stage.file()).blocks.free > 1) stage.emit_large();
    while (account(stage.file()).blocks.free > 0) stage.emit();
  };
  const auto work = [&] {
    stage.emit_large();
    stage.emit_large();
    stage.emit(2);
  };
  expect_survived(stage, {.prepare = fill, .work = work}, 100);
}

}  // namespace
}  // namespace shmring::testing
