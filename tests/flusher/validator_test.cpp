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
  EXPECT_TRUE(checked.contexts[checked.records[0].context].resource.message.empty());
}

TEST(Validator, TakesSchemaUrlsOffEachContextAlsoOfOneItKnows) {
  const std::string url = "\xCA\xA3\x09\x03url";  // field 19001
  const std::string resource = testing::resource_payload("svc");
  Validator validator;
  for (int slices = 0; slices < 2; ++slices) {
    for (const bool has_scope : {false, true}) {
      BlockMaker block(1);
      block.append(RecordKind::kResource, url + resource);
      if (has_scope) block.append(RecordKind::kScope, "\xCA\xA3\x09\x02\xFF\xFF\x0A\x01s");
      block.add_log("a");
      const Slice slice = block.take();
      const CheckedSlice& checked = validator.check(slice);
      ASSERT_EQ(checked.records.size(), 1U);
      const RecordContext& context = checked.contexts[checked.records[0].context];
      EXPECT_EQ(context.resource.schema_url, "url");
      EXPECT_EQ(std::string(reinterpret_cast<const char*>(context.resource.message.data()),
                            context.resource.message.size()),
                resource);
      EXPECT_EQ(context.scope.schema_url, "") << "it is no UTF-8";
      EXPECT_EQ(context.scope.message.size(), has_scope ? 3U : 0U);
    }
  }
}

}  // namespace
}  // namespace shmring::flusher
