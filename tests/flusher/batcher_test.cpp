// SPDX-License-Identifier: Apache-2.0
#include "flusher/batcher.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/flusher/fakes.hpp"

namespace shmring::flusher {
namespace {

using testing::BlockMaker;
using testing::bodies_of;
using ::testing::ElementsAre;

struct Batches {
  std::vector<Batch> all;
  Validator validator;
  Batcher batcher;
  explicit Batches(const BatchLimits& limits)
      : batcher(Signal::kLogs, limits, [this](Batch&& batch) { all.push_back(std::move(batch)); }) {}
  void add(const Slice& slice) { batcher.add(validator.check(slice)); }
};

TEST(Batcher, NothingCollectedIsNothingEmitted) {
  Batches batches({});
  batches.batcher.flush();
  EXPECT_TRUE(batches.all.empty());
}

TEST(Batcher, CollectsSlicesOfSeveralBlocksIntoOneRequest) {
  Batches batches({});
  BlockMaker a(1);
  BlockMaker b(2);
  a.add_log("a1");
  b.add_log("b1");
  batches.add(a.take());
  batches.add(b.take());
  a.add_log("a2");
  batches.add(a.take());
  batches.batcher.flush();
  ASSERT_EQ(batches.all.size(), 1U);
  EXPECT_THAT(bodies_of(batches.all[0].request), ElementsAre("a1", "b1", "a2"));
  EXPECT_EQ(batches.all[0].records, 3U);
  EXPECT_EQ(batches.all[0].pieces.size(), 3U);
  testing::LogsRequest request;
  ASSERT_TRUE(request.ParseFromString(batches.all[0].request));
  EXPECT_EQ(request.resource_logs_size(), 1);  // the same resource, once
}

TEST(Batcher, PiecesOfASplitSliceCoverItWithoutGapOrOverlap) {
  Batches batches({.records = 2});
  BlockMaker block(1);
  for (const char* body : {"1", "2", "3", "4", "5"}) block.add_log(body);
  const Slice slice = block.take();
  batches.add(slice);
  batches.batcher.flush();
  ASSERT_EQ(batches.all.size(), 3U);
  EXPECT_THAT(bodies_of(batches.all[0].request), ElementsAre("1", "2"));
  EXPECT_THAT(bodies_of(batches.all[1].request), ElementsAre("3", "4"));
  EXPECT_THAT(bodies_of(batches.all[2].request), ElementsAre("5"));
  std::uint32_t offset = slice.key.begin;
  std::uint64_t count = slice.key.begin_count;
  for (const Batch& batch : batches.all) {
    ASSERT_EQ(batch.pieces.size(), 1U);
    EXPECT_EQ(batch.pieces[0].key.begin, offset);
    EXPECT_EQ(batch.pieces[0].key.begin_count, count);
    EXPECT_EQ(batch.pieces[0].key.records(), batch.pieces[0].records());
    offset = batch.pieces[0].key.end;
    count = batch.pieces[0].key.end_count;
  }
  EXPECT_EQ(offset, slice.key.end);
  EXPECT_EQ(count, slice.key.end_count);
}

TEST(Batcher, BadRecordsAreInPiecesButNotInTheRequest) {
  Batches batches({.records = 1});
  BlockMaker block(1);
  block.add_bad();
  block.add_log("good");
  block.add_bad();
  block.add_log("too");
  block.count_one_too_many();
  const Slice slice = block.take();
  batches.add(slice);
  batches.batcher.flush();
  ASSERT_EQ(batches.all.size(), 2U);
  EXPECT_THAT(bodies_of(batches.all[0].request), ElementsAre("good"));
  std::uint64_t valid = 0;
  std::uint64_t invalid = 0;
  std::uint64_t corrupt = 0;
  for (const Batch& batch : batches.all) {
    for (const Piece& piece : batch.pieces) {
      EXPECT_EQ(piece.key.records(), piece.records());
      valid += piece.valid;
      invalid += piece.invalid;
      corrupt += piece.corrupt;
    }
  }
  EXPECT_EQ(valid, 2U);
  EXPECT_EQ(invalid, 2U);
  EXPECT_EQ(corrupt, 1U);
}

TEST(Batcher, ASliceOfBadRecordsOnlyStillComesThrough) {
  Batches batches({});
  BlockMaker block(1);
  block.add_bad();
  batches.add(block.take());
  batches.batcher.flush();
  ASSERT_EQ(batches.all.size(), 1U);
  EXPECT_EQ(batches.all[0].records, 0U);
  EXPECT_TRUE(batches.all[0].request.empty());
  EXPECT_EQ(batches.all[0].pieces[0].invalid, 1U);
}

TEST(Batcher, NoRequestIsLargerThanItsLimitInBytes) {
  constexpr std::uint64_t kLimit = 4096;
  Batches batches({.records = 8192, .bytes = kLimit});
  BlockMaker block(1);
  for (int i = 0; i < 500; ++i) block.add_log(std::string(static_cast<std::size_t>(i % 97), 'x'));
  batches.add(block.take());
  batches.batcher.flush();
  EXPECT_GT(batches.all.size(), 3U);
  std::uint64_t records = 0;
  for (const Batch& batch : batches.all) {
    EXPECT_LE(batch.request.size(), kLimit);
    records += bodies_of(batch.request).size();
  }
  EXPECT_EQ(records, 500U);
}

TEST(Batcher, ARecordLargerThanTheLimitTravelsAlone) {
  Batches batches({.records = 100, .bytes = 1024});
  BlockMaker block(1);
  block.add_log("small");
  block.add_log(std::string(5000, 'x'));
  block.add_log("small");
  batches.add(block.take());
  batches.batcher.flush();
  ASSERT_EQ(batches.all.size(), 3U);
  EXPECT_EQ(batches.all[1].records, 1U);
}

TEST(Batcher, CountsGoOnPastTheirWrap) {
  Batches batches({.records = 1});
  BlockMaker block(1);
  block.add_log("1");
  block.add_log("2");
  Slice slice = block.take();
  slice.key.begin_count = kCountMask;  // one before the wrap
  slice.key.end_count = 1;
  batches.add(slice);
  batches.batcher.flush();
  ASSERT_EQ(batches.all.size(), 2U);
  EXPECT_EQ(batches.all[0].pieces[0].key.end_count, 0U);
  EXPECT_EQ(batches.all[1].pieces[0].key.records(), 1U);
}

}  // namespace
}  // namespace shmring::flusher
