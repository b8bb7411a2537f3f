// SPDX-License-Identifier: Apache-2.0
#include "flusher/validator.hpp"

#include <gtest/gtest.h>

#include "tests/flusher/fakes.hpp"

namespace shmring::flusher {
namespace {

using testing::BlockMaker;

TEST(Validator, SetsABadRecordAsideAndKeepsItsNeighbours) {
  BlockMaker block(1);
  block.add_log("a");
  block.add_bad();
  block.add_log("b");
  const Slice slice = block.take();
  Validator validator;
  const CheckedSlice& checked = validator.check(slice);
  ASSERT_EQ(checked.records.size(), 3U);
  EXPECT_TRUE(checked.records[0].payload);
  EXPECT_FALSE(checked.records[1].payload);
  EXPECT_TRUE(checked.records[2].payload);
  EXPECT_EQ(checked.corrupt, 0U);
  EXPECT_EQ(checked.contexts.size(), 1U);
}

TEST(Validator, MendedTextOutlivesTheNextRecords) {
  BlockMaker block(1);
  for (const char* body : {"one \xff", "two \xfe", "three"}) {
    // {body 5 {string 1}} by hand: libprotobuf would complain
    const std::string text(body);
    std::string value = std::string("\x0a") + static_cast<char>(text.size()) + text;
    block.append(RecordKind::kLog, std::string("\x2a") + static_cast<char>(value.size()) + value);
  }
  const Slice slice = block.take();
  Validator validator;
  const CheckedSlice& checked = validator.check(slice);
  std::vector<std::string> bodies;
  for (const CheckedRecord& record : checked.records) {
    testing::logs_v1::LogRecord parsed;
    ASSERT_TRUE(record.payload);
    ASSERT_TRUE(parsed.ParseFromArray(record.payload->data(), static_cast<int>(record.payload->size())));
    bodies.push_back(parsed.body().string_value());
  }
  EXPECT_EQ(bodies, (std::vector<std::string>{"one \xEF\xBF\xBD", "two \xEF\xBF\xBD", "three"}));
}

TEST(Validator, ARecordThatIsCountedButNotThereIsCorrupt) {
  BlockMaker block(1);
  block.add_log("a");
  block.count_one_too_many();
  const Slice slice = block.take();
  Validator validator;
  const CheckedSlice& checked = validator.check(slice);
  EXPECT_EQ(checked.records.size(), 1U);
  EXPECT_EQ(checked.corrupt, 1U);
}

TEST(Validator, AResourceThatIsNoResourceIsLeftOut) {
  BlockMaker block(1);
  block.append(RecordKind::kResource, "\xff\xff");
  block.add_log("a");
  const Slice slice = block.take();
  Validator validator;
  const CheckedSlice& checked = validator.check(slice);
  ASSERT_EQ(checked.records.size(), 1U);
  EXPECT_TRUE(checked.contexts[checked.records[0].context].resource.empty());
}

}  // namespace
}  // namespace shmring::flusher
