// SPDX-License-Identifier: Apache-2.0
// What a drain costs that finds nothing, counted in system calls.
#include <gtest/gtest.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#include <array>

#include "tests/libshmring/ring_test_support.hpp"
#include "tests/support/child.hpp"

namespace shmring {
namespace {

using test::Flusher;
using test::TestRing;

/// From here on any system call but the process's own end kills it with SIGSYS.
bool forbid_system_calls() {
  std::array<sock_filter, 4> rules{{
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_exit_group, 0, 1),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
  }};
  const sock_fprog program{.len = rules.size(), .filter = rules.data()};
  return ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
         ::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0;
}

/// How a child ends that drains where no system call is allowed.
testing::Ended drained_without_system_calls(const TestRing& ring) {
  Flusher flusher(ring);
  flusher.drain();  // grows what it keeps
  return testing::in_child([&]() -> int {
    if (!forbid_system_calls()) return 1;
    for (int pass = 0; pass < 3; ++pass) {
      if (!flusher.drain().empty()) return 2;
    }
    return 0;
  });
}

TEST(IdleDrainProcesses, MakesNoSystemCallWhileNobodyHoldsASlot) {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  GTEST_SKIP() << "a sanitizer's runtime makes system calls of its own";
#endif
  const TestRing ring;
  test::seal_with(ring, 0, {"a record that is on its way"});
  const testing::Ended ended = drained_without_system_calls(ring);
  EXPECT_TRUE(ended.with(0)) << ended.text();
}

TEST(IdleDrainProcesses, AsksProcAboutTheHolderOfASlot) {
  const TestRing ring({.writers = 1});
  test::hold_slot(ring.slot(0), 1, test::own_tid());
  const testing::Ended ended = drained_without_system_calls(ring);
  EXPECT_TRUE(ended.by(SIGSYS)) << ended.text();
}

}  // namespace
}  // namespace shmring
