// SPDX-License-Identifier: Apache-2.0
// Who is alive: what the word says, what /proc adds, and what nobody can know.
#include "libshmring/liveness.hpp"

#include <gtest/gtest.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/prctl.h>

#include "libshmring/recycle.hpp"
#include "tests/libshmring/ring_test_support.hpp"

namespace shmring {
namespace {

using test::hold_slot;
using test::own_tid;
using test::TestRing;

void claim_slot(WriterSlot& slot, std::uint32_t generation, std::uint32_t tid, std::uint64_t name_space) {
  slot.claim.store(ClaimWord{.generation = generation,
                             .phase = SlotPhase::kClaiming,
                             .tid = tid,
                             .namespace_tag = static_cast<std::uint32_t>(name_space & 0xFFFFFU)}
                       .pack());
}

StateWord owned(std::uint32_t generation) {
  return {.state = BlockState::kOpen, .writer = 0, .writer_generation = generation};
}

/// A forked child that registers with the ring, then does nothing until it is killed. Its slot is `slot`.
pid_t start_holder(const TestRing& ring, std::uint32_t& slot) {
  int ready[2];
  if (::pipe(ready) != 0) return -1;
  const pid_t child = ::fork();
  if (child == 0) {
    const char answer = ring.open().prepare_thread() ? 'y' : 'n';
    if (::write(ready[1], &answer, 1) != 1) ::_exit(1);
    for (;;) ::pause();
  }
  char answer = 'n';
  EXPECT_EQ(::read(ready[0], &answer, 1), 1);
  EXPECT_EQ(answer, 'y');
  ::close(ready[0]);
  ::close(ready[1]);
  for (slot = 0; slot + 1 < ring.file().geometry().writer_count; ++slot) {
    if (ring.slot(slot).pid.load() == static_cast<std::uint32_t>(child)) break;
  }
  return child;
}

TEST(Liveness, IsVacantWhereNobodyEverWas) {
  const TestRing ring;
  EXPECT_EQ(liveness(ring.slot(0), Ask::kWord), Liveness::kVacant);
  EXPECT_EQ(liveness(ring.slot(0), Ask::kWordAndProc), Liveness::kVacant);
  EXPECT_TRUE(owner_gone(ring.slot(0), owned(0)));
}

TEST(Liveness, IsAliveWhileTheThreadRuns) {
  const TestRing ring;
  ASSERT_TRUE(ring.open().prepare_thread());
  EXPECT_EQ(ring.slot(0).tid.load(), own_tid());
  EXPECT_EQ(liveness(ring.slot(0), Ask::kWord), Liveness::kAlive);
  EXPECT_EQ(liveness(ring.slot(0), Ask::kWordAndProc), Liveness::kAlive);
}

TEST(Liveness, IsGoneOnceTheThreadHasReturned) {
  const TestRing ring;
  std::thread([&] { ASSERT_TRUE(ring.open().prepare_thread()); }).join();
  EXPECT_EQ(liveness(ring.slot(0), Ask::kWord), Liveness::kGone);
  EXPECT_TRUE(owner_gone(ring.slot(0), owned(1)));
}

TEST(LivenessProcesses, IsGoneOnceTheProcessWasKilledEvenAsAZombie) {
  const TestRing ring;
  std::uint32_t slot = 0;
  const pid_t child = start_holder(ring, slot);
  EXPECT_EQ(liveness(ring.slot(slot), Ask::kWordAndProc), Liveness::kAlive);
  ::kill(child, SIGKILL);
  siginfo_t info{};
  ASSERT_EQ(::waitid(P_PID, static_cast<id_t>(child), &info, WEXITED | WNOWAIT), 0);
  EXPECT_EQ(liveness(ring.slot(slot), Ask::kWord), Liveness::kGone);
  test::set_futex_word(ring.slot(slot),
                       static_cast<std::uint32_t>(child));  // as if the kernel had not marked it
  EXPECT_EQ(liveness(ring.slot(slot), Ask::kWord), Liveness::kAlive);
  EXPECT_EQ(liveness(ring.slot(slot), Ask::kWordAndProc), Liveness::kGone);
  ::waitpid(child, nullptr, 0);
}

TEST(LivenessProcesses, IsAliveWhileStopped) {
  const TestRing ring;
  std::uint32_t slot = 0;
  const pid_t child = start_holder(ring, slot);
  ::kill(child, SIGSTOP);
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, WUNTRACED), child);
  ASSERT_TRUE(WIFSTOPPED(status));
  EXPECT_EQ(liveness(ring.slot(slot), Ask::kWordAndProc), Liveness::kAlive);
  ::kill(child, SIGKILL);
  ::waitpid(child, nullptr, 0);
}

TEST(LivenessProcesses, IsGoneWhenNoThreadHasThatId) {
  const TestRing ring;
  hold_slot(ring.slot(0), 1, test::dead_tid());
  EXPECT_EQ(liveness(ring.slot(0), Ask::kWord), Liveness::kAlive);
  EXPECT_EQ(liveness(ring.slot(0), Ask::kWordAndProc), Liveness::kGone);
  EXPECT_FALSE(owner_gone(ring.slot(0), owned(1)));
}

TEST(Liveness, IsGoneWhenTheThreadOfThatIdBeganLater) {
  const TestRing ring;
  hold_slot(ring.slot(0), 1, own_tid());
  ring.slot(0).registered_ns.store(1);
  EXPECT_EQ(liveness(ring.slot(0), Ask::kWordAndProc), Liveness::kGone);
}

TEST(Liveness, IsUnknownInAnotherPidNamespace) {
  const TestRing ring;
  hold_slot(ring.slot(0), 1, 1);
  for (const std::uint64_t elsewhere : {pid_namespace() + 1, std::uint64_t{0}}) {
    ring.slot(0).pid_namespace.store(elsewhere);
    EXPECT_EQ(liveness(ring.slot(0), Ask::kWordAndProc), Liveness::kUnknown);
  }
  test::mark_died(ring.slot(0));
  EXPECT_EQ(liveness(ring.slot(0), Ask::kWordAndProc), Liveness::kGone);
}

TEST(LivenessProcesses, FindsADeadClaimerThroughProcOnly) {
  const TestRing ring;
  claim_slot(ring.slot(0), 2, test::dead_tid(), pid_namespace());
  test::mark_died(ring.slot(0));  // of the holder before: says nothing about the claimer
  EXPECT_EQ(liveness(ring.slot(0), Ask::kWord), Liveness::kAlive);
  EXPECT_EQ(liveness(ring.slot(0), Ask::kWordAndProc), Liveness::kGone);
  claim_slot(ring.slot(0), 2, own_tid(), pid_namespace());
  EXPECT_EQ(liveness(ring.slot(0), Ask::kWordAndProc), Liveness::kAlive);
  claim_slot(ring.slot(0), 2, own_tid(), pid_namespace() + 1);
  EXPECT_EQ(liveness(ring.slot(0), Ask::kWordAndProc), Liveness::kUnknown);
}

TEST(OwnerGone, LooksAtTheGenerationAndAtTheWord) {
  const TestRing ring;
  hold_slot(ring.slot(0), 7, own_tid());
  EXPECT_FALSE(owner_gone(ring.slot(0), owned(7)));
  EXPECT_TRUE(owner_gone(ring.slot(0), owned(6)));
  EXPECT_TRUE(owner_gone(ring.slot(0), owned(8)));
  test::mark_died(ring.slot(0));
  EXPECT_TRUE(owner_gone(ring.slot(0), owned(7)));
}

TEST(OwnerGone, KnowsThatAClaimerOwnsNothingYet) {
  const TestRing ring;
  claim_slot(ring.slot(0), 7, own_tid(), pid_namespace());
  EXPECT_TRUE(owner_gone(ring.slot(0), owned(7)));  // of a holder 2^20 lives ago
  EXPECT_TRUE(owner_gone(ring.slot(0), owned(6)));
}

TEST(Vacate, MakesOrphansOfTheHoldersBlocks) {
  const TestRing ring;
  hold_slot(ring.slot(0), 7, own_tid());
  ASSERT_TRUE(vacate(ring.slot(0), ring.slot(0).claim.load()));
  EXPECT_EQ(liveness(ring.slot(0), Ask::kWord), Liveness::kVacant);
  EXPECT_TRUE(owner_gone(ring.slot(0), owned(7)));
}

TEST(Vacate, LeavesASlotAloneThatHasANewHolder) {
  const TestRing ring;
  hold_slot(ring.slot(0), 7, own_tid());
  const std::uint64_t seen = ring.slot(0).claim.load();
  hold_slot(ring.slot(0), 8, own_tid());
  EXPECT_FALSE(vacate(ring.slot(0), seen));
  EXPECT_EQ(liveness(ring.slot(0), Ask::kWord), Liveness::kAlive);
}

/// 0: the live holder was not taken for dead; 1: it was; 2: this machine does not let us try.
int look_from_where_proc_hides_others(const TestRing& ring) {
  if (::unshare(CLONE_NEWNS) != 0 || ::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0 ||
      ::mount("proc", "/proc", "proc", 0, "hidepid=2") != 0 || ::setgid(65534) != 0 || ::setuid(65534) != 0) {
    return 2;
  }
  const std::string other = "/proc/" + std::to_string(ring.slot(0).tid.load());
  if (::access(other.c_str(), F_OK) == 0) return 2;
  return liveness(ring.slot(0), Ask::kWordAndProc) == Liveness::kGone ? 1 : 0;
}

TEST(LivenessProcesses, IsNotGoneBecauseProcHidesIt) {
  const TestRing ring;
  hold_slot(ring.slot(0), 1, own_tid());
  const int answer = test::in_child([&] { return look_from_where_proc_hides_others(ring); });
  if (answer == 2) GTEST_SKIP() << "cannot mount a /proc with hidepid here";
  EXPECT_EQ(answer, 0);
}

}  // namespace
}  // namespace shmring
