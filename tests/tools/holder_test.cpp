// SPDX-License-Identifier: Apache-2.0
// What the kernel's files say about the holder of a lock.
#include "tools/holder.hpp"

#include <gtest/gtest.h>

namespace shmring::tools {
namespace {

TEST(StartOfAProcess, IsField22WhateverItsNameHolds) {
  const std::string rest = " S 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 200 21 22\n";
  EXPECT_EQ(start_ns_of_stat("4711 (flusher)" + rest, 100), 2'000'000'000U);
  EXPECT_EQ(start_ns_of_stat("4711 (a) b (c)) S" + rest, 100), 180'000'000U)
      << "one field more: field 21 of the rest";
  EXPECT_EQ(start_ns_of_stat("4711 (a b) c)" + rest, 100), 2'000'000'000U);
}

TEST(StartOfAProcess, IsZeroForWhatIsNoStat) {
  EXPECT_EQ(start_ns_of_stat("", 100), 0U);
  EXPECT_EQ(start_ns_of_stat("4711 (x) S 1 2", 100), 0U);
  EXPECT_EQ(start_ns_of_stat("garbage", 0), 0U);
}

TEST(LockOfAProcess, IsAnOfdWriteLockOnThatInode) {
  const std::string mine = "pos:\t0\nflags:\t02100002\nlock:\t1: OFDLCK  ADVISORY  WRITE -1 00:1b:4711 0 0\n";
  EXPECT_TRUE(lists_ofd_lock(mine, 4711));
  EXPECT_FALSE(lists_ofd_lock(mine, 471));
  EXPECT_FALSE(lists_ofd_lock(mine, 711));
  EXPECT_FALSE(lists_ofd_lock("lock:\t1: POSIX  ADVISORY  WRITE 77 00:1b:4711 0 0\n", 4711));
  EXPECT_FALSE(lists_ofd_lock("lock:\t1: OFDLCK  ADVISORY  READ  -1 00:1b:4711 0 0\n", 4711));
  EXPECT_FALSE(lists_ofd_lock("", 4711));
}

}  // namespace
}  // namespace shmring::tools
