// SPDX-License-Identifier: Apache-2.0
#include "flusher/spool_thread.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <filesystem>

#include "tests/spool/spool_rig.hpp"
#include "tests/support/eventually.hpp"
#include "tests/support/failing_disk.hpp"

namespace shmring::flusher {
namespace {

using testing::FailingDisk;

class SpoolThreadTest : public ::testing::Test {
 protected:
  SpoolThreadTest() {
    FailingDisk::disk();
    rig_.open();
  }
  ~SpoolThreadTest() override { FailingDisk::disk().mend(); }

  SpoolThread::Work keeping(const std::string& request) {
    return [&request](spool::SpoolFile& file) -> Result<void> {
      auto ids =
          file.keep({{.request = request, .records = 1, .destinations = {"otlp"}}}, spool::WhenFull::kRefuse);
      if (!ids) return ids.error();
      return {};
    };
  }

  testing::SpoolRig rig_;
  EventLoop loop_;
};

/// SQLite gives up a whole transaction when a write fails in the middle of it, and what comes next would begin one of its own.
TEST_F(SpoolThreadTest, AJobThatCostsTheTransactionFailsAllThatAreInIt) {
  const std::string first = "first";
  const std::string large(6U << 20U, 'l');  // more than the cache: written out at once
  const std::string last = "last";
  std::vector<int> kept(3, -1);
  {
    SpoolThread thread(std::move(rig_.file), loop_, [](const spool::Rescue&) {});
    std::atomic<bool> may_go_on{false};
    thread.post(
        [&](spool::SpoolFile&) -> Result<void> {
          if (!testing::eventually([&] { return may_go_on.load(); }))
            return Error{ErrorCode::kSystem, "stuck"};
          return {};
        },
        [](const Result<void>&) {});
    thread.post(keeping(first), [&](const Result<void>& result) { kept[0] = result ? 1 : 0; });
    thread.post(
        [&, keep = keeping(large)](spool::SpoolFile& file) {
          FailingDisk::disk().fail(
              {.operations = FailingDisk::kWrite, .times = 1, .code = SQLITE_IOERR_WRITE});
          return keep(file);
        },
        [&](const Result<void>& result) { kept[1] = result ? 1 : 0; });
    thread.post(keeping(last), [&](const Result<void>& result) { kept[2] = result ? 1 : 0; });
    may_go_on = true;
    while (thread.is_busy()) loop_.turn(Clock::now() + std::chrono::milliseconds(10));
  }
  ASSERT_EQ(FailingDisk::disk().failed(), 1U);
  EXPECT_EQ(kept[1], 0);
  rig_.open();
  const std::vector<std::string> there = rig_.waiting("otlp");
  EXPECT_EQ(std::count(there.begin(), there.end(), first), kept[0])
      << "what was called kept is there, and nothing else";
  EXPECT_EQ(std::count(there.begin(), there.end(), last), kept[2]);
  EXPECT_EQ(std::count(there.begin(), there.end(), large), 0);
}

/// Else the ring would give up what only the memory of this process holds.
TEST_F(SpoolThreadTest, WhatCouldNotBeCommittedIsNotKept) {
  const std::string request = "unsynced";
  int kept = -1;
  {
    SpoolThread thread(std::move(rig_.file), loop_, [](const spool::Rescue&) {});
    FailingDisk::disk().fail({.operations = FailingDisk::kSync, .times = 1, .code = SQLITE_IOERR_FSYNC});
    thread.post(keeping(request), [&](const Result<void>& result) { kept = result ? 1 : 0; });
    while (thread.is_busy()) loop_.turn(Clock::now() + std::chrono::milliseconds(10));
  }
  ASSERT_EQ(FailingDisk::disk().failed(), 1U);
  EXPECT_EQ(kept, 0);
  rig_.open();
  EXPECT_TRUE(rig_.waiting("otlp").empty());
}

/// A bad sector: it costs the batch that lies there, when it has had its chances, and no other.
TEST_F(SpoolThreadTest, APageThatStaysUnreadableIsDamageInTheEnd) {
  std::vector<std::string> requests;
  for (std::uint32_t n = 0; n < 8; ++n) {
    requests.push_back(std::to_string(n) + std::string(40'000, 'x'));
    rig_.keep(n, requests.back());
  }
  rig_.open();  // all of it is in the database now
  const auto size = static_cast<std::int64_t>(std::filesystem::file_size(rig_.database()));
  const std::int64_t bad = size / 2 / 4096 * 4096;
  std::vector<spool::Rescue> rescues;
  unsigned reads = 0;
  {
    SpoolThread thread(std::move(rig_.file), loop_,
                       [&](const spool::Rescue& rescue) { rescues.push_back(rescue); });
    FailingDisk::disk().fail({.operations = FailingDisk::kRead,
                              .code = SQLITE_IOERR_READ,
                              .file = rig_.database(),
                              .from = bad,
                              .to = bad + 4096});
    for (; rescues.empty() && reads < 1000; ++reads) {
      thread.post(
          [](spool::SpoolFile& file) -> Result<void> {
            auto rows = file.next("otlp", Signal::kLogs, 0, 100);
            if (!rows) return rows.error();
            return {};
          },
          [](const Result<void>&) {});
      while (thread.is_busy()) loop_.turn(Clock::now() + std::chrono::milliseconds(10));
    }
  }
  FailingDisk::disk().mend();
  ASSERT_EQ(rescues.size(), 1U);
  EXPECT_GT(reads, 10U) << "at once: it might have been readable a moment later";
  EXPECT_EQ(rescues[0].batches, 7U);
  EXPECT_EQ(rescues[0].lost_records, 10U);
  rig_.open();
  const std::vector<std::string> there = rig_.waiting("otlp");
  EXPECT_EQ(there.size(), 7U);
  for (const std::string& request : there)
    EXPECT_EQ(std::count(requests.begin(), requests.end(), request), 1);
  EXPECT_EQ(rig_.totals().corrupt, 10U);
  EXPECT_TRUE(rig_.totals().closes());
}

}  // namespace
}  // namespace shmring::flusher
