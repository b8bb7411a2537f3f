// SPDX-License-Identifier: Apache-2.0
#include "spool/spool_file.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <fstream>

#include "tests/spool/spool_rig.hpp"

namespace shmring::spool {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::kRingId;
using testing::SpoolRig;
using testing::value_or_abort;

TEST(SpoolFile, KeepsBatchesInOrderForEachDestination) {
  SpoolRig rig;
  rig.open();
  rig.keep(1, "first", {"otlp", "file"});
  rig.keep(2, "second");
  rig.open();
  EXPECT_THAT(rig.waiting("otlp"), ElementsAre("first", "second"));
  EXPECT_THAT(rig.waiting("file"), ElementsAre("first"));
  EXPECT_THAT(rig.waiting("console"), IsEmpty());
  const SpoolTotals totals = rig.totals();
  EXPECT_EQ(totals.taken, 20U);
  EXPECT_EQ(totals.pending, 20U);
  EXPECT_TRUE(totals.closes());
}

TEST(SpoolFile, NobodyElseCanRead) {
  SpoolRig rig;
  rig.open();
  rig.keep(1, "secret");
  for (const auto& [path, mode] : {std::pair(rig.path(), 0700U), std::pair(rig.database(), 0600U)}) {
    struct stat status {};
    ASSERT_EQ(::stat(path.c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 07777U, mode) << path;
  }
  struct stat log {};
  ASSERT_EQ(::stat((rig.database().string() + "-wal").c_str(), &log), 0);
  EXPECT_EQ(log.st_mode & 07777U, 0600U);
}

TEST(SpoolFile, ASecondFlusherIsRefused) {
  SpoolRig rig;
  rig.open();
  const auto second = SpoolFile::open(rig.path(), {}, kRingId);
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, ErrorCode::kBusy);
  EXPECT_THAT(second.error().message, HasSubstr("--spool"));
}

TEST(SpoolFile, ABatchGetsTheWorstFateOfItsDestinations) {
  SpoolRig rig;
  rig.open();
  const std::int64_t id = rig.keep(1, "r", {"a", "b"});
  static_cast<void>(rig.committed([&](SpoolFile& spool) { return spool.settle(id, "a", 2, 5); }));
  EXPECT_EQ(rig.totals().pending, 10U);
  static_cast<void>(rig.committed([&](SpoolFile& spool) { return spool.settle(id, "b", 3, 1); }));
  const SpoolTotals totals = rig.totals();
  EXPECT_EQ(totals.pending, 0U);
  EXPECT_EQ(totals.rejected, 3U);
  EXPECT_EQ(totals.dead_lettered, 5U);
  EXPECT_EQ(totals.accepted, 2U);
  EXPECT_TRUE(totals.closes());
}

/// Debian's SQLite is built to overwrite what is deleted: of a backlog each byte would be written once more.
TEST(SpoolFile, WhatIsDeliveredIsNotWrittenAgain) {
  const auto bytes_written = [] {  // by this process
    std::ifstream io("/proc/self/io");
    std::uint64_t bytes = 0;
    for (std::string name; io >> name >> bytes && name != "wchar:";) {
    }
    return bytes;
  };
  SpoolRig rig;
  rig.open();
  constexpr std::size_t kRequest = 8U << 20U;
  const std::uint64_t before = bytes_written();
  const std::int64_t id = rig.keep(1, std::string(kRequest, 'x'));
  const std::uint64_t kept = bytes_written();
  ASSERT_GE(kept - before, kRequest);
  static_cast<void>(rig.committed([&](SpoolFile& spool) { return spool.settle(id, "otlp", 0, 0); }));
  EXPECT_LT(bytes_written() - kept, kRequest / 8);
}

TEST(SpoolFile, WhatIsRolledBackWasNeverThere) {
  SpoolRig rig;
  rig.open();
  ASSERT_TRUE(rig.file->begin());
  ASSERT_TRUE(rig.file->keep({{.request = "r", .records = 1, .destinations = {"otlp"}}}, WhenFull::kRefuse));
  rig.file->roll_back();
  EXPECT_THAT(rig.waiting("otlp"), IsEmpty());
  EXPECT_EQ(rig.totals().taken, 0U);
}

TEST(SpoolFile, AFullOneRefusesUntilItIsToldToDropTheOldest) {
  SpoolRig rig;
  rig.limits.bytes = 256U << 10U;
  rig.open();
  const std::string request(50'000, 'x');
  for (std::uint32_t n = 0; n < 3; ++n) rig.keep(n, std::to_string(n) + request);
  ASSERT_TRUE(rig.file->begin());
  const NewBatch next{.request = request, .records = 10, .destinations = {"otlp"}};
  const auto refused = rig.file->keep({next, next}, WhenFull::kRefuse);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::kNoSpace);
  EXPECT_THAT(refused.error().message, HasSubstr("--spool-size"));
  ASSERT_TRUE(rig.file->keep({next, next}, WhenFull::kDropOldest));
  ASSERT_TRUE(rig.file->commit());
  const auto left = rig.waiting("otlp");
  ASSERT_FALSE(left.empty());
  EXPECT_NE(left.front().front(), '0');
  EXPECT_EQ(left.back(), request);
  const SpoolTotals totals = rig.totals();
  EXPECT_GT(totals.spool_evicted, 0U);
  EXPECT_TRUE(totals.closes());
  EXPECT_EQ(rig.file->take_dropped().records, totals.spool_evicted);
}

TEST(SpoolFile, LeavesTheFileSystemItsRoom) {
  SpoolRig rig;
  rig.limits.min_free = UINT64_MAX / 2;
  rig.open();
  ASSERT_TRUE(rig.file->begin());
  const auto refused =
      rig.file->keep({{.request = "r", .records = 1, .destinations = {"otlp"}}}, WhenFull::kRefuse);
  rig.file->roll_back();
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().message, HasSubstr("--spool-min-free"));
}

TEST(SpoolFile, WhatIsOnItsWayIsNotDropped) {
  SpoolRig rig;
  rig.limits.age = std::chrono::microseconds(0);
  rig.open();
  rig.keep(1, "first");
  rig.keep(2, "second");
  const auto held = value_or_abort(rig.file->next("otlp", Signal::kLogs, 0, 1));
  ASSERT_EQ(held.size(), 1U);
  const auto dropped = rig.committed([](SpoolFile& spool) { return spool.drop_old(); });
  EXPECT_EQ(value_or_abort(dropped).records, 10U);
  EXPECT_THAT(rig.waiting("otlp"), ElementsAre("first"));
  EXPECT_EQ(rig.totals().spool_evicted, 10U);
}

TEST(SpoolFile, RemembersWhatItTookOverUntilTheRingHasAcknowledgedIt) {
  SpoolRig rig;
  rig.open();
  const std::int64_t id = rig.keep(7, "r");
  rig.keep(8, "s");
  auto handed = value_or_abort(rig.file->handed());
  ASSERT_EQ(handed.size(), 2U);
  EXPECT_EQ(handed[0].key.block, 7U);
  EXPECT_EQ(handed[0].key.end_count, 10U);
  static_cast<void>(rig.committed([&](SpoolFile& spool) { return spool.forget_handed({id}); }));
  handed = value_or_abort(rig.file->handed());
  ASSERT_EQ(handed.size(), 1U);
  static_cast<void>(rig.committed([&](SpoolFile& spool) { return spool.disown(handed[0]); }));
  EXPECT_EQ(rig.totals().taken, 10U);
  EXPECT_TRUE(rig.totals().closes());
}

TEST(SpoolFile, GivesItsRoomBackWhenItIsEmpty) {
  SpoolRig rig;
  rig.open();
  const std::int64_t id = rig.keep(1, std::string(4U << 20U, 'x'));
  static_cast<void>(rig.committed([&](SpoolFile& spool) { return spool.settle(id, "otlp", 0, 0); }));
  const auto before = std::filesystem::file_size(rig.database()) +
                      std::filesystem::file_size(rig.database().string() + "-wal");
  ASSERT_TRUE(rig.file->tidy());
  const auto after = std::filesystem::file_size(rig.database()) +
                     std::filesystem::file_size(rig.database().string() + "-wal");
  EXPECT_LT(after, before / 10);
}

TEST(SpoolView, DoesNotCloseWhenACounterIsOffByOne) {
  for (const char* column : {"taken", "accepted", "rejected", "dead_lettered", "spool_evicted", "corrupt"}) {
    SpoolRig rig;
    rig.open();
    rig.keep(1, "r");
    ASSERT_TRUE(rig.totals().closes());
    auto database = value_or_abort(Database::open(rig.database(), Mode::kReadWrite));
    ASSERT_TRUE(database.execute(std::string("UPDATE totals SET ") + column + " = " + column + " + 1"));
    EXPECT_FALSE(rig.totals().closes()) << column;
  }
}

}  // namespace
}  // namespace shmring::spool
