// SPDX-License-Identifier: Apache-2.0
// One flusher at a time.
#include "libshmring/lease.hpp"

#include <gtest/gtest.h>
#include <signal.h>

#include "tests/libshmring/ring_test_support.hpp"

namespace shmring {
namespace {

using test::TestRing;

TEST(Lease, IsHeldByOneAtATime) {
  const TestRing ring;
  EXPECT_EQ(*lease_state(ring.file()), LeaseState::kFree);
  {
    const auto first = Lease::try_take(ring.file());
    ASSERT_TRUE(first) << first.error().message;
    EXPECT_EQ(*lease_state(ring.file()), LeaseState::kHeld);
    EXPECT_EQ(ring.header().flusher_pid.load(), static_cast<std::uint32_t>(::getpid()));
    const auto second = Lease::try_take(ring.file());
    ASSERT_FALSE(second);
    EXPECT_EQ(second.error().code, ErrorCode::kBusy);
    EXPECT_NE(second.error().message.find(std::to_string(::getpid())), std::string::npos);
  }
  EXPECT_EQ(*lease_state(ring.file()), LeaseState::kFree);
  EXPECT_EQ(ring.header().flusher_pid.load(), 0U);
}

TEST(Lease, RaisesTheEpochWithEachHolder) {
  const TestRing ring;
  const std::uint64_t first = test::take_lease(ring).epoch();
  const std::uint64_t second = test::take_lease(ring).epoch();
  EXPECT_EQ(second, first + 1);
  EXPECT_EQ(ring.header().epoch.load(), second);
}

TEST(Lease, LeavesTheEpochAloneWhenItIsRefused) {
  const TestRing ring;
  const Lease held = test::take_lease(ring);
  EXPECT_FALSE(Lease::try_take(ring.file()));
  EXPECT_EQ(ring.header().epoch.load(), held.epoch());
}

TEST(Lease, MovesWithItsLock) {
  const TestRing ring;
  Lease first = test::take_lease(ring);
  {
    const Lease second(std::move(first));
    EXPECT_EQ(*lease_state(ring.file()), LeaseState::kHeld);
  }
  EXPECT_EQ(*lease_state(ring.file()), LeaseState::kFree);
}

TEST(Lease, SurvivesThatAnotherDescriptorOfTheRingIsClosed) {
  const TestRing ring;
  const Lease held = test::take_lease(ring);
  { const auto other = RingFile::attach(ring.path()); }  // with a POSIX lock this would end it
  EXPECT_FALSE(Lease::try_take(ring.file()));
}

TEST(LeaseProcesses, IsFreeOnceItsHolderWasKilled) {
  const TestRing ring;
  int ready[2];
  ASSERT_EQ(::pipe(ready), 0);
  const pid_t child = ::fork();
  if (child == 0) {
    const auto lease = Lease::try_take(ring.file());
    const char answer = lease ? 'y' : 'n';
    if (::write(ready[1], &answer, 1) != 1) ::_exit(1);
    for (;;) ::pause();
  }
  char answer = 'n';
  ASSERT_EQ(::read(ready[0], &answer, 1), 1);
  EXPECT_EQ(answer, 'y');
  EXPECT_EQ(Lease::try_take(ring.file()).error().code, ErrorCode::kBusy);
  ::kill(child, SIGKILL);
  ::waitpid(child, nullptr, 0);
  EXPECT_TRUE(Lease::try_take(ring.file()));
  ::close(ready[0]);
  ::close(ready[1]);
}

}  // namespace
}  // namespace shmring
