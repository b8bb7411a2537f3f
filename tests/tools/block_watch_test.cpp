// SPDX-License-Identifier: Apache-2.0
// What is new in a ring, and what was missed.
#include "tools/block_watch.hpp"

#include <gtest/gtest.h>

#include "libshmring/lease.hpp"
#include "libshmring/reader.hpp"
#include "program.hpp"
#include "shmring/layout.hpp"
#include "shmring/logger.hpp"

namespace shmring::tools {
namespace {

class BlockWatchOnARing : public testing::Test {
 protected:
  void emit(int records) {
    for (int i = 0; i < records; ++i) ASSERT_TRUE(log_.emit(Severity::kInfo, "x"));
  }
  void export_all() {
    const auto lease = Lease::try_take(*file_);
    ASSERT_TRUE(lease);
    const auto reader = Reader::create(*file_, *lease);
    ASSERT_TRUE(reader);
    std::vector<SliceKey> keys;
    (*reader)->drain(1U << 30U, [&](Slice&& slice) { return keys.push_back(slice.key), true; });
    for (const SliceKey& key : keys) (*reader)->acknowledge(key, OutcomeCounts{key.records()});
  }

  test::TestRing ring_;
  Result<Ring> writer_ = Ring::open(ring_.path());
  Logger log_ = writer_->logger("test");
  Result<RingFile> file_ = RingFile::attach(ring_.path());
  std::uint64_t shown_ = 0;
  std::function<void(const Slice&)> count_ = [this](const Slice& slice) { shown_ += slice.key.records(); };
};

TEST_F(BlockWatchOnARing, SeesOnlyWhatCameAfterItsStart) {
  emit(2);
  BlockWatch watch(*file_);
  EXPECT_EQ(watch.look(count_), 0U);
  EXPECT_EQ(shown_, 0U);
  emit(3);
  EXPECT_EQ(watch.look(count_), 0U);
  EXPECT_EQ(shown_, 3U);
  EXPECT_EQ(watch.look(count_), 0U);
  EXPECT_EQ(shown_, 3U) << "nothing is shown twice";
}

TEST_F(BlockWatchOnARing, StillSeesWhatWasExportedAsLongAsItsBlockIsThere) {
  BlockWatch watch(*file_);
  emit(4);
  export_all();
  emit(1);
  EXPECT_EQ(watch.look(count_), 0U);
  EXPECT_EQ(shown_, 5U);
}

TEST_F(BlockWatchOnARing, CountsWhatWasExportedAndRecycledBetweenTwoLooks) {
  constexpr int kFillsSomeBlocks = 1000;
  BlockWatch watch(*file_);
  emit(kFillsSomeBlocks);
  export_all();
  const std::uint64_t missed = watch.look(count_);
  EXPECT_GT(missed, 0U);
  EXPECT_EQ(missed + shown_, static_cast<std::uint64_t>(kFillsSomeBlocks));
  emit(kFillsSomeBlocks);
  EXPECT_EQ(watch.look(count_), 0U) << "blocks used again: none of the new ones is missed";
  EXPECT_EQ(missed + shown_, 2U * kFillsSomeBlocks);
}

TEST_F(BlockWatchOnARing, CountsWhatAnEarlierLifeOfABlockHeld) {
  constexpr int kFillsSomeBlocks = 1000;
  BlockWatch watch(*file_);
  for (int round = 0; round < 9; ++round) {
    emit(kFillsSomeBlocks);
    export_all();
  }
  emit(kFillsSomeBlocks);
  const std::uint64_t missed = watch.look(count_);
  EXPECT_GE(shown_, static_cast<std::uint64_t>(kFillsSomeBlocks)) << "what is in the ring now";
  EXPECT_EQ(missed + shown_, 10U * kFillsSomeBlocks);
}

TEST(CountsAhead, GoRoundTheirEnd) {
  EXPECT_EQ(ahead(7, 5), 2U);
  EXPECT_EQ(ahead(5, 7), 0U);
  EXPECT_EQ(ahead(1, kCountMask), 2U);
  EXPECT_EQ(ahead(5, 5), 0U);
}

}  // namespace
}  // namespace shmring::tools
