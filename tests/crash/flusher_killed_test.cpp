// SPDX-License-Identifier: Apache-2.0
// FAULTS: flusher killed at every instruction of takeover, drain, acknowledge, recycle; recovery killed while recovering.
#include <gtest/gtest.h>

#include <cstring>
#include <optional>

#include "libshmring/accounting.hpp"
#include "libshmring/robust_mutex.hpp"
#include "tests/crash/stage.hpp"
#include "tests/crash/stepper.hpp"

namespace shmring::testing {
namespace {

using Flusher = EnteringFlusher<Ledger>;

class FlusherKilledAtEveryInstruction : public ::testing::Test {
 protected:
  Stage stage;
  std::optional<Flusher> flusher;  // the tracee's

  void take_over() { flusher.emplace(stage.file(), stage.ledger()); }
  /// Full blocks, an orphan and a living writer's block.
  void write_all_kinds_of_blocks() {
    stage.dead_writer(30);
    stage.live_writer(3);
  }
  WriterSlot& slot(std::uint32_t index) const { return stage.file().slots()[index]; }
};

TEST_F(FlusherKilledAtEveryInstruction, OfTakingTheLeaseOfOneThatLeftPins) {
  write_all_kinds_of_blocks();
  stage.somebody_killed_after([&] {
    take_over();
    flusher->drain();
  });
  ASSERT_GT(stage.ledger().handed[0], 0);
  expect_survived(stage, {.work = [&] { take_over(); }}, 10);
}

TEST_F(FlusherKilledAtEveryInstruction, OfADrain) {
  write_all_kinds_of_blocks();
  expect_survived(stage, {.prepare = [&] { take_over(); }, .work = [&] { flusher->drain(); }}, 4);
  EXPECT_EQ(stage.ledger().handed[0], 1);
}

TEST_F(FlusherKilledAtEveryInstruction, OfADrainThatHasRoomForLittle) {
  write_all_kinds_of_blocks();
  expect_survived(stage, {.prepare = [&] { take_over(); }, .work = [&] { flusher->drain(100); }}, 4);
  EXPECT_EQ(stage.ledger().handed[0], 0);
}

TEST_F(FlusherKilledAtEveryInstruction, OfAcknowledgingAndRecycling) {
  write_all_kinds_of_blocks();
  const auto drained = [&] {
    take_over();
    flusher->drain();
  };
  expect_survived(stage, {.prepare = drained, .work = [&] { flusher->acknowledge(); }}, 60);
  EXPECT_EQ(stage.ledger().acknowledged[0], 1);
}

TEST_F(FlusherKilledAtEveryInstruction, OfSealingAndRecyclingAnOrphan) {
  stage.live_writer(3);
  stage.somebody_killed_after([&] {
    take_over();
    flusher->empty(stage.file());
  });
  stage.kill_the_living();
  expect_survived(stage, {.prepare = [&] { take_over(); }, .work = [&] { flusher->drain(); }}, 5);
  EXPECT_EQ(StateWord::unpack(stage.file().descriptors()[0].state.load()).state, BlockState::kFree);
}

TEST_F(FlusherKilledAtEveryInstruction, OfGivingEverythingBack) {
  write_all_kinds_of_blocks();
  stage.circumstances().given_back = true;
  const auto drained = [&] {
    take_over();
    flusher->drain();
  };
  expect_survived(stage, {.prepare = drained, .work = [&] { flusher->reader().release_all(); }}, 4);
}

TEST_F(FlusherKilledAtEveryInstruction, OfVacatingTheSlotsOfWritersWhoseDeathTheKernelDidNotMark) {
  for (int n = 0; n < 3; ++n) stage.live_writer(2);
  stage.kill_the_living();
  // As after an exec from another thread: the word says that somebody holds it (R13).
  const std::uint32_t held = kNobodysTid;
  std::memcpy(slot(0).mutex + kFutexWordOffset, &held, sizeof(held));
  slot(0).tid.store(kNobodysTid);
  // And one who died between its claim and its lock.
  ClaimWord claim = ClaimWord::unpack(slot(1).claim.load());
  claim.phase = SlotPhase::kClaiming;
  claim.generation += 1;
  claim.tid = kNobodysTid;
  slot(1).claim.store(claim.pack());
  expect_survived(stage, {.prepare = [&] { take_over(); }, .work = [&] { flusher->empty(stage.file()); }},
                  60);
  EXPECT_EQ(ClaimWord::unpack(slot(0).claim.load()).phase, SlotPhase::kVacant);
  EXPECT_EQ(ClaimWord::unpack(slot(1).claim.load()).phase, SlotPhase::kVacant);
}

// ------------------------------------------------------------------------------------- killed while others' deaths are mended

/// Some of a story's deaths, the first and the last among them; at each of these somebody else begins, and dies at every change.
void expect_mending_survived(Stage& stage, const Story& story, std::size_t deaths,
                             const std::function<Story(Stage&)>& mending) {
  Told told = die_at_every_change(stage, story, Keep::kInstants);
  ASSERT_GT(told.instants.size(), deaths);
  for (std::size_t n = 0; n < deaths; ++n) {
    const Instant& instant = told.instants[n * (told.instants.size() - 1) / (deaths - 1)];
    SCOPED_TRACE("after a death before " + instant.place);
    Stage next(instant);
    next.circumstances() = stage.circumstances();
    expect_survived(next, mending(next), 2);
    if (::testing::Test::HasFailure()) return;
  }
}

Story recovery(Stage& stage) {
  return {.work = [&stage] { Flusher(stage.file(), stage.ledger()).empty(stage.file()); }};
}

TEST(RecoveryKilledAtEveryInstruction, FromAWritersDeath) {
  Stage stage;
  const auto fill = [&] {
    while (account(stage.file()).blocks.free > 6) stage.emit();
    stage.emit();
  };
  expect_mending_survived(stage, {.prepare = fill, .work = [&] { stage.emit(14); }}, 4, recovery);
}

TEST(RecoveryKilledAtEveryInstruction, FromAFlushersDeath) {
  Stage stage;
  stage.dead_writer(20);
  expect_mending_survived(stage, recovery(stage), 8, recovery);
}

TEST(RecoveryKilledAtEveryInstruction, FromAnEvictorsDeath) {
  Stage stage({.blocks = 4, .block_bytes = 4096, .writers = 4, .on_full = FullPolicy::kDropOldest});
  stage.circumstances().may_evict = true;
  const auto fill = [&] {
    while (account(stage.file()).blocks.free > 0) stage.emit();
  };
  expect_mending_survived(stage, {.prepare = fill, .work = [&] { stage.emit(14); }}, 4, recovery);
}

TEST(WriterKilledAtEveryInstruction, WhereAnotherDiedWhileItTookOverASlot) {
  Stage stage;
  stage.dead_writer(3);
  expect_mending_survived(
      stage, {.prepare = [&] { static_cast<void>(stage.ring()); }, .work = [&] { stage.emit(); }}, 8,
      [](Stage& next) -> Story {
        return {.prepare = [&next] { static_cast<void>(next.ring()); }, .work = [&next] { next.emit(); }};
      });
}

}  // namespace
}  // namespace shmring::testing
