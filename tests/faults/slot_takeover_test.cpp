// SPDX-License-Identifier: Apache-2.0
// FAULTS: killed inside slot takeover while a live holder in another pid namespace has the same thread id. Whoever dies while
// it locks a mutex that somebody else of its id holds makes the kernel mark that one dead; so nobody locks what is held.
#include <gtest/gtest.h>
#include <sys/prctl.h>

#include <algorithm>
#include <cstring>
#include <set>
#include <vector>

#include "libshmring/robust_mutex.hpp"
#include "tests/crash/stepper.hpp"
#include "tests/faults/namespaces.hpp"
#include "tests/support/eventually.hpp"
#include "tests/support/promise.hpp"

namespace shmring::testing {
namespace {

constexpr std::uint32_t kMorePoints = 12;  // evenly spread, beside those at which the ring changes

/// Told by a stepped taker: how long its takeover is; the steps after which the ring was another, or the kernel would have looked
/// at a mutex that was about to be locked or unlocked.
struct Course {
  std::uint32_t steps;
  std::uint32_t count;
  std::uint32_t delicate[1024];
};

class FaultRingTakeover : public ::testing::Test {
 protected:
  // Slot 0: of the live holder, pid 1 of its namespace. Slot 1: of somebody who is gone. There is no third one.
  Promise promise{{.blocks = 8, .writers = 2}};
  Shared<Course> course;
  Shared<std::atomic<std::uint32_t>> stage;

  static bool is_about_to_lock(const Tracee& taker) {
    const auto words = taker.robust_words();
    return std::any_of(words.begin(), words.end(), [](const auto& word) { return word.pending; });
  }

  /// A taker, pid 1 of yet another namespace, is stepped and killed after `kill_after` steps, or runs to its end.
  int take_over(std::uint32_t kill_after) {
    if (!begin_pid_namespace()) return kNotPermitted;
    Tracee taker([&] { ring_ = promise.scratch().open(); },
                 [&] { static_cast<void>(ring_->prepare_thread()); });
    std::vector<std::byte> before(promise.file().base(), promise.file().base() + kLooked);
    for (std::uint32_t step = 0; step < kill_after; ++step) {
      if (!taker.step()) break;
      course->steps = step + 1;
      const bool changed = std::memcmp(before.data(), promise.file().base(), kLooked) != 0;
      if (!changed && !is_about_to_lock(taker)) continue;
      std::memcpy(before.data(), promise.file().base(), kLooked);
      if (course->count < std::size(course->delicate)) course->delicate[course->count++] = step + 1;
    }
    taker.kill();
    return taker.mishap().empty() ? 0 : 3;
  }

  std::optional<Ring> ring_;
  static constexpr std::size_t kLooked = kHeaderBytes + 2 * sizeof(WriterSlot);  // header and slots
};

TEST_F(FaultRingTakeover, KilledAtEveryStageALiveHolderOfTheSameIdInAnotherPidNamespaceKeepsItsSlot) {
  Child holder = in_pid_namespace([&] {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    const Logger logger = promise.scratch().open().logger("test");
    if (::gettid() != 1 || emit_many(logger, promise.obligations(), 2) != 2) return 1;
    stage->store(1);
    if (!eventually([&] { return stage->load() == 2; })) return 2;
    return emit_many(logger, promise.obligations(), 2) == 2 ? 0 : 3;
  });
  siginfo_t info{};
  ASSERT_TRUE(eventually([&] {
    return stage->load() == 1 ||
           (::waitid(P_PID, static_cast<id_t>(holder.pid()), &info, WEXITED | WNOHANG | WNOWAIT) == 0 &&
            info.si_pid != 0);
  }));
  if (stage->load() == 0) GTEST_SKIP() << "only root can make a pid namespace";
  ASSERT_TRUE(in_child([&] {
                return emit_one(promise.scratch().open().logger("test"), promise.obligations()) ? 0 : 1;
              }).with(0));

  WriterSlot& held = promise.file().slots()[0];
  ASSERT_EQ(futex_word(held) & kFutexTidMask, 1U) << "the fault needs a holder whose id is the taker's";
  const std::uint64_t claim = held.claim.load();
  const std::vector<std::byte> scene(promise.file().base(), promise.file().base() + kLooked);
  const auto killed_after = [&](std::uint32_t steps) {
    const Ended ended = in_child([&] { return take_over(steps); });
    EXPECT_TRUE(ended.with(0)) << "after " << steps << " steps: " << ended.text();
    EXPECT_EQ(futex_word(held) & ~0x80000000U, 1U) << "the living was marked dead, after " << steps;
    EXPECT_EQ(held.claim.load(), claim) << "its slot was taken, after " << steps;
    std::memcpy(promise.file().base(), scene.data(), kLooked);
  };
  killed_after(~0U);
  const Course seen = *course;
  ASSERT_GT(seen.count, 5U) << "nothing was taken over";
  std::set<std::uint32_t> points;
  for (std::uint32_t n = 0; n < seen.count; ++n) points.insert({seen.delicate[n] - 1, seen.delicate[n]});
  for (std::uint32_t n = 0; n < kMorePoints; ++n) points.insert(seen.steps / kMorePoints * n);
  for (const std::uint32_t point : points) killed_after(point);
  std::printf("%u steps, killed at %zu of them\n", seen.steps, points.size());

  stage->store(2);
  const Ended ended = holder.wait();
  EXPECT_TRUE(ended.with(0)) << ended.text();
  promise.expect_kept();
}

}  // namespace
}  // namespace shmring::testing
