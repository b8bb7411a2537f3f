// SPDX-License-Identifier: Apache-2.0
// FAULTS: producer killed at every instruction of register, claim, adopt, reserve, encode, commit, seal, exit.
#include <gtest/gtest.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstring>
#include <thread>

#include "libshmring/accounting.hpp"
#include "libshmring/recycle.hpp"
#include "libshmring/robust_mutex.hpp"
#include "tests/crash/stage.hpp"
#include "tests/crash/stepper.hpp"

namespace shmring::testing {
namespace {

class ProducerKilledAtEveryInstruction : public ::testing::Test {
 protected:
  Stage stage;

  void opened() { static_cast<void>(stage.ring()); }
  void registered() { static_cast<void>(stage.ring().prepare_thread()); }
  WriterSlot& slot(std::uint32_t index) const { return stage.file().slots()[index]; }
  BlockDescriptor& descriptor(std::uint32_t index) const { return stage.file().descriptors()[index]; }
  StateWord state(std::uint32_t index) const { return StateWord::unpack(descriptor(index).state.load()); }
};

// ---------------------------------------------------------------------------------------------------- open, register

TEST_F(ProducerKilledAtEveryInstruction, OfOpeningARing) {
  stage.dead_writer(3);
  expect_survived(stage, {.work = [&] { opened(); }}, 2);
}

TEST_F(ProducerKilledAtEveryInstruction, OfRegisteringInAFreshSlot) {
  expect_survived(stage, {.prepare = [&] { opened(); }, .work = [&] { registered(); }}, 10);
}

TEST_F(ProducerKilledAtEveryInstruction, OfRegisteringInADeadHoldersSlot) {
  stage.dead_writer(3);
  expect_survived(stage, {.prepare = [&] { opened(); }, .work = [&] { registered(); }}, 10);
  EXPECT_EQ(ClaimWord::unpack(slot(0).claim.load()).generation, 2U);
}

TEST_F(ProducerKilledAtEveryInstruction, OfRegisteringInAVacatedSlot) {
  stage.dead_writer(3);
  ASSERT_TRUE(vacate(slot(0), slot(0).claim.load()));
  expect_survived(stage, {.prepare = [&] { opened(); }, .work = [&] { registered(); }}, 10);
  EXPECT_EQ(ClaimWord::unpack(slot(0).claim.load()).phase, SlotPhase::kHeld);
}

TEST_F(ProducerKilledAtEveryInstruction, OfRegisteringInASlotWhoseGenerationWraps) {
  stage.dead_writer(20);
  // Two blocks of holders a million lives ago, and a slot that is about to count to them again.
  for (const std::uint32_t index : {0U, 1U}) {
    StateWord word = state(index);
    ASSERT_NE(word.state, BlockState::kFree);
    word.state = BlockState::kOpen;
    word.writer_generation = 0;
    descriptor(index).state.store(word.pack());
  }
  ClaimWord claim = ClaimWord::unpack(slot(0).claim.load());
  claim.generation = StateWord::kGenerationMask;
  slot(0).claim.store(claim.pack());
  expect_survived(stage,
                  {.prepare = [&] { opened(); },
                   .work =
                       [&] {
                         registered();
                         stage.emit();
                       }},
                  20);
  EXPECT_EQ(ClaimWord::unpack(slot(0).claim.load()).generation, 0U);
  EXPECT_EQ(state(0).state, BlockState::kSealed);
}

TEST_F(ProducerKilledAtEveryInstruction, OfRegisteringInTheLastSlotWhoseHolderOnlyProcKnowsToBeGone) {
  for (int n = 0; n < 4; ++n) stage.live_writer(1);
  stage.kill_the_living();
  // As after an exec from another thread: the word says that somebody holds it (R13).
  const std::uint32_t held = kNobodysTid;
  std::memcpy(slot(3).mutex + kFutexWordOffset, &held, sizeof(held));
  for (int n = 0; n < 3; ++n) stage.live_writer(1);
  expect_survived(stage, {.prepare = [&] { opened(); }, .work = [&] { stage.emit(2); }}, 20);
  EXPECT_EQ(ClaimWord::unpack(slot(3).claim.load()).generation, 2U);
}

// -------------------------------------------------------------------------------------------------------- claim, adopt

TEST_F(ProducerKilledAtEveryInstruction, OfClaimingAFreeBlock) {
  expect_survived(stage, {.prepare = [&] { registered(); }, .work = [&] { stage.emit(); }}, 20);
}

TEST_F(ProducerKilledAtEveryInstruction, OfAdoptingItsPredecessorsBlock) {
  stage.dead_writer(3);
  expect_survived(stage, {.prepare = [&] { registered(); }, .work = [&] { stage.emit(); }}, 20);
  EXPECT_EQ(state(0).writer_generation, 2U);
}

TEST_F(ProducerKilledAtEveryInstruction, OfAdoptingTheBlockOfAnotherSlot) {
  stage.somebody_alive_after([&] { registered(); });  // slot 0, no block
  stage.dead_writer(3);                               // slot 1
  stage.kill_the_living();
  stage.file().header().next_block[0].hint.store(0);  // the scan comes to that block first
  expect_survived(stage, {.prepare = [&] { registered(); }, .work = [&] { stage.emit(); }}, 20);
  EXPECT_EQ(state(0).writer, 0U);
}

TEST_F(ProducerKilledAtEveryInstruction, OfSealingAFullBlockAndClaimingAnother) {
  const auto fill = [&] {
    stage.emit();
    const std::uint32_t room = stage.ring().block_bytes() - 900;
    while (CommittedWord{descriptor(0).committed.load()}.offset_bytes() < room) stage.emit();
  };
  expect_survived(stage, {.prepare = fill, .work = [&] { stage.emit(5); }}, 40);
  EXPECT_EQ(state(0).state, BlockState::kSealed);
  EXPECT_EQ(state(1).state, BlockState::kOpen);
}

TEST_F(ProducerKilledAtEveryInstruction, OfBeingRefusedByAFullRing) {
  stage.circumstances().full = true;
  const auto fill = [&] {
    while (stage.emit()) {
    }
  };
  expect_survived(stage, {.prepare = fill, .work = [&] { stage.emit(2); }}, 2);
  EXPECT_GE(stage.ledger().refused, 2U);
}

TEST(EvictorKilledAtEveryInstruction, OfTakingTheOldestSealedBlock) {
  Stage stage({.blocks = 4, .block_bytes = 4096, .writers = 4, .on_full = FullPolicy::kDropOldest});
  stage.circumstances().may_evict = true;
  const auto fill = [&] {
    const auto evicted = [&] {
      return account(stage.file()).total.outcomes[static_cast<std::size_t>(Outcome::kEvicted)];
    };
    while (account(stage.file()).blocks.free > 0) stage.emit();
    while (evicted() == 0) stage.emit();
  };
  expect_survived(stage, {.prepare = fill, .work = [&] { stage.emit(16); }}, 60);
}

// ---------------------------------------------------------------------------------------------- reserve, encode, commit

TEST_F(ProducerKilledAtEveryInstruction, OfEmittingIntoItsBlock) {
  expect_survived(stage, {.prepare = [&] { stage.emit(); }, .work = [&] { stage.emit(4); }}, 40);
}

TEST_F(ProducerKilledAtEveryInstruction, OfDeclaringAScope) {
  expect_survived(stage,
                  {.prepare = [&] { stage.emit(); },
                   .work =
                       [&] {
                         stage.ledger().emit(stage.ring().logger("another", "1.0"));
                         stage.emit();
                       }},
                  10);
}

TEST_F(ProducerKilledAtEveryInstruction, OfEncodingStraightIntoASlot) {
  const auto zero_copy = [&] {
    const std::uint32_t id = stage.ledger().issue();
    const std::vector<std::byte> payload = payload_of(id);
    Slot slot = stage.ring().writer().try_reserve(RecordKind::kLog, payload.size() + 64);
    if (slot) std::memcpy(slot.payload().data(), payload.data(), payload.size());
    stage.ledger().settle(id, slot && std::move(slot).commit(payload.size()));
  };
  expect_survived(stage, {.prepare = [&] { stage.emit(); }, .work = zero_copy}, 3);
}

TEST_F(ProducerKilledAtEveryInstruction, OfAbandoningASlot) {
  const auto abandon = [&] {
    const std::vector<std::byte> payload = payload_of(400);
    {
      Slot slot = stage.ring().writer().try_reserve(RecordKind::kLog, payload.size());
      if (slot) std::memcpy(slot.payload().data(), payload.data(), payload.size());
    }
    stage.emit();
  };
  expect_survived(stage, {.prepare = [&] { stage.emit(); }, .work = abandon}, 5);
}

TEST_F(ProducerKilledAtEveryInstruction, OfWritingOneRecordOfEachSignal) {
  const auto one_of_each = [&] {
    for (const RecordKind kind : {RecordKind::kLog, RecordKind::kSpan, RecordKind::kMetric}) {
      const std::uint32_t id = stage.ledger().issue();
      const std::vector<std::byte> payload = payload_of(id);
      Slot slot = stage.ring().writer().try_reserve(kind, payload.size());
      if (slot) std::memcpy(slot.payload().data(), payload.data(), payload.size());
      stage.ledger().settle(id, slot && std::move(slot).commit());
    }
  };
  expect_survived(stage, {.prepare = [&] { registered(); }, .work = one_of_each}, 30);
}

// ----------------------------------------------------------------------------------------------------------------- end

TEST_F(ProducerKilledAtEveryInstruction, OfTheEndOfItsProcess) {
  expect_survived(stage,
                  {.prepare = [&] { stage.emit(3); },
                   .work =
                       [&] {
                         stage.emit();
                         ::_exit(0);
                       }},
                  3);
}

TEST_F(ProducerKilledAtEveryInstruction, OfTheEndOfItsThread) {
  expect_survived(stage,
                  {.prepare =
                       [&] {
                         stage.emit(3);
                         std::thread([] {
                           for (;;) ::pause();
                         }).detach();
                       },
                   .work =
                       [&] {
                         stage.emit();
                         ::syscall(SYS_exit, 0);  // pthread_exit() would unwind through the test's frames
                       }},
                  3);
}

}  // namespace
}  // namespace shmring::testing
