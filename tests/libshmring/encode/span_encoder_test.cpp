// SPDX-License-Identifier: Apache-2.0
#include "shmring/span_encoder.hpp"

#include <gtest/gtest.h>

#include "encoded.hpp"
#include "random_records.hpp"

namespace shmring::test {
namespace {

TEST(SpanEncoder, WritesGeneratedRecordsAsLibprotobufReadsThem) {
  RandomRecords random(20260202);
  for (int i = 0; i < 2000; ++i) {
    const auto expected = random.span();
    Views views;
    ASSERT_TRUE(same(decoded(views.of(expected)), expected)) << "record " << i;
  }
}

TEST(SpanEncoder, WritesNothingOfAnEmptyRecord) {
  EXPECT_EQ(encoded(SpanRecord{.kind = SpanKind::kUnspecified}, Limits{}), "");
}

TEST(SpanEncoder, SaysWhetherTheParentIsRemote) {
  EXPECT_EQ(decoded(SpanRecord{.context = {.flags = 1}, .parent_origin = ContextOrigin::kUnknown}).flags(),
            0x001U);
  EXPECT_EQ(decoded(SpanRecord{.context = {.flags = 1}, .parent_origin = ContextOrigin::kLocal}).flags(),
            0x101U);
  EXPECT_EQ(decoded(SpanRecord{.context = {.flags = 1}, .parent_origin = ContextOrigin::kRemote}).flags(),
            0x301U);
}

TEST(SpanEncoder, KeepsTheFirstEventsAndLinksAndCountsTheRest) {
  const SpanEvent events[] = {{.name = "one"}, {.name = "two"}, {.name = "three"}};
  const SpanLink links[] = {{.trace_state = "one"}, {.trace_state = "two"}, {.trace_state = "three"}};
  const auto span =
      decoded({.events = events, .dropped_events_count = 10, .links = links, .dropped_links_count = 20},
              {.events = 2, .links = 1});
  ASSERT_EQ(span.events_size(), 2);
  EXPECT_EQ(span.events(1).name(), "two");
  EXPECT_EQ(span.dropped_events_count(), 11U);
  ASSERT_EQ(span.links_size(), 1);
  EXPECT_EQ(span.links(0).trace_state(), "one");
  EXPECT_EQ(span.dropped_links_count(), 22U);
}

TEST(SpanEncoder, LimitsTheAttributesOfSpanEventAndLinkEachByItsOwnLimit) {
  const Attribute three[] = {{"a", "12345"}, {"b", "12345"}, {"c", "12345"}};
  const SpanEvent events[] = {{.attributes = three}};
  const SpanLink links[] = {{.attributes = three}};
  Limits limits;
  limits.span = {.count = 2, .value_length = 4};
  limits.event = {.count = 1, .value_length = 3};
  limits.link = {.count = 0, .value_length = 2};
  const auto span = decoded({.attributes = three, .events = events, .links = links}, limits);
  EXPECT_EQ(span.attributes_size(), 2);
  EXPECT_EQ(span.attributes(0).value().string_value(), "1234");
  EXPECT_EQ(span.dropped_attributes_count(), 1U);
  EXPECT_EQ(span.events(0).attributes_size(), 1);
  EXPECT_EQ(span.events(0).attributes(0).value().string_value(), "123");
  EXPECT_EQ(span.events(0).dropped_attributes_count(), 2U);
  EXPECT_EQ(span.links(0).attributes_size(), 0);
  EXPECT_EQ(span.links(0).dropped_attributes_count(), 3U);
}

TEST(SpanEncoder, SelectsAnewForEveryEvent) {
  const Attribute twice[] = {{"a", 1}, {"b", 2}, {"a", 3}};
  const Attribute other[] = {{"x", 1}, {"x", 2}};
  const SpanEvent events[] = {{.attributes = twice}, {.attributes = other}};
  const auto span = decoded(SpanRecord{.attributes = twice, .events = events});
  ASSERT_EQ(span.attributes_size(), 2);
  EXPECT_EQ(span.attributes(0).value().int_value(), 3);
  ASSERT_EQ(span.events(0).attributes_size(), 2);
  ASSERT_EQ(span.events(1).attributes_size(), 1);
  EXPECT_EQ(span.events(1).attributes(0).value().int_value(), 2);
}

}  // namespace
}  // namespace shmring::test
