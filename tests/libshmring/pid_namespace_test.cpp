// SPDX-License-Identifier: Apache-2.0
// A process says its own pid namespace, whatever its parents knew; and does not ask where its parent did.
#include "libshmring/fork_page.hpp"

#include <gtest/gtest.h>
#include <pthread.h>
#include <sched.h>
#include <sys/wait.h>
#include <unistd.h>

#include "libshmring/fork_page.hpp"
#include "libshmring/liveness.hpp"
#include "tests/libshmring/ring_test_support.hpp"

namespace shmring {
namespace {

constexpr int kNotPermitted = 77;

/// 0: this process says what /proc says.
int says_its_own() { return remembered_pid_namespace() == pid_namespace() ? 0 : 1; }

/// A root without /proc: who is asked there has nobody to ask.
bool hide_proc() { return ::chroot("/dev/shm") == 0 && ::chdir("/") == 0 && pid_namespace() == 0; }

/// `work` by the first process of another namespace.
template <typename Work>
int first_of_another(const Work& work) {
  if (::unshare(CLONE_NEWPID) != 0) return kNotPermitted;
  return test::in_child([&] { return ::getpid() != 1 ? 2 : work(); });
}

class PidNamespaceProcesses : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(prepare_fork_page());
    static const int registered = ::pthread_atfork(&note_fork, nullptr, &note_forked);
    ASSERT_EQ(registered, 0);
    ASSERT_EQ(says_its_own(), 0);
  }
};

TEST_F(PidNamespaceProcesses, IsTakenOverByChildrenAndTheirs) {
  EXPECT_EQ(
      test::in_child([] { return says_its_own() != 0 ? 1 : test::in_child([] { return says_its_own(); }); }),
      0);
}

TEST_F(PidNamespaceProcesses, IsNotAskedForWhereTheParentKnows) {
  const std::uint64_t here = pid_namespace();
  const int ended = test::in_child([&] {
    if (!hide_proc()) return kNotPermitted;
    return remembered_pid_namespace() == here ? 0 : 1;
  });
  if (ended == kNotPermitted) GTEST_SKIP() << "this machine permits no chroot()";
  EXPECT_EQ(ended, 0);
}

TEST_F(PidNamespaceProcesses, IsAskedForBehindAParentThatNeverDid) {
  const int ended = test::in_child([] {
    // This one has not looked; what its parent knew must not reach its child.
    return test::in_child([] {
      if (!hide_proc()) return kNotPermitted;
      return remembered_pid_namespace() == 0 ? 0 : 1;
    });
  });
  if (ended == kNotPermitted) GTEST_SKIP() << "this machine permits no chroot()";
  EXPECT_EQ(ended, 0);
}

TEST_F(PidNamespaceProcesses, OfTheFirstProcessOfAnotherIsThatOther) {
  const std::uint64_t here = pid_namespace();
  const int ended = test::in_child([&] {
    if (says_its_own() != 0) return 1;
    if (::unshare(CLONE_NEWPID) != 0) return kNotPermitted;
    if (says_its_own() != 0) return 2;  // only its children move
    return test::in_child([&] {
      if (::getpid() != 1 || remembered_pid_namespace() == here) return 3;
      return says_its_own() != 0 ? 4 : test::in_child([] { return says_its_own(); });
    });
  });
  if (ended == kNotPermitted) GTEST_SKIP() << "this machine permits no pid namespace (unshare)";
  EXPECT_EQ(ended, 0);
}

TEST_F(PidNamespaceProcesses, BehindAFirstProcessThatNeverLookedIsThatOther) {
  const int ended = test::in_child([] {
    if (says_its_own() != 0) return 1;
    if (::unshare(CLONE_NEWPID) != 0) return kNotPermitted;
    return test::in_child([] { return ::getpid() != 1 ? 2 : test::in_child([] { return says_its_own(); }); });
  });
  if (ended == kNotPermitted) GTEST_SKIP() << "this machine permits no pid namespace (unshare)";
  EXPECT_EQ(ended, 0);
}

TEST_F(PidNamespaceProcesses, IsNotMistakenWhereAParentHasTheIdOfOneThatKnew) {
  // A first process that knows, in its namespace another first process that does not, and its child.
  const int ended = test::in_child([&] {
    return first_of_another([&] {
      return says_its_own() != 0
                 ? 3
                 : first_of_another([] { return test::in_child([] { return says_its_own(); }); });
    });
  });
  if (ended == kNotPermitted) GTEST_SKIP() << "this machine permits no pid namespace (unshare)";
  EXPECT_EQ(ended, 0);
}

#if defined(__GLIBC__) && __GLIBC_PREREQ(2, 34)
/// in_child() for one that runs no fork handlers.
template <typename Work>
int in_bare_child(const Work& work) {
  const pid_t child = ::_Fork();
  if (child == 0) ::_exit(work());
  int status = 0;
  return child > 0 && ::waitpid(child, &status, 0) == child && WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

TEST_F(PidNamespaceProcesses, IsNotTakenOverByAChildWithoutForkHandlers) {
  // As above, but the child of the first process that does not know was made by _Fork(): what it finds is for that process.
  const int ended = test::in_child([&] {
    return first_of_another([&] {
      return says_its_own() != 0
                 ? 3
                 : first_of_another([] { return in_bare_child([] { return says_its_own(); }); });
    });
  });
  if (ended == kNotPermitted) GTEST_SKIP() << "this machine permits no pid namespace (unshare)";
  EXPECT_EQ(ended, 0);
}
#endif

}  // namespace
}  // namespace shmring
