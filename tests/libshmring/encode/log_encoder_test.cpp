// SPDX-License-Identifier: Apache-2.0
#include "shmring/log_encoder.hpp"

#include <gtest/gtest.h>

#include "encoded.hpp"
#include "random_records.hpp"

namespace shmring::test {
namespace {

TEST(LogEncoder, WritesGeneratedRecordsAsLibprotobufReadsThem) {
  RandomRecords random(20260101);
  for (int i = 0; i < 4000; ++i) {
    const auto expected = random.log();
    Views views;
    ASSERT_TRUE(same(decoded(views.of(expected)), expected)) << "record " << i;
  }
}

TEST(LogEncoder, WritesNothingOfAnEmptyRecord) { EXPECT_EQ(encoded(LogRecord{}, AttributeLimits{}), ""); }

TEST(LogEncoder, WritesTheTimeFirst) {
  const std::string bytes =
      encoded(LogRecord{.severity = Severity::kInfo, .body = "b", .time_unix_nano = 0x0102030405060708U},
              AttributeLimits{});
  EXPECT_EQ(bytes.substr(0, 9), std::string("\x09\x08\x07\x06\x05\x04\x03\x02\x01"));
}

TEST(LogEncoder, KeepsABodyThatIsFalseZeroOrEmpty) {
  using Value = opentelemetry::proto::common::v1::AnyValue;
  EXPECT_EQ(decoded(LogRecord{.body = false}).body().value_case(), Value::kBoolValue);
  EXPECT_EQ(decoded(LogRecord{.body = 0}).body().value_case(), Value::kIntValue);
  EXPECT_EQ(decoded(LogRecord{.body = 0.0}).body().value_case(), Value::kDoubleValue);
  EXPECT_EQ(decoded(LogRecord{.body = ""}).body().value_case(), Value::kStringValue);
  EXPECT_EQ(decoded(LogRecord{.body = Values{}}).body().value_case(), Value::kArrayValue);
  EXPECT_EQ(decoded(LogRecord{.body = Attributes{}}).body().value_case(), Value::kKvlistValue);
  EXPECT_FALSE(decoded(LogRecord{.body = AttributeValue{}}).has_body());
}

TEST(LogEncoder, DoesNotLimitTheBody) {
  EXPECT_EQ(decoded({.body = "abcdef"}, {.count = 1, .value_length = 2}).body().string_value(), "abcdef");
}

TEST(LogEncoder, AddsWhatALimitDropsToWhatWasDroppedBefore) {
  const auto log =
      decoded({.attributes = {{"a", 1}, {"b", 2}, {"c", 3}}, .dropped_attributes_count = 4}, {.count = 1});
  ASSERT_EQ(log.attributes_size(), 1);
  EXPECT_EQ(log.attributes(0).key(), "a");
  EXPECT_EQ(log.dropped_attributes_count(), 6U);
}

TEST(LogEncoder, DoesNotWrapTheDroppedCount) {
  const auto log = decoded({.attributes = {{"a", 1}}, .dropped_attributes_count = 0xFFFFFFFFU}, {.count = 0});
  EXPECT_EQ(log.dropped_attributes_count(), 0xFFFFFFFFU);
}

TEST(LogEncoder, PassesInvalidUtf8OnAsItIs) {
  const std::string bytes = encoded(LogRecord{.body = "\xFF\xFE"}, AttributeLimits{});
  EXPECT_EQ(bytes, std::string("\x2A\x04\x0A\x02\xFF\xFE"));
}

TEST(LogEncoder, TakesASeverityThatTheModelDoesNotHave) {
  EXPECT_EQ(static_cast<int>(decoded(LogRecord{.severity = static_cast<Severity>(200)}).severity_number()),
            200);
}

}  // namespace
}  // namespace shmring::test
