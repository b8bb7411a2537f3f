// SPDX-License-Identifier: Apache-2.0
#include "shmring/logger.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <string>

#include "ring_contents.hpp"

namespace shmring::test {
namespace {

class LoggerOnARing : public WithRing {};

TEST_F(LoggerOnARing, EmitsWhatTheReadmeShows) {
  const std::string name = "Ada";
  const Ring ring = open({.resource = {.service_name = "shop"}});
  const Logger log = ring.logger("checkout", "1.4.0");
  const std::uint64_t before = unix_time_ns();
  EXPECT_TRUE(log.emit(shmring::Severity::kInfo, "order placed", {{"order.id", 4711}, {"customer", name}}));
  const std::uint64_t after = unix_time_ns();

  const auto found = logs();
  ASSERT_EQ(found.size(), 1U);
  const auto& record = found[0].message;
  EXPECT_EQ(static_cast<int>(record.severity_number()), 9);
  EXPECT_EQ(record.severity_text(), "");
  EXPECT_EQ(record.body().string_value(), "order placed");
  ASSERT_EQ(record.attributes_size(), 2);
  EXPECT_EQ(record.attributes(0).key(), "order.id");
  EXPECT_EQ(record.attributes(0).value().int_value(), 4711);
  EXPECT_EQ(record.attributes(1).value().string_value(), "Ada");
  EXPECT_GE(record.time_unix_nano(), before);
  EXPECT_LE(record.time_unix_nano(), after);
  EXPECT_EQ(record.observed_time_unix_nano(), record.time_unix_nano());
  EXPECT_EQ(found[0].scope.name(), "checkout");
  EXPECT_EQ(found[0].scope.version(), "1.4.0");
}

TEST_F(LoggerOnARing, NamesTheProcessInTheResource) {
  EXPECT_TRUE(open({.resource = {.service_name = "shop"}}).logger("scope").emit(Severity::kInfo, "body"));
  const auto found = logs();
  ASSERT_EQ(found.size(), 1U);
  std::map<std::string, std::string> texts;
  for (const auto& attribute : found[0].resource.attributes()) {
    texts[attribute.key()] = attribute.value().string_value();
    if (attribute.key() == "process.pid") {
      EXPECT_EQ(attribute.value().int_value(), ::getpid());
    }
  }
  EXPECT_EQ(texts["service.name"], "shop");
  EXPECT_EQ(texts["service.instance.id"].size(), 36U);
  EXPECT_TRUE(texts.contains("process.pid"));
}

TEST_F(LoggerOnARing, FillsInTheTimesThatARecordLeavesOut) {
  const Logger log = open().logger("scope");
  EXPECT_TRUE(log.emit({.body = "neither"}));
  EXPECT_TRUE(log.emit({.body = "time", .time_unix_nano = 5}));
  EXPECT_TRUE(log.emit({.body = "observed", .observed_time_unix_nano = 6}));
  EXPECT_TRUE(log.emit({.body = "both", .time_unix_nano = 7, .observed_time_unix_nano = 8}));
  const auto found = logs();
  ASSERT_EQ(found.size(), 4U);
  EXPECT_EQ(found[0].message.time_unix_nano(), found[0].message.observed_time_unix_nano());
  EXPECT_GT(found[0].message.time_unix_nano(), 8U);
  EXPECT_EQ(found[1].message.time_unix_nano(), 5U);
  EXPECT_GT(found[1].message.observed_time_unix_nano(), 8U);
  EXPECT_GT(found[2].message.time_unix_nano(), 8U);
  EXPECT_EQ(found[2].message.observed_time_unix_nano(), 6U);
  EXPECT_EQ(found[3].message.time_unix_nano(), 7U);
  EXPECT_EQ(found[3].message.observed_time_unix_nano(), 8U);
}

TEST_F(LoggerOnARing, HeedsTheMinimumSeverityOfTheMoment) {
  const Ring ring = open();
  const Logger log = ring.logger("scope");
  EXPECT_TRUE(log.enabled(Severity::kTrace));
  ring.set_min_severity(static_cast<std::uint32_t>(Severity::kWarn));
  EXPECT_FALSE(log.enabled(Severity::kInfo4));
  EXPECT_TRUE(log.enabled(Severity::kWarn));
  EXPECT_TRUE(log.enabled(Severity::kUnspecified)) << "who does not know how grave it is, is not filtered";
  EXPECT_FALSE(log.emit(Severity::kInfo, "refused"));
  EXPECT_FALSE(log.emit({.severity = Severity::kInfo, .body = "refused"}));
  EXPECT_TRUE(log.emit(Severity::kError, "passed"));
  ring.set_min_severity(0);
  EXPECT_TRUE(log.emit(Severity::kTrace, "passed"));
  EXPECT_EQ(logs().size(), 2U);
}

TEST_F(LoggerOnARing, EmitsNothingWhenTheSdkIsDisabled) {
  set("OTEL_SDK_DISABLED", "true");
  const Logger log = open().logger("scope");
  EXPECT_FALSE(log.enabled(Severity::kFatal4));
  EXPECT_FALSE(log.enabled(Severity::kUnspecified));
  EXPECT_FALSE(log.emit(Severity::kFatal, "body"));
  EXPECT_FALSE(log.emit(LogRecord{.body = "body"}));
  EXPECT_TRUE(logs().empty());
}

TEST_F(LoggerOnARing, AppliesTheLimitsOfTheEnvironment) {
  set("OTEL_LOGRECORD_ATTRIBUTE_COUNT_LIMIT", "2");
  set("OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT", "3");
  const Logger log = open().logger("scope");
  EXPECT_TRUE(log.emit(Severity::kInfo, "a long body", {{"a", "12345"}, {"b", 2}, {"c", 3}}));
  EXPECT_TRUE(log.emit(Severity::kInfo, "twice", {{"a", 1}, {"a", 2}}));
  const auto found = logs();
  ASSERT_EQ(found.size(), 2U);
  EXPECT_EQ(found[0].message.body().string_value(), "a long body");
  EXPECT_EQ(found[0].message.attributes_size(), 2);
  EXPECT_EQ(found[0].message.attributes(0).value().string_value(), "123");
  EXPECT_EQ(found[0].message.dropped_attributes_count(), 1U);
  EXPECT_EQ(found[1].message.attributes_size(), 1);
  EXPECT_EQ(found[1].message.attributes(0).value().int_value(), 2);
}

TEST_F(LoggerOnARing, PutsARecordIntoItsSpan) {
  const Ring ring = open();
  const Span span = ring.tracer("scope").start("work");
  EXPECT_TRUE(ring.logger("scope").emit(Severity::kInfo, "in a span", {}, span.context()));
  const auto found = logs();
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].message.trace_id(), bytes_of(span.context().trace_id));
  EXPECT_EQ(found[0].message.span_id(), bytes_of(span.context().span_id));
  EXPECT_EQ(found[0].message.flags(), 1U);
}

TEST_F(LoggerOnARing, DropsOnlyWhatIsLargerThanTheRingTakes) {
  const Ring ring = open();
  const Logger log = ring.logger("scope");
  EXPECT_FALSE(log.emit(Severity::kInfo, std::string(ring.max_payload() + 1, 'x')));
  EXPECT_TRUE(log.emit(Severity::kInfo, std::string(ring.max_payload() - 100, 'x')));
  EXPECT_EQ(logs().size(), 1U);
}

TEST_F(LoggerOnARing, GoesOnInAForkedChildWithAResourceOfItsOwn) {
  const Logger log = open().logger("scope");
  EXPECT_TRUE(log.emit(Severity::kInfo, "parent"));
  EXPECT_TRUE(in_child([&] { return log.emit(Severity::kInfo, "child"); }));
  const auto found = logs();
  ASSERT_EQ(found.size(), 2U);
  EXPECT_NE(found[0].resource.SerializeAsString(), found[1].resource.SerializeAsString());
}

}  // namespace
}  // namespace shmring::test
