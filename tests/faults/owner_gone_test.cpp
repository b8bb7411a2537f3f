// SPDX-License-Identifier: Apache-2.0
// FAULTS: owners whose death the kernel does not mark, whose id belongs to somebody else since, or who live in another pid
// namespace. The gone are found through /proc, in the same pid namespace; the living are left alone.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/ptrace.h>
#include <cerrno>

#include "libshmring/liveness.hpp"
#include "tests/faults/namespaces.hpp"
#include "tests/support/eventually.hpp"
#include "tests/support/flusher_process.hpp"
#include "tests/support/promise.hpp"

namespace shmring::testing {
namespace {

constexpr const char* kNeedsRights = "only root can make a pid namespace, or choose the id of a process";

class FaultRingOwner : public ::testing::Test {
 protected:
  Promise promise{{.blocks = 16, .writers = 8}};

  const WriterSlot& slot(std::uint32_t index) const { return promise.file().slots()[index]; }
  int emit(std::uint32_t records) const {
    const Logger logger = promise.scratch().open().logger("test");
    return emit_many(logger, promise.obligations(), records) == records ? 0 : 1;
  }
  /// A process that writes and ends, and by its word lives on. Its id.
  pid_t unmarked_dead(std::uint32_t records) const {
    Child child = Child::forked([&] {
      const int emitted = emit(records);
      return emitted == 0 && lose_a_robust_mutex() ? 0 : 1;
    });
    const pid_t pid = child.pid();
    EXPECT_TRUE(child.wait().with(0));
    return pid;
  }
  /// The fault happened: only /proc knows.
  void expect_unmarked() const {
    EXPECT_EQ(liveness(slot(0), Ask::kWord), Liveness::kAlive);
    EXPECT_EQ(liveness(slot(0), Ask::kWordAndProc), Liveness::kGone);
  }
  void expect_reclaimed() {
    promise.expect_kept();
    promise.expect_blocks_back();
    EXPECT_EQ(promise.obligations().count(), promise.deliveries().total());
  }
};

TEST_F(FaultRingOwner, RobustMutexUnmappedByAnotherLibraryItsHolderIsFoundGone) {
  unmarked_dead(3);
  expect_unmarked();
  expect_reclaimed();
}

TEST_F(FaultRingOwner, KilledByTheOomReaperTheOwnerIsFoundGone) {
  Child victim = Child::forked([&] {
    if (emit(3) != 0 || ::ptrace(PTRACE_TRACEME, 0, nullptr, nullptr) != 0) return 1;
    ::raise(SIGSTOP);
    return 0;
  });
  int status = 0;
  ASSERT_EQ(::waitpid(victim.pid(), &status, WUNTRACED), victim.pid());
  ASSERT_TRUE(WIFSTOPPED(status));
  ASSERT_EQ(::ptrace(PTRACE_SETOPTIONS, victim.pid(), nullptr, PTRACE_O_TRACEEXIT), 0);
  const auto pidfd = static_cast<int>(::syscall(SYS_pidfd_open, victim.pid(), 0));
  ASSERT_GE(pidfd, 0);
  // Killed, it stands still once more on its way out: the reaper comes before the kernel looks at its robust mutexes.
  victim.signal(SIGKILL);
  ASSERT_EQ(::waitpid(victim.pid(), &status, 0), victim.pid());
  if (!WIFSTOPPED(status)) GTEST_SKIP() << "this kernel does not stop a killed tracee at its exit";
  const long reaped = ::syscall(SYS_process_mrelease, pidfd, 0);
  const int error = errno;
  ::close(pidfd);
  ::ptrace(PTRACE_CONT, victim.pid(), nullptr, nullptr);
  EXPECT_TRUE(victim.wait().by(SIGKILL));
  if (reaped != 0 && error == ENOSYS) GTEST_SKIP() << "this kernel has no process_mrelease (Linux 5.15)";
  ASSERT_EQ(reaped, 0) << "errno " << error;
  expect_unmarked();
  expect_reclaimed();
}

TEST_F(FaultRingOwner, PidReusedByAYoungerProcessTheDeadOwnerIsFoundGone) {
  const pid_t pid = unmarked_dead(3);
  // Younger by more than what /proc can tell apart (ticks of a hundredth of a second).
  const std::uint64_t registered = slot(0).registered_ns.load();
  ASSERT_TRUE(eventually([&] { return boottime_ns() > registered + 100'000'000; }));
  const Child namesake = process_with_id(pid);
  if (!namesake.started() && errno == EPERM) GTEST_SKIP() << kNeedsRights;
  ASSERT_EQ(namesake.pid(), pid) << "errno " << errno;
  expect_unmarked();
  expect_reclaimed();
}

TEST_F(FaultRingOwner, PidReusedByAnHeirOfTheSlotTheLivingIsLeftAlone) {
  const pid_t pid = unmarked_dead(3);
  const Child namesake = process_with_id(pid);
  if (!namesake.started() && errno == EPERM) GTEST_SKIP() << kNeedsRights;
  // As if the namesake had registered: it is as old as its registration.
  WriterSlot& held = promise.file().slots()[0];
  held.registered_ns.store(boottime_ns());
  EXPECT_EQ(liveness(held, Ask::kWordAndProc), Liveness::kAlive);
  Drainer drainer(promise.file());
  drainer.empty(promise.deliveries());
  EXPECT_EQ(ClaimWord::unpack(held.claim.load()).phase, SlotPhase::kHeld);
  EXPECT_EQ(promise.accounting().blocks.open, 1U);
  promise.expect_complete();
}

/// Pid 1 of another namespace dies unmarked: its records arrive, and nobody here dares to take its slot.
TEST_F(FaultRingOwner, OtherPidNamespaceTheDeadIsShownByStatusAndItsRecordsArrive) {
  Child child = in_pid_namespace([&] { return emit(3) == 0 && lose_a_robust_mutex() ? 0 : 1; });
  const Ended ended = child.wait();
  if (ended.with(kNotPermitted)) GTEST_SKIP() << kNeedsRights;
  ASSERT_TRUE(ended.with(0)) << ended.text();
  EXPECT_EQ(liveness(slot(0), Ask::kWordAndProc), Liveness::kUnknown);
  Drainer drainer(promise.file());
  promise.expect_kept(drainer);
  EXPECT_EQ(ClaimWord::unpack(slot(0).claim.load()).phase, SlotPhase::kHeld);
  FlusherProcess status(SHMRING_CLI, {"status", promise.scratch().path()},
                        promise.scratch().folder() / "out");
  EXPECT_EQ(status.wait(), 0);
  EXPECT_THAT(status.log_text(), ::testing::HasSubstr("1 of another pid namespace"));
}

/// Then somebody who knows says so: its slot is free, its block comes back, its records are delivered once.
TEST_F(FaultRingOwner, OtherPidNamespaceTheDeadsSlotIsFreedByRecoverWhereItIsTold) {
  Child child = in_pid_namespace([&] { return emit(3) == 0 && lose_a_robust_mutex() ? 0 : 1; });
  const Ended ended = child.wait();
  if (ended.with(kNotPermitted)) GTEST_SKIP() << kNeedsRights;
  ASSERT_TRUE(ended.with(0)) << ended.text();
  Drainer drainer(promise.file());
  drainer.empty(promise.deliveries());
  ASSERT_EQ(promise.accounting().blocks.open, 1U) << "nobody here takes it";
  FlusherProcess recover(SHMRING_CLI, {"recover", promise.scratch().path(), "--free-slot", "0"},
                         promise.scratch().folder() / "out");
  EXPECT_EQ(recover.wait(), 0);
  EXPECT_THAT(recover.log_text(),
              ::testing::HasSubstr("slot 0 is free; it was held by thread 1 of process 1"));
  drainer.empty(promise.deliveries());
  EXPECT_EQ(promise.accounting().blocks.free, promise.file().geometry().block_count);
  promise.expect_kept(drainer);
  EXPECT_EQ(ClaimWord::unpack(slot(0).claim.load()).phase, SlotPhase::kHeld);
  EXPECT_EQ(slot(0).tid.load(), static_cast<std::uint32_t>(::getpid())) << "the next writer takes it";
  EXPECT_EQ(promise.obligations().count(), promise.deliveries().total());
}

/// A process in a new pid namespace that still sees the /proc of the old one, where its neighbour's id is that of somebody
/// who came later.
TEST_F(FaultRingOwner, OtherPidNamespaceItsProcSaysNothingAboutTheLivingOfThisOne) {
  constexpr pid_t kId = 31'337;
  Shared<std::atomic<int>> stage;
  Child outer = in_pid_namespace([&] {
    const pid_t id = kId;
    clone_args arguments{};
    arguments.exit_signal = SIGCHLD;
    arguments.set_tid = reinterpret_cast<std::uint64_t>(&id);
    arguments.set_tid_size = 1;
    // Registered by hand: the C library does not know a process that was cloned so.
    const auto pid = static_cast<pid_t>(::syscall(SYS_clone3, &arguments, sizeof(arguments)));
    if (pid == 0) {
      for (;;) ::pause();
    }
    Child living(pid);
    if (pid != kId) return kNotPermitted;
    WriterSlot& held = promise.file().slots()[0];
    held.tid.store(kId);
    held.pid.store(kId);
    held.pid_namespace.store(pid_namespace());
    held.registered_ns.store(boottime_ns());
    reinterpret_cast<std::atomic<std::uint32_t>*>(held.mutex)->store(kId);
    held.claim.store(ClaimWord{.generation = 1, .phase = SlotPhase::kHeld, .tid = kId}.pack());
    stage->store(1);
    if (!eventually([&] { return stage->load() == 2; })) return 2;
    return liveness(held, Ask::kWordAndProc) == Liveness::kGone ? 3 : 0;
  });
  const auto began = [&] { return stage->load() == 1; };
  siginfo_t info{};
  ASSERT_TRUE(eventually([&] {
    return began() ||
           (::waitid(P_PID, static_cast<id_t>(outer.pid()), &info, WEXITED | WNOHANG | WNOWAIT) == 0 &&
            info.si_pid != 0);
  }));
  if (!began()) GTEST_SKIP() << kNeedsRights;
  const std::uint64_t registered = slot(0).registered_ns.load();
  ASSERT_TRUE(eventually([&] { return boottime_ns() > registered + 100'000'000; }));
  const Child namesake = process_with_id(kId);
  if (!namesake.started() && errno == EEXIST)
    GTEST_SKIP() << "somebody else has the process id " << kId << " at the moment";
  ASSERT_TRUE(namesake.started()) << "errno " << errno;
  stage->store(2);
  const Ended ended = outer.wait();
  EXPECT_TRUE(ended.with(0)) << ended.text() << " (3: a living thread was taken for gone)";
}

}  // namespace
}  // namespace shmring::testing
