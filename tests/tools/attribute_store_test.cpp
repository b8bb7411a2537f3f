// SPDX-License-Identifier: Apache-2.0
// Attributes from a command line.
#include "tools/attribute_store.hpp"

#include <gtest/gtest.h>

#include <string>

namespace shmring::tools {
namespace {

TEST(AttributeStore, TakesTextAsText) {
  AttributeStore store;
  EXPECT_EQ(store.add("host=db1"), std::nullopt);
  EXPECT_EQ(store.add("n=4711"), std::nullopt);
  EXPECT_EQ(store.add("empty="), std::nullopt);
  EXPECT_EQ(store.add("formula=a:=b=c"), std::nullopt);
  const Attributes list = store.attributes();
  ASSERT_EQ(list.size(), 4U);
  EXPECT_EQ(list[0].key, "host");
  EXPECT_EQ(list[0].value.string(), "db1");
  EXPECT_EQ(list[1].value.kind(), ValueKind::kString);
  EXPECT_EQ(list[1].value.string(), "4711");
  EXPECT_EQ(list[2].value.string(), "");
  EXPECT_EQ(list[3].key, "formula");
  EXPECT_EQ(list[3].value.string(), "a:=b=c");
}

TEST(AttributeStore, TakesJsonByItsType) {
  AttributeStore store;
  for (const char* text : {"i:=-3", "u:=18446744073709551615", "d:=4.5", "b:=true", "s:=\"x\"", "z:=null"}) {
    EXPECT_EQ(store.add(text), std::nullopt) << text;
  }
  const Attributes list = store.attributes();
  EXPECT_EQ(list[0].value.integer(), -3);
  EXPECT_EQ(list[1].value.unsigned_integer(), 18446744073709551615U);
  EXPECT_EQ(list[2].value.floating(), 4.5);
  EXPECT_TRUE(list[3].value.boolean());
  EXPECT_EQ(list[4].value.string(), "x");
  EXPECT_TRUE(list[5].value.is_empty());
}

TEST(AttributeStore, NestsArraysAndMaps) {
  AttributeStore store;
  EXPECT_EQ(store.add(R"(a:=[1, {"k": ["v"]}])"), std::nullopt);
  const AttributeValue array = store.attributes()[0].value;
  ASSERT_EQ(array.kind(), ValueKind::kArray);
  EXPECT_EQ(array.element(0).integer(), 1);
  const auto map = array.element(1).map();
  ASSERT_EQ(map.size(), 1U);
  EXPECT_EQ(map[0].key, "k");
  EXPECT_EQ(map[0].value.element(0).string(), "v");
}

TEST(AttributeStore, DoesNotFollowJsonDeeperThanARecordMayBe) {
  AttributeStore store;
  EXPECT_EQ(store.add("deep:=" + std::string(100000, '[') + std::string(100000, ']')), std::nullopt);
}

TEST(AttributeStore, SaysWhatIsWrong) {
  AttributeStore store;
  for (const char* text : {"nothing", "=x", ":=1", "n:=4x"}) EXPECT_NE(store.add(text), std::nullopt) << text;
  EXPECT_EQ(store.attributes().size(), 0U);
}

}  // namespace
}  // namespace shmring::tools
