// SPDX-License-Identifier: Apache-2.0
// How a thread gets a writer slot: the lowest whose holder is gone, in its next generation.
#include <gtest/gtest.h>
#include <pthread.h>
#include <signal.h>
#include <sys/syscall.h>

#include "libshmring/recycle.hpp"
#include "libshmring/ring_core.hpp"
#include "tests/libshmring/ring_test_support.hpp"

namespace shmring {
namespace {

using test::hold_slot;
using test::own_tid;
using test::TestRing;

constexpr std::uint32_t kHighestGeneration = StateWord::kGenerationMask;

ClaimWord claim_of(const TestRing& ring, std::uint32_t slot) {
  return ClaimWord::unpack(ring.slot(slot).claim.load());
}

/// The slot that a new thread gets; it has ended when this returns.
std::uint32_t slot_of_a_thread(const Ring& ring) {
  std::uint32_t slot = ~0U;
  std::thread([&] {
    if (ring.prepare_thread()) slot = this_thread_writers->slot_index;
  }).join();
  return slot;
}

/// Leaves the slot to a holder of this generation that has died, its block `index` open.
void leave_to_the_dead(const TestRing& ring, std::uint32_t slot, std::uint32_t generation) {
  hold_slot(ring.slot(slot), generation, own_tid());
  test::mark_died(ring.slot(slot));
}

void leave_open(const TestRing& ring, std::uint32_t block, std::uint16_t slot, std::uint32_t generation,
                Pin pin = Pin::kUnpinned) {
  fill_block(ring, block,
             {.state = BlockState::kOpen, .pin = pin, .writer = slot, .writer_generation = generation},
             test::BlockText(Signal::kTraces).resource("r").record("x"));
}

TEST(Registration, WritesWhoHoldsTheSlot) {
  const TestRing ring;
  ASSERT_TRUE(ring.open().prepare_thread());
  const WriterSlot& slot = ring.slot(0);
  EXPECT_EQ(slot.tid.load(), own_tid());
  EXPECT_EQ(slot.pid.load(), static_cast<std::uint32_t>(::getpid()));
  EXPECT_EQ(slot.pid_namespace.load(), pid_namespace());
  EXPECT_NE(slot.registered_ns.load(), 0U);
  EXPECT_EQ(futex_word(slot) & kFutexTidMask, own_tid());
  EXPECT_EQ(claim_of(ring, 0).phase, SlotPhase::kHeld);
  EXPECT_EQ(claim_of(ring, 0).generation, 1U);
}

TEST(Registration, HappensOncePerThread) {
  const TestRing ring;
  const Ring opened = ring.open();
  EXPECT_TRUE(opened.prepare_thread());
  EXPECT_TRUE(opened.prepare_thread());
  EXPECT_TRUE(test::emit(opened, "a"));
  EXPECT_EQ(claim_of(ring, 1).phase, SlotPhase::kVacant);
}

TEST(Registration, FindsWhatAHandlerHasRegisteredJustBefore) {
  const TestRing ring;
  RingCore& core = *ring.open().core();
  DropCause cause{};
  const WriterState* by_handler = register_thread(core, cause);
  ASSERT_NE(by_handler, nullptr);
  EXPECT_EQ(register_thread(core, cause), by_handler);
  EXPECT_EQ(claim_of(ring, 1).phase, SlotPhase::kVacant);
}

TEST(Registration, GivesOneThreadASlotInEachOfItsRings) {
  const TestRing a;
  const TestRing b;
  const Ring first = a.open();
  const Ring second = b.open();
  for (int i = 0; i < 3; ++i) {
    EXPECT_TRUE(test::emit(first, "1"));
    EXPECT_TRUE(test::emit(second, "2"));
  }
  EXPECT_EQ(a.committed(0).count(), 3U);
  EXPECT_EQ(b.committed(0).count(), 3U);
  EXPECT_EQ(claim_of(a, 1).phase, SlotPhase::kVacant);
}

TEST(Registration, TakesTheLowestSlotWhoseHolderIsGone) {
  const TestRing ring;
  const Ring opened = ring.open();
  hold_slot(ring.slot(0), 5, own_tid());
  leave_to_the_dead(ring, 1, 9);
  EXPECT_EQ(slot_of_a_thread(opened), 1U);
  EXPECT_EQ(claim_of(ring, 1).generation, 10U);
  EXPECT_EQ(slot_of_a_thread(opened), 1U);
  EXPECT_EQ(claim_of(ring, 1).generation, 11U);
  EXPECT_EQ(claim_of(ring, 0).generation, 5U);
}

TEST(Registration, FailsWhenAllSlotsAreHeldAndCountsTheDropInTheHeader) {
  const TestRing ring({.writers = 1});
  const Ring opened = ring.open();
  ASSERT_TRUE(opened.prepare_thread());
  std::thread([&] {
    EXPECT_FALSE(opened.prepare_thread());
    EXPECT_FALSE(test::emit(opened, "x", RecordKind::kSpan));
  }).join();
  EXPECT_EQ(ring.header_drops(DropCause::kNoWriterSlot, Signal::kTraces), 1U);
}

TEST(RegistrationProcesses, AsksProcOnlyWhenAllSlotsSeemTaken) {
  const TestRing ring({.writers = 2});
  hold_slot(ring.slot(0), 3, test::dead_tid());
  EXPECT_EQ(slot_of_a_thread(ring.open()), 1U);
  hold_slot(ring.slot(1), 3, own_tid());
  EXPECT_EQ(slot_of_a_thread(ring.open()), 0U);
  EXPECT_EQ(claim_of(ring, 0).generation, 4U);
}

TEST(RegistrationProcesses, TakesASlotWhoseClaimerDied) {
  const TestRing ring({.writers = 1});
  ring.slot(0).claim.store(ClaimWord{.generation = 3,
                                     .phase = SlotPhase::kClaiming,
                                     .tid = test::dead_tid(),
                                     .namespace_tag = static_cast<std::uint32_t>(pid_namespace() & 0xFFFFFU)}
                               .pack());
  EXPECT_EQ(slot_of_a_thread(ring.open()), 0U);
  EXPECT_EQ(claim_of(ring, 0).generation, 4U);  // one of its own, though a thread id may come back
}

TEST(Registration, LeavesASlotAloneThatALivingThreadIsClaiming) {
  const TestRing ring({.writers = 1});
  const ClaimWord claim{.generation = 3,
                        .phase = SlotPhase::kClaiming,
                        .tid = own_tid(),
                        .namespace_tag = static_cast<std::uint32_t>(pid_namespace() & 0xFFFFFU)};
  ring.slot(0).claim.store(claim.pack());
  EXPECT_EQ(slot_of_a_thread(ring.open()), ~0U);
  EXPECT_EQ(ring.slot(0).claim.load(), claim.pack());
}

TEST(Registration, SealsBlocksOfEarlierHoldersWhenTheGenerationWraps) {
  const TestRing ring({.blocks = 8});
  leave_to_the_dead(ring, 0, kHighestGeneration);
  leave_open(ring, 0, 0, 0);
  leave_open(ring, 1, 0, 1, Pin::kPinned);
  leave_open(ring, 2, 1, 1);
  ring.descriptor(3).state.store(
      StateWord{.state = BlockState::kEvict, .writer = 0, .writer_generation = 1}.pack());
  EXPECT_EQ(slot_of_a_thread(ring.open()), 0U);
  EXPECT_EQ(claim_of(ring, 0).generation, 0U);
  EXPECT_EQ(ring.state(3).state, BlockState::kSealed);
  EXPECT_EQ(ring.state(0).state, BlockState::kSealed);
  EXPECT_EQ(ring.state(1).state, BlockState::kSealed);
  EXPECT_EQ(ring.state(1).pin, Pin::kPinned);
  EXPECT_EQ(ring.state(2).state, BlockState::kOpen);
}

TEST(Registration, LeavesOpenWhatAnOrdinaryPredecessorLeft) {
  const TestRing ring;
  leave_to_the_dead(ring, 0, 1);
  leave_open(ring, 0, 0, 1);
  EXPECT_EQ(slot_of_a_thread(ring.open()), 0U);
  EXPECT_EQ(ring.state(0).state, BlockState::kOpen);
}

TEST(Registration, SealsOnAWrapThatAVacatedSlotWasAboutToMake) {
  const TestRing ring;
  hold_slot(ring.slot(0), kHighestGeneration, own_tid());
  leave_open(ring, 0, 0, 1);
  ASSERT_TRUE(vacate(ring.slot(0), ring.slot(0).claim.load()));
  EXPECT_EQ(slot_of_a_thread(ring.open()), 0U);
  EXPECT_EQ(ring.state(0).state, BlockState::kSealed);
}

TEST(RegistrationProcesses, SealsOnAWrapWhoseClaimerDiedBeforeItSealed) {
  const TestRing ring({.writers = 1});
  ring.slot(0).claim.store(ClaimWord{.generation = kHighestGeneration,  // what a claim shows before a wrap
                                     .phase = SlotPhase::kClaiming,
                                     .tid = test::dead_tid(),
                                     .namespace_tag = static_cast<std::uint32_t>(pid_namespace() & 0xFFFFFU)}
                               .pack());
  leave_open(ring, 0, 0, 1);
  EXPECT_EQ(slot_of_a_thread(ring.open()), 0U);
  EXPECT_EQ(ring.state(0).state, BlockState::kSealed);
}

TEST(Registration, LetsAThreadThatIsToBeCancelledWriteItsFirstRecord) {
  const TestRing ring;
  const Ring opened = ring.open();
  std::atomic<bool> written = false;
  std::thread([&] {
    ::pthread_cancel(::pthread_self());
    written = test::emit(opened, "last words");
    int ignored = 0;
    ::pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &ignored);  // std::thread's own frames do not unwind
  }).join();
  EXPECT_TRUE(written);
}

TEST(Registration, BlocksSignalsOnlyWhileItRuns) {
  const TestRing ring;
  sigset_t before;
  sigset_t after;
  ::pthread_sigmask(SIG_SETMASK, nullptr, &before);
  ASSERT_TRUE(ring.open().prepare_thread());
  ::pthread_sigmask(SIG_SETMASK, nullptr, &after);
  for (int number = 1; number < NSIG; ++number)
    EXPECT_EQ(::sigismember(&after, number), ::sigismember(&before, number));
}

TEST(RegistrationProcesses, RefusesAProcessMadeByARawClone) {
  const TestRing ring;
  const Ring opened = ring.open();
  const long child = ::syscall(SYS_clone, SIGCHLD, nullptr, nullptr, nullptr, nullptr);
  if (child == 0) ::_exit(test::emit(opened, "x") ? 1 : 0);
  int status = 0;
  ASSERT_EQ(::waitpid(static_cast<pid_t>(child), &status, 0), child);
  EXPECT_EQ(status, 0);
  EXPECT_EQ(ring.header_drops(DropCause::kUnsupportedProcess), 1U);
  EXPECT_EQ(claim_of(ring, 0).phase, SlotPhase::kVacant);
}

TEST(RegistrationProcesses, GivesAForkedChildASlotOfItsOwn) {
  const TestRing ring;
  const Ring opened = ring.open();
  ASSERT_TRUE(test::emit(opened, "parent"));
  EXPECT_EQ(test::in_child([&] {
              if (!test::emit(opened, "child")) return 1;
              return this_thread_writers->slot_index == 1 ? 0 : 2;
            }),
            0);
  EXPECT_EQ(ring.committed(0).count() + ring.committed(1).count(), 2U);
  ASSERT_TRUE(test::emit(opened, "parent"));
  EXPECT_EQ(this_thread_writers->slot_index, 0U);
}

#if defined(__GLIBC__) && __GLIBC_PREREQ(2, 34)
TEST(RegistrationProcesses, GivesAChildWithoutForkHandlersASlotOfItsOwn) {
  const TestRing ring;
  const Ring opened = ring.open();
  ASSERT_TRUE(test::emit(opened, "parent"));
  const pid_t child = ::_Fork();
  if (child == 0) ::_exit(test::emit(opened, "child") && this_thread_writers->slot_index == 1 ? 0 : 1);
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
  EXPECT_EQ(ring.committed(0).count() + ring.committed(1).count(), 2U);
}
#endif

}  // namespace
}  // namespace shmring
