// SPDX-License-Identifier: Apache-2.0
// FAULTS: disk full, EIO, failed fsync. What a commit said is on the disk is there, what it did not say is not, wherever the disk failed,
// and the next commit on a disk that works again succeeds.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/spool/spool_rig.hpp"
#include "tests/support/failing_disk.hpp"

namespace shmring::spool {
namespace {

using testing::FailingDisk;
using testing::SpoolRig;
using ::testing::UnorderedElementsAreArray;

struct Failing {
  const char* name;
  unsigned operations;
  int code;
  std::uint64_t times;
};
void PrintTo(const Failing& each, std::ostream* out) { *out << each.name; }

class SpoolOnAFailingDisk : public ::testing::TestWithParam<Failing> {
 protected:
  void TearDown() override { FailingDisk::disk().mend(); }

  /// In a transaction of its own; true: committed.
  static bool try_to_keep(SpoolRig& rig, std::uint32_t number, const std::string& request) {
    const NewBatch batch{.request = request,
                         .records = 10,
                         .destinations = {"otlp"},
                         .pieces = {{.key = {.block = number, .end = 800, .end_count = 10}, .valid = 10}}};
    const bool is_kept =
        rig.file->begin() && rig.file->keep({batch}, WhenFull::kRefuse) && rig.file->commit();
    if (!is_kept) rig.file->roll_back();
    return is_kept;
  }
  static void expect_exactly(SpoolRig& rig, const std::vector<std::string>& requests, const char* when) {
    EXPECT_THAT(rig.waiting("otlp"), UnorderedElementsAreArray(requests)) << when;
    const SpoolTotals totals = rig.totals();
    EXPECT_TRUE(totals.closes()) << when;
    EXPECT_EQ(totals.taken, 10 * requests.size()) << when;
  }
  /// As a successor of a flusher that was killed now finds it.
  static void expect_after_kill(const SpoolRig& rig, const std::vector<std::string>& requests) {
    SpoolRig successor;
    std::filesystem::copy(rig.path(), successor.path());
    successor.open();
    EXPECT_FALSE(successor.file->rescued());
    expect_exactly(successor, requests, "after a kill");
  }
};

TEST_P(SpoolOnAFailingDisk, WhereverItFailsHoldsWhatWasCommittedAndNothingElse) {
  const std::string large(3U << 20U,
                          'l');  // more than the cache: written out before its commit, then checkpointed
  FailingDisk& disk = FailingDisk::disk();
  std::uint64_t refused = 0;
  bool has_fired = true;
  for (std::uint64_t after = 0; has_fired; after += after < 24 ? 1 : after / 3) {
    SpoolRig rig;
    rig.open();
    std::vector<std::string> kept;
    const auto keep = [&](const std::string& request) {
      if (try_to_keep(rig, static_cast<std::uint32_t>(kept.size()), request)) {
        kept.push_back(request);
      } else {
        ++refused;
      }
    };
    keep("before");
    ASSERT_EQ(kept.size(), 1U);
    disk.fail({.operations = GetParam().operations,
               .after = after,
               .times = GetParam().times,
               .code = GetParam().code});
    keep("small");
    keep(large);
    keep("another");
    has_fired = disk.failed() > 0;
    disk.mend();
    expect_after_kill(rig, kept);
    expect_exactly(rig, kept, "at once");
    keep("afterwards");
    EXPECT_EQ(kept.back(), "afterwards") << "the disk works again, the spool does not";
    rig.open();
    EXPECT_FALSE(rig.file->rescued());
    expect_exactly(rig, kept, "afterwards");
    if (HasFailure()) FAIL() << "after operation " << after;
  }
  EXPECT_GT(refused, 0U);
}

INSTANTIATE_TEST_SUITE_P(
    Fails, SpoolOnAFailingDisk,
    ::testing::Values(Failing{"OnceForLackOfRoom", FailingDisk::kWrite, SQLITE_FULL, 1},
                      Failing{"OnceInAWrite", FailingDisk::kWrite, SQLITE_IOERR_WRITE, 1},
                      Failing{"OnceInASync", FailingDisk::kSync, SQLITE_IOERR_FSYNC, 1},
                      Failing{"ForLackOfRoom", FailingDisk::kWrite, SQLITE_FULL, UINT64_MAX},
                      Failing{"InEveryWrite", FailingDisk::kWrite, SQLITE_IOERR_WRITE, UINT64_MAX},
                      Failing{"InEverySync", FailingDisk::kSync, SQLITE_IOERR_FSYNC, UINT64_MAX},
                      Failing{"OnceInARead", FailingDisk::kRead, SQLITE_IOERR_READ, 1}),
    [](const auto& each) { return each.param.name; });

/// The new file is complete, or the old one is still there for the next attempt.
TEST_P(SpoolOnAFailingDisk, ARescueWhereverItFailsLosesNothingThatCouldBeRead) {
  FailingDisk& disk = FailingDisk::disk();
  std::uint64_t failed = 0;
  bool has_fired = true;
  for (std::uint64_t after = 0; has_fired; after += 1 + after / 5) {
    SpoolRig rig;
    rig.open();
    for (std::uint32_t n = 0; n < 6; ++n) rig.keep(n, std::to_string(n) + std::string(20'000, 'x'));
    rig.file.reset();
    {
      auto database = testing::value_or_abort(Database::open(rig.database(), Mode::kReadWrite));
      ASSERT_TRUE(database.execute("DELETE FROM batches WHERE id = 3"));
    }
    disk.fail({.operations = GetParam().operations & ~FailingDisk::kRead,
               .after = after,
               .times = GetParam().times,
               .code = GetParam().code});
    failed += SpoolFile::open(rig.path(), rig.limits, testing::kRingId) ? 0 : 1;
    has_fired = disk.failed() > 0;
    disk.mend();
    rig.open();
    EXPECT_EQ(rig.waiting("otlp").size(), 5U) << "after operation " << after;
    EXPECT_EQ(rig.totals().corrupt, 10U);
    EXPECT_TRUE(rig.totals().closes());
    if (HasFailure()) return;
  }
  EXPECT_TRUE(failed > 0 || GetParam().operations == FailingDisk::kRead);
}

TEST(SpoolFileOnItsDisk, WhoOnlyReadsCostsNoFsync) {
  FailingDisk& disk = FailingDisk::disk();
  SpoolRig rig;
  rig.open();
  rig.keep(1, "first");
  disk.fail({.operations = FailingDisk::kSync, .times = 0});
  for (int n = 0; n < 10; ++n) {
    const auto rows = rig.committed([](SpoolFile& file) { return file.next("otlp", Signal::kLogs, 0, 10); });
    ASSERT_TRUE(rows);
    EXPECT_EQ(rows->size(), 1U);
    EXPECT_TRUE(rig.committed([](SpoolFile& file) { return file.drop_old(); }));
    EXPECT_TRUE(rig.committed([](SpoolFile& file) { return file.forget_handed({4711}); }));
  }
  EXPECT_EQ(disk.seen(), 0U);
  rig.keep(2, "second");
  EXPECT_GT(disk.seen(), 0U) << "who writes does cost one";
  disk.mend();
}

}  // namespace
}  // namespace shmring::spool
