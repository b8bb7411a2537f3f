// SPDX-License-Identifier: Apache-2.0
// Framing is believed as far as it fits; what the counters promise and the bytes do not hold is corrupt.
#include <gtest/gtest.h>

#include <cstring>

#include "libshmring/record_walk.hpp"
#include "tests/libshmring/ring_test_support.hpp"

namespace shmring {
namespace {

using test::BlockText;
using test::text_of;
using test::texts;

Slice slice_of(const BlockText& text) {
  return {.key = {.end = text.size(), .end_count = text.records(), .signal = text.signal()},
          .bytes = text.bytes()};
}

std::uint64_t corrupt_in(const Slice& slice) {
  SliceWalk walk(slice);
  while (walk.next()) {
  }
  return walk.corrupt();
}

void overwrite_header(Slice& slice, std::uint32_t offset, const RecordHeader& header) {
  std::memcpy(slice.bytes.data() + offset, &header, sizeof(header));
}

TEST(SliceWalk, GivesEachRecordItsResourceAndScope) {
  const Slice slice = slice_of(
      BlockText().resource("r").scope(1, "s1").record("a", 1).scope(2, "s2").record("b", 2).record("c"));
  SliceWalk walk(slice);
  const char* const expected[][2] = {{"a", "s1"}, {"b", "s2"}, {"c", ""}};
  for (const auto& [payload, scope] : expected) {
    const auto record = walk.next();
    ASSERT_TRUE(record);
    EXPECT_EQ(text_of(record->payload), payload);
    EXPECT_EQ(text_of(record->scope), scope);
    EXPECT_EQ(text_of(record->resource), "r");
  }
  EXPECT_FALSE(walk.next());
  EXPECT_EQ(walk.corrupt(), 0U);
}

TEST(SliceWalk, ForgetsScopesWhenAnotherWritersSectionBegins) {
  const Slice slice =
      slice_of(BlockText().resource("r1").scope(1, "s1").record("a", 1).resource("r2").record("b", 1));
  SliceWalk walk(slice);
  EXPECT_EQ(text_of(walk.next()->scope), "s1");
  const auto second = walk.next();
  EXPECT_EQ(text_of(second->resource), "r2");
  EXPECT_TRUE(second->scope.empty());
}

TEST(SliceWalk, TakesTheLatestDeclarationOfAScope) {
  const Slice slice =
      slice_of(BlockText().scope(300, "old").record("a", 300).scope(300, "new").record("b", 300));
  SliceWalk walk(slice);
  EXPECT_EQ(text_of(walk.next()->scope), "old");
  EXPECT_EQ(text_of(walk.next()->scope), "new");
}

TEST(SliceWalk, SkipsWhatLiesBeforeTheSliceButKeepsItsContext) {
  BlockText text;
  text.resource("r").scope(1, "s").record("old", 1);
  const std::uint32_t begin = text.size();
  text.record("new", 1);
  Slice slice = slice_of(text);
  slice.key.begin = begin;
  slice.key.begin_count = 1;
  SliceWalk walk(slice);
  const auto record = walk.next();
  ASSERT_TRUE(record);
  EXPECT_EQ(text_of(record->payload), "new");
  EXPECT_EQ(text_of(record->scope), "s");
  EXPECT_EQ(record->offset, begin);
  EXPECT_FALSE(walk.next());
}

TEST(SliceWalk, StopsAtARecordLargerThanWhatWasCommitted) {
  BlockText text;
  text.record("a");
  const std::uint32_t at = text.size();
  Slice slice = slice_of(text.record("b").record("c"));
  for (const std::uint32_t size : {25U, 4096U, 0x7FFFFFFFU, 0xFFFFFFF8U, 0xFFFFFFFFU}) {
    overwrite_header(slice, at, {size, static_cast<std::uint8_t>(RecordKind::kLog), 0, 0});
    EXPECT_EQ(texts(slice), std::vector<std::string>{"a"}) << size;
    EXPECT_EQ(corrupt_in(slice), 2U) << size;
  }
}

TEST(SliceWalk, StopsAtAnUnknownKindAndAtAnotherSignalsRecord) {
  Slice slice = slice_of(BlockText().record("a").record("b"));
  for (const std::uint8_t kind :
       {std::uint8_t{0}, static_cast<std::uint8_t>(RecordKind::kSpan), std::uint8_t{6}, std::uint8_t{255}}) {
    overwrite_header(slice, 16, {1, kind, 0, 0});
    EXPECT_EQ(texts(slice), std::vector<std::string>{"a"}) << int{kind};
    EXPECT_EQ(corrupt_in(slice), 1U) << int{kind};
  }
}

TEST(SliceWalk, CountsAsCorruptWhatTheCountersPromiseAndTheBytesDoNotHold) {
  Slice slice = slice_of(BlockText().record("a"));
  slice.key.end_count = 4;
  EXPECT_EQ(texts(slice), std::vector<std::string>{"a"});
  EXPECT_EQ(corrupt_in(slice), 3U);
}

TEST(SliceWalk, GivesNoMoreRecordsThanTheCountersPromise) {
  Slice slice = slice_of(BlockText().record("a").record("b").record("c"));
  slice.key.end_count = 2;
  EXPECT_EQ(texts(slice), (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(corrupt_in(slice), 0U);
}

TEST(SliceWalk, CountsOnOverTheWrapOfTheCounters) {
  Slice slice = slice_of(BlockText().record("a").record("b"));
  slice.key.begin_count = kCountMask;
  slice.key.end_count = 1;
  EXPECT_EQ(texts(slice).size(), 2U);
  EXPECT_EQ(corrupt_in(slice), 0U);
}

TEST(SliceWalk, EndsOnBytesOfAllKinds) {
  // Whatever the bytes are: no read outside (the sanitizers watch), an end, and a sum that fits.
  std::uint32_t random = 12345;
  for (int round = 0; round < 2000; ++round) {
    Slice slice;
    random = random * 1664525U + 1013904223U;
    slice.bytes.resize(random >> 16U & 255U);
    for (std::byte& byte : slice.bytes) {
      random = random * 1664525U + 1013904223U;
      byte = static_cast<std::byte>((random >> 24U) % 7);
    }
    slice.key.end = static_cast<std::uint32_t>(slice.bytes.size());
    slice.key.end_count = 20;
    EXPECT_EQ(texts(slice).size() + corrupt_in(slice), 20U);
  }
}

TEST(RecordStep, BreaksWhereNotEvenAHeaderFits) {
  const std::byte bytes[12] = {};
  EXPECT_EQ(step_record({bytes, 12}, 8, Signal::kLogs).kind, RecordStep::Kind::kBroken);
  EXPECT_EQ(step_record({bytes, 12}, 12, Signal::kLogs).kind, RecordStep::Kind::kEnd);
  EXPECT_EQ(step_record({bytes, 12}, 0xFFFFFFFFU, Signal::kLogs).kind, RecordStep::Kind::kEnd);
}

}  // namespace
}  // namespace shmring
