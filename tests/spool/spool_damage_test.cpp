// SPDX-License-Identifier: Apache-2.0
// A spool whose file is torn, flipped, overwritten: what can be read is kept, the rest is counted, nobody deletes anything.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "tests/spool/spool_rig.hpp"

namespace shmring::spool {
namespace {

using testing::SpoolRig;
using testing::value_or_abort;

std::string text_of(std::uint32_t number) {
  return "batch " + std::to_string(100 + number) + std::string(20'000, 'x');
}

/// Forty batches, all of them in the database file itself.
void fill(SpoolRig& rig) {
  rig.open();
  for (std::uint32_t n = 0; n < 40; ++n) rig.keep(n, text_of(n));
  rig.file.reset();
  auto database = value_or_abort(Database::open(rig.database(), Mode::kReadWrite));
  ASSERT_TRUE(database.execute("PRAGMA wal_checkpoint(TRUNCATE)"));
}

void overwrite(const std::filesystem::path& path, std::uint64_t offset, const std::string& bytes) {
  std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
  file.seekp(static_cast<std::streamoff>(offset));
  file << bytes;
}

/// Everything is there or counted, and what is there is whole.
std::size_t expect_books_closed(SpoolRig& rig) {
  const auto left = rig.waiting("otlp");
  for (const std::string& request : left)
    EXPECT_EQ(request.size(), text_of(10).size()) << request.substr(0, 20);
  const SpoolTotals totals = rig.totals();
  EXPECT_TRUE(totals.closes());
  EXPECT_EQ(totals.pending, left.size() * 10);
  return left.size();
}

TEST(DamagedSpool, ARowWhoseBitsTurnedIsCountedAndLeftOut) {
  SpoolRig rig;
  rig.open();
  rig.keep(10, text_of(10));
  rig.keep(11, text_of(11));
  {
    auto database = value_or_abort(Database::open(rig.database(), Mode::kReadWrite));
    ASSERT_TRUE(database.execute("UPDATE batches SET request = 'other' WHERE id = 1"));
  }
  const auto left = rig.committed([](SpoolFile& spool) { return spool.next("otlp", Signal::kLogs, 0, 10); });
  ASSERT_TRUE(left);
  ASSERT_EQ(left->size(), 1U);
  EXPECT_EQ(left->front().request, text_of(11));
  EXPECT_EQ(rig.file->take_damaged(), 10U);
  EXPECT_EQ(rig.totals().corrupt, 10U);
  EXPECT_TRUE(rig.totals().closes());
}

TEST(DamagedSpool, AFileThatIsNoDatabaseIsSetAside) {
  SpoolRig rig;
  fill(rig);
  overwrite(rig.database(), 0, std::string(4096, '\xA5'));
  rig.open();
  ASSERT_TRUE(rig.file->rescued());
  EXPECT_TRUE(std::filesystem::exists(rig.file->rescued()->set_aside));
  EXPECT_EQ(expect_books_closed(rig), 0U);
  rig.keep(10, text_of(10));
  EXPECT_EQ(expect_books_closed(rig), 1U);
}

TEST(DamagedSpool, WhatTheRingHasHandedOverIsCountedEvenWhenNothingCanBeRead) {
  SpoolRig rig;
  fill(rig);
  overwrite(rig.database(), 0, std::string(4096, '\xA5'));
  rig.file = value_or_abort(SpoolFile::open(rig.path(), rig.limits, testing::kRingId, {400, 0, 0}));
  EXPECT_EQ(rig.file->rescued()->lost_records, 400U);
  EXPECT_EQ(rig.totals().corrupt, 400U);
  EXPECT_TRUE(rig.totals().closes());
}

TEST(DamagedSpool, ARescueThatWasCutShortAtItsEndIsFinished) {
  SpoolRig rig;
  fill(rig);
  const std::filesystem::path rebuilt = rig.database().string() + ".rebuilt";
  std::filesystem::copy_file(rig.database(), rebuilt);
  overwrite(rig.database(), 0, std::string(4096, '\xA5'));
  rig.open();
  EXPECT_FALSE(std::filesystem::exists(rebuilt));
  EXPECT_EQ(expect_books_closed(rig), 40U);
}

TEST(DamagedSpool, WhatCanBeReadBesideADamagedPageIsKept) {
  SpoolRig probe;
  fill(probe);
  const std::uint64_t pages = std::filesystem::file_size(probe.database()) / 4096;
  std::uint32_t rescues = 0;
  std::size_t kept = 0;
  std::uint32_t tries = 0;
  for (std::uint64_t page = 1; page < pages; page += 1 + pages / 25) {
    SpoolRig rig;
    fill(rig);
    overwrite(rig.database(), page * 4096, std::string(4096, '\xA5'));
    rig.open();
    auto rows = rig.file->next("otlp", Signal::kLogs, 0, 1000);
    if (!rows) {
      ASSERT_EQ(rows.error().code, ErrorCode::kDamaged) << rows.error().message;
      ASSERT_TRUE(rig.file->rescue());
    } else {
      for (const auto& row : *rows) rig.file->let_go(row.id);
    }
    rescues += rig.file->rescued() ? 1 : 0;
    kept += expect_books_closed(rig);
    ++tries;
  }
  EXPECT_GT(rescues, 0U);
  EXPECT_GT(kept, tries * 20U) << "more than half of the rows, on the average of " << tries;
}

TEST(DamagedSpool, ATornLogLosesNothingThatWasCheckpointed) {
  SpoolRig rig;
  fill(rig);
  rig.open();
  rig.keep(50, text_of(50));
  const std::filesystem::path log = rig.database().string() + "-wal";
  const std::filesystem::path copy = rig.folder.path() / "copy";
  std::filesystem::copy(rig.path(), copy, std::filesystem::copy_options::recursive);
  rig.file.reset();
  std::filesystem::remove_all(rig.path());
  std::filesystem::rename(copy, rig.path());
  std::filesystem::resize_file(log, std::filesystem::file_size(log) / 2);
  rig.open();
  EXPECT_EQ(expect_books_closed(rig), 40U);
}

TEST(DamagedSpool, ATruncatedFileIsRescued) {
  SpoolRig rig;
  fill(rig);
  std::filesystem::resize_file(rig.database(), std::filesystem::file_size(rig.database()) / 2 / 4096 * 4096);
  rig.open();
  auto rows = rig.file->next("otlp", Signal::kLogs, 0, 1000);
  if (rows) {
    for (const auto& row : *rows) rig.file->let_go(row.id);
  } else {
    ASSERT_TRUE(rig.file->rescue());
  }
  ASSERT_TRUE(rig.file->rescued());
  expect_books_closed(rig);
}

TEST(DamagedSpool, TotalsThatDoNotAddUpAreDamageToo) {
  SpoolRig rig;
  fill(rig);
  {
    auto database = value_or_abort(Database::open(rig.database(), Mode::kReadWrite));
    ASSERT_TRUE(database.execute("DELETE FROM batches WHERE id = 3"));
  }
  rig.open();
  ASSERT_TRUE(rig.file->rescued());
  EXPECT_EQ(rig.file->rescued()->lost_records, 10U);
  EXPECT_EQ(expect_books_closed(rig), 39U);
  EXPECT_EQ(rig.totals().corrupt, 10U);
}

}  // namespace
}  // namespace shmring::spool
