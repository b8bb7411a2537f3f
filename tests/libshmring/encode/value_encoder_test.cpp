// SPDX-License-Identifier: Apache-2.0
#include "shmring/value_encoder.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "encoded.hpp"

namespace shmring::test {
namespace {

using Any = opentelemetry::proto::common::v1::AnyValue;

/// As an attribute, where the limits apply.
Any value_of(AttributeValue value, std::uint32_t value_length = kUnlimited) {
  return decoded({.attributes = {{"key", value}}}, {.value_length = value_length}).attributes(0).value();
}

std::string keys_of(const opentelemetry::proto::logs::v1::LogRecord& log) {
  std::string keys;
  for (const auto& attribute : log.attributes())
    keys += attribute.key() + "=" + std::to_string(attribute.value().int_value()) + " ";
  return keys;
}

TEST(ValueEncoder, WritesIntegersAboveInt64AsDecimalText) {
  EXPECT_EQ(value_of(std::uint64_t{9223372036854775807U}).int_value(), 9223372036854775807);
  EXPECT_EQ(value_of(std::uint64_t{9223372036854775808U}).string_value(), "9223372036854775808");
  EXPECT_EQ(value_of(std::uint64_t{18446744073709551615U}).string_value(), "18446744073709551615");
  EXPECT_EQ(value_of(std::uint64_t{18446744073709551615U}, 3).string_value(), "18446744073709551615")
      << "a number is never cut";
}

TEST(ValueEncoder, WritesArraysOfOneTypeElementByElement) {
  const std::vector<std::string> texts{"", "b"};
  const auto array = value_of(texts).array_value();
  ASSERT_EQ(array.values_size(), 2);
  EXPECT_EQ(array.values(0).value_case(), Any::kStringValue);
  EXPECT_EQ(array.values(1).string_value(), "b");
  EXPECT_EQ(value_of(std::vector<int>{-1}).array_value().values(0).int_value(), -1);
  EXPECT_EQ(value_of(std::vector<double>{0.0}).array_value().values(0).value_case(), Any::kDoubleValue);
}

TEST(ValueEncoder, KeepsEmptyValuesInArraysAndAttributes) {
  EXPECT_EQ(value_of(AttributeValue{}).value_case(), Any::VALUE_NOT_SET);
  const auto array = value_of(Values{1, AttributeValue{}, 3}).array_value();
  ASSERT_EQ(array.values_size(), 3);
  EXPECT_EQ(array.values(1).value_case(), Any::VALUE_NOT_SET);
}

struct Cut {
  std::string text;
  std::uint32_t limit;
  std::string kept;
};

TEST(ValueEncoder, CutsTextsToCharactersAndNeverInsideOne) {
  const Cut table[] = {
      {"abc", 3, "abc"},
      {"abcd", 3, "abc"},
      {"abc", 0, ""},
      {"", 0, ""},
      {"\u00e4\u00f6\u00fc", 2, "\u00e4\u00f6"},        // two bytes each
      {"\u20ac\u20ac\u20ac", 1, "\u20ac"},              // three bytes each
      {"a\U0001F600b\U0001F600", 2, "a\U0001F600"},     // four bytes
      {"\u00e4\u00f6\u00fc", 5, "\u00e4\u00f6\u00fc"},  // more bytes than the limit, not more characters
      {"a\u0301x", 2, "a\u0301"},                       // code points are counted, not graphemes
      {"\x80\x80\x80"
       "ab",
       1,
       "\x80\x80\x80"
       "a"},  // broken: no crash, no endless text
      {"\xF0\x9F", 1, "\xF0\x9F"},
  };
  for (const Cut& cut : table) {
    EXPECT_EQ(cut.text.substr(0, wire::limited_size(cut.text, cut.limit)), cut.kept)
        << cut.text << " to " << cut.limit;
  }
}

TEST(ValueEncoder, CutsBytesAndTheElementsOfArraysAndMaps) {
  const std::vector<std::byte> bytes(5);
  EXPECT_EQ(value_of(bytes, 2).bytes_value().size(), 2U);
  const auto nested =
      value_of(Values{"abc", Attributes{{"a long key", "abc"}}, Values{"abc"}, 12345}, 2).array_value();
  EXPECT_EQ(nested.values(0).string_value(), "ab");
  EXPECT_EQ(nested.values(1).kvlist_value().values(0).key(), "a long key") << "keys are never cut";
  EXPECT_EQ(nested.values(1).kvlist_value().values(0).value().string_value(), "ab");
  EXPECT_EQ(nested.values(2).array_value().values(0).string_value(), "ab");
  EXPECT_EQ(nested.values(3).int_value(), 12345);
}

int depth_of(const Any& value) {
  if (value.has_array_value() && value.array_value().values_size() > 0)
    return 1 + depth_of(value.array_value().values(0));
  if (value.has_kvlist_value() && value.kvlist_value().values_size() > 0) {
    return 1 + depth_of(value.kvlist_value().values(0).value());
  }
  return 1;
}

TEST(ValueEncoder, NestsAsDeepAsParsersGoAndNoDeeper) {
  for (const unsigned depth : {2U, 31U, 32U, 33U, 49U, 2000U}) {
    std::vector<AttributeValue> arrays(depth, AttributeValue("innermost"));
    std::vector<Attribute> maps(depth, Attribute{"k", "innermost"});
    for (unsigned i = 1; i < depth; ++i) {
      arrays[i] = std::span(&arrays[i - 1], 1);
      maps[i].value = std::span(&maps[i - 1], 1);
    }
    const auto log = decoded(LogRecord{.body = arrays.back(), .attributes = std::span(&maps.back(), 1)});
    EXPECT_EQ(depth_of(log.body()), static_cast<int>(std::min(depth, kMaxValueNesting)));
    EXPECT_EQ(depth_of(log.attributes(0).value()), static_cast<int>(std::min(depth, kMaxValueNesting)));
  }
}

TEST(ValueEncoder, TakesTheLastOfTheEntriesOfAMapWithTheSameKey) {
  const auto map = value_of(Attributes{{"a", 1}, {"b", 2}, {"a", 3}, {"", 4}}).kvlist_value();
  ASSERT_EQ(map.values_size(), 3);
  EXPECT_EQ(map.values(0).key(), "b");
  EXPECT_EQ(map.values(1).value().int_value(), 3);
  EXPECT_EQ(map.values(2).key(), "");
}

TEST(AttributeList, KeepsTheLaterValueOfADoubleKey) {
  EXPECT_EQ(keys_of(decoded(LogRecord{.attributes = {{"a", 1}, {"b", 2}, {"a", 3}}})), "a=3 b=2 ");
}

TEST(AttributeList, DropsAndCountsAttributesWithoutAKey) {
  const auto log = decoded(LogRecord{.attributes = {{"", 1}, {"b", 2}, {"", 3}}});
  EXPECT_EQ(keys_of(log), "b=2 ");
  EXPECT_EQ(log.dropped_attributes_count(), 2U);
}

TEST(AttributeList, ReplacesAValueEvenPastTheLimit) {
  const auto log = decoded({.attributes = {{"a", 1}, {"b", 2}, {"c", 3}, {"a", 4}}}, {.count = 2});
  EXPECT_EQ(keys_of(log), "a=4 b=2 ");
  EXPECT_EQ(log.dropped_attributes_count(), 1U);
}

TEST(AttributeList, HasNoAttributesUnderALimitOfZero) {
  const auto log = decoded({.attributes = {{"a", 1}}}, {.count = 0});
  EXPECT_EQ(log.attributes_size(), 0);
  EXPECT_EQ(log.dropped_attributes_count(), 1U);
}

struct ManyAttributes {
  explicit ManyAttributes(std::size_t count) : keys(count) {
    for (std::size_t i = 0; i < count; ++i) keys[i] = "key." + std::to_string(i);
    for (const std::string& key : keys) list.push_back({key, 1});
  }
  std::vector<std::string> keys;
  std::vector<Attribute> list;
};

TEST(AttributeList, FindsADoubleKeyInAListOfAnyLength) {
  for (const std::size_t count : {2U, 8U, 9U, 16U, 100U, 1000U}) {
    ManyAttributes many(count);
    EXPECT_TRUE(wire::keys_are_unique(many.list.data(), count));
    EXPECT_TRUE(wire::can_take_all(many.list, kMaxAttributes));
    many.list.back().key = many.list.front().key;
    EXPECT_FALSE(wire::keys_are_unique(many.list.data(), count));
    EXPECT_FALSE(wire::can_take_all(many.list, kMaxAttributes));
    EXPECT_EQ(decoded({.attributes = many.list}, {.count = kMaxAttributes}).attributes_size(),
              static_cast<int>(count) - 1);
  }
}

TEST(AttributeList, IsBoundedWhateverTheLimitSays) {
  const ManyAttributes many(100'000);
  const auto log = decoded({.attributes = many.list}, {.count = kUnlimited});
  EXPECT_EQ(log.attributes_size(), static_cast<int>(kMaxAttributes));
  EXPECT_EQ(log.dropped_attributes_count(), 100'000U - kMaxAttributes);
}

TEST(AttributeList, KeepsTheFirst128ByDefault) {
  const ManyAttributes many(200);
  const auto log = decoded(LogRecord{.attributes = many.list});
  ASSERT_EQ(log.attributes_size(), 128);
  EXPECT_EQ(log.attributes(127).key(), "key.127");
  EXPECT_EQ(log.dropped_attributes_count(), 72U);
}

}  // namespace
}  // namespace shmring::test
