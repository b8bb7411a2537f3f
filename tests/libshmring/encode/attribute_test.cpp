// SPDX-License-Identifier: Apache-2.0
#include "shmring/attribute.hpp"

#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <limits>
#include <type_traits>

namespace shmring::test {
namespace {

TEST(AttributeValue, TakesEveryIntegerTypeAsAnInteger) {
  EXPECT_EQ(AttributeValue(std::int8_t{-1}).integer(), -1);
  EXPECT_EQ(AttributeValue(std::uint8_t{255}).integer(), 255);
  EXPECT_EQ(AttributeValue(std::int16_t{-300}).integer(), -300);
  EXPECT_EQ(AttributeValue(std::uint32_t{0xFFFFFFFFU}).integer(), 0xFFFFFFFFLL);
  EXPECT_EQ(AttributeValue(std::numeric_limits<long long>::min()).integer(),
            std::numeric_limits<std::int64_t>::min());
  EXPECT_EQ(AttributeValue(std::size_t{7}).integer(), 7);
  EXPECT_EQ(AttributeValue(std::size_t{7}).kind(), ValueKind::kInt);
}

TEST(AttributeValue, KeepsIntegersAboveInt64Apart) {
  constexpr auto kLargest = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
  EXPECT_EQ(AttributeValue(kLargest).kind(), ValueKind::kInt);
  EXPECT_EQ(AttributeValue(kLargest + 1).kind(), ValueKind::kUnsigned);
  EXPECT_EQ(AttributeValue(kLargest + 1).unsigned_integer(), kLargest + 1);
}

TEST(AttributeValue, MakesABoolOfABoolOnly) {
  EXPECT_EQ(AttributeValue(true).kind(), ValueKind::kBool);
  EXPECT_TRUE(AttributeValue(true).boolean());
  EXPECT_FALSE(AttributeValue(false).boolean());
  EXPECT_EQ(AttributeValue("text").kind(), ValueKind::kString);
  static_assert(!std::is_constructible_v<AttributeValue, int*>);
  static_assert(!std::is_constructible_v<AttributeValue, const void*>);
}

TEST(AttributeValue, RefusesCharactersThatCouldBeNumbersOrTexts) {
  static_assert(!std::is_constructible_v<AttributeValue, char>);
  static_assert(!std::is_constructible_v<AttributeValue, wchar_t>);
  static_assert(!std::is_constructible_v<AttributeValue, char32_t>);
}

TEST(AttributeValue, TakesTextsOfEveryKind) {
  const std::string owned = "owned";
  char array[] = "array";
  char* const pointer = array;
  EXPECT_EQ(AttributeValue("literal").string(), "literal");
  EXPECT_EQ(AttributeValue(owned).string(), "owned");
  EXPECT_EQ(AttributeValue(std::string_view("a\0b", 3)).string(), std::string_view("a\0b", 3));
  EXPECT_EQ(AttributeValue(array).string(), "array");
  EXPECT_EQ(AttributeValue(pointer).string(), "array");
  EXPECT_TRUE(AttributeValue(static_cast<const char*>(nullptr)).is_empty());
}

TEST(AttributeValue, TakesFloatingPointNumbersAndWhatIsNone) {
  EXPECT_EQ(AttributeValue(0.5F).floating(), 0.5);
  EXPECT_EQ(AttributeValue(0.25L).floating(), 0.25);
  EXPECT_TRUE(std::isnan(AttributeValue(std::numeric_limits<double>::quiet_NaN()).floating()));
}

TEST(AttributeValue, TakesBytes) {
  const std::vector<std::byte> bytes{std::byte{0}, std::byte{255}};
  EXPECT_EQ(AttributeValue(bytes).kind(), ValueKind::kBytes);
  EXPECT_EQ(AttributeValue(std::span<const std::byte>(bytes)).bytes().size(), 2U);
  EXPECT_EQ(AttributeValue(std::span(bytes)).bytes().data(), bytes.data());
}

template <typename Array>
void expect_elements(const Array& array, ValueKind kind, AttributeValue first, AttributeValue second) {
  const AttributeValue value = array;
  EXPECT_EQ(value.kind(), kind);
  ASSERT_EQ(value.size(), 2U);
  EXPECT_EQ(value.element(0).kind(), first.kind());
  EXPECT_EQ(value.element(1).kind(), second.kind());
  if (first.kind() == ValueKind::kString) {
    EXPECT_EQ(value.element(1).string(), second.string());
  } else if (first.kind() == ValueKind::kDouble) {
    EXPECT_EQ(value.element(1).floating(), second.floating());
  } else {
    EXPECT_EQ(value.element(1).integer(), second.integer());
  }
}

TEST(AttributeValue, TakesArraysOfOneTypeWhereTheyLie) {
  const bool flags[] = {false, true};
  const AttributeValue values[] = {1, 2};
  expect_elements(std::vector<int>{1, -2}, ValueKind::kInts32, 1, -2);
  expect_elements(std::array<long, 2>{1, -2}, ValueKind::kInts64, 1, -2);
  expect_elements(std::vector<long long>{1, -2}, ValueKind::kInts64, 1, -2);
  expect_elements(std::vector<double>{1.0, -2.0}, ValueKind::kDoubles, 1.0, -2.0);
  expect_elements(flags, ValueKind::kBools, false, true);
  expect_elements(std::vector<std::string>{"a", "b"}, ValueKind::kStrings, "a", "b");
  expect_elements(std::vector<std::string_view>{"a", "b"}, ValueKind::kStringViews, "a", "b");
  expect_elements(values, ValueKind::kArray, 1, 2);
  expect_elements(Values{1, 2}, ValueKind::kArray, 1, 2);
}

std::size_t count(Attributes attributes) { return attributes.size(); }

TEST(Attributes, AreWrittenInPlaceOrTakenFromAList) {
  const std::string name = "Ada";
  const std::vector<Attribute> list{{"a", 1}};
  EXPECT_EQ(count({}), 0U);
  EXPECT_EQ(count({{"order.id", 4711}}), 1U);
  EXPECT_EQ(count({{"order.id", 4711}, {"customer", name}}), 2U);
  EXPECT_EQ(count({{"both", "texts"}, {"more", "texts"}}), 2U);
  EXPECT_EQ(count({{"nested", Attributes{{"tags", Values{"a", 1, true}}}}}), 1U);
  EXPECT_EQ(count(list), 1U);
  EXPECT_EQ(count(std::span(list)), 1U);
}

}  // namespace
}  // namespace shmring::test
