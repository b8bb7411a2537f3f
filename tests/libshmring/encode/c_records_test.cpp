// SPDX-License-Identifier: Apache-2.0
// A record that is said in C is the record that the same says in C++.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "encoded.hpp"
#include "ring_contents.hpp"
#include "shmring/shmring.h"
#include "shmring/shmring.hpp"

namespace shmring::test {
namespace {

class CRecords : public WithRing {
 protected:
  void SetUp() override {
    ring = open();
    shmring_open_options options = SHMRING_OPEN_OPTIONS_INIT;
    options.path = path.c_str();
    ASSERT_EQ(shmring_open(&options, &c_ring), SHMRING_OK) << shmring_error_message();
    ASSERT_EQ(shmring_logger_new(c_ring, shmring_str("scope"), shmring_str("1"), &c_log), SHMRING_OK);
    ASSERT_EQ(shmring_tracer_new(c_ring, shmring_str("scope"), shmring_str("1"), &c_tracer), SHMRING_OK);
  }
  void TearDown() override {
    shmring_tracer_free(c_tracer);
    shmring_logger_free(c_log);
    shmring_close(c_ring);
  }

  /// Emits a record with this value as body and as attribute, in both languages.
  testing::AssertionResult says_the_same(const shmring_value& c_value, const AttributeValue& value) const {
    const shmring_attribute attribute{{"key", 3}, c_value};
    shmring_log_record c_record{};
    c_record.size = sizeof(c_record);
    c_record.body = c_value;
    c_record.attributes = {&attribute, 1};
    c_record.time_unix_nano = c_record.observed_time_unix_nano = 7;
    EXPECT_EQ(shmring_log(c_log, &c_record), SHMRING_OK);
    EXPECT_TRUE(ring->logger("scope", "1")
                    .emit(LogRecord{.body = value,
                                    .attributes = {{"key", value}},
                                    .time_unix_nano = 7,
                                    .observed_time_unix_nano = 7}));
    const auto found = logs();
    return same(found[found.size() - 2].message, found[found.size() - 1].message);
  }

  std::optional<Ring> ring;
  shmring_ring* c_ring = nullptr;
  shmring_logger* c_log = nullptr;
  shmring_tracer* c_tracer = nullptr;
};

shmring_value value_of_bytes(const std::vector<std::byte>& bytes) {
  shmring_value value{SHMRING_BYTES, 0, bytes.size(), {}};
  value.as.bytes = bytes.data();
  return value;
}
shmring_value array_of(const std::vector<shmring_value>& elements) {
  shmring_value value{SHMRING_ARRAY, 0, elements.size(), {}};
  value.as.array = elements.data();
  return value;
}
shmring_value map_of(const std::vector<shmring_attribute>& entries) {
  shmring_value value{SHMRING_MAP, 0, entries.size(), {}};
  value.as.map = entries.data();
  return value;
}

TEST_F(CRecords, HoldEveryKindOfValue) {
  EXPECT_TRUE(says_the_same({}, {}));
  EXPECT_TRUE(says_the_same(shmring_string_value("text"), "text"));
  EXPECT_TRUE(says_the_same({SHMRING_STRING, 0, 2, {"text"}}, "te"));
  EXPECT_TRUE(says_the_same({SHMRING_STRING, 0, 3, {nullptr}}, ""));
  EXPECT_TRUE(says_the_same(shmring_int_value(-1), -1));
  EXPECT_TRUE(says_the_same(shmring_double_value(-0.0), -0.0));
  EXPECT_TRUE(says_the_same(shmring_bool_value(2), true));
  EXPECT_TRUE(says_the_same(shmring_bool_value(0), false));
  const std::vector<std::byte> bytes(5, std::byte{0xFF});
  EXPECT_TRUE(says_the_same(value_of_bytes(bytes), bytes));
  EXPECT_TRUE(says_the_same(value_of_bytes({}), std::vector<std::byte>()));
  const std::vector<shmring_value> elements{shmring_int_value(1), shmring_string_value("two"), {}};
  EXPECT_TRUE(says_the_same(array_of(elements), Values{1, "two", AttributeValue()}));
  EXPECT_TRUE(says_the_same(array_of({}), Values{}));
  const std::vector<shmring_attribute> entries{shmring_attr("a", array_of(elements)),
                                               shmring_attr("b", shmring_double_value(0.5))};
  EXPECT_TRUE(
      says_the_same(map_of(entries), Attributes{{"a", Values{1, "two", AttributeValue()}}, {"b", 0.5}}));
  EXPECT_TRUE(says_the_same({77, 0, 1, {"a kind that nobody knows"}}, {}));
}

TEST_F(CRecords, ValuesInValuesEndWhereThoseOfCppDo) {
  std::vector<std::vector<shmring_value>> c_levels(40);
  shmring_value c_value = shmring_int_value(1);
  for (auto& level : c_levels) {
    level = {c_value};
    c_value = array_of(level);
  }
  std::vector<std::vector<AttributeValue>> levels(40);
  AttributeValue value = 1;
  for (auto& level : levels) {
    level = {value};
    value = level;
  }
  EXPECT_TRUE(says_the_same(c_value, value));
}

TEST_F(CRecords, HoldMoreAttributesThanTheStackHasRoomFor) {
  std::vector<std::string> keys;
  std::vector<shmring_attribute> c_attributes;
  std::vector<Attribute> attributes;
  for (int i = 0; i < 120; ++i) keys.push_back("key." + std::to_string(i));
  for (int i = 0; i < 120; ++i) {
    c_attributes.push_back(shmring_attr(keys[static_cast<std::size_t>(i)].c_str(), shmring_int_value(i)));
    attributes.push_back({keys[static_cast<std::size_t>(i)], i});
  }
  EXPECT_TRUE(says_the_same(map_of(c_attributes), AttributeValue(attributes)));
}

TEST_F(CRecords, SayAllThatALogRecordCanSay) {
  const TraceContext trace = *parse_traceparent("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01");
  const shmring_attribute attribute = shmring_attr("k", shmring_int_value(1));
  shmring_log_record c_record{};
  c_record.size = sizeof(c_record);
  c_record.severity_number = 17;
  c_record.dropped_attributes_count = 3;
  c_record.severity_text = shmring_str("ERROR");
  c_record.body = shmring_string_value("body");
  c_record.attributes = {&attribute, 1};
  c_record.event_name = {"an.event and more", 8};
  c_record.time_unix_nano = 5;
  c_record.observed_time_unix_nano = 6;
  ASSERT_EQ(shmring_parse_traceparent(shmring_str("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"),
                                      &c_record.trace),
            SHMRING_OK);
  ASSERT_EQ(shmring_log(c_log, &c_record), SHMRING_OK);
  ASSERT_TRUE(ring->logger("scope", "1")
                  .emit(LogRecord{.severity = Severity::kError,
                                  .severity_text = "ERROR",
                                  .body = "body",
                                  .attributes = {{"k", 1}},
                                  .event_name = "an.event",
                                  .time_unix_nano = 5,
                                  .observed_time_unix_nano = 6,
                                  .trace = trace,
                                  .dropped_attributes_count = 3}));
  const auto found = logs();
  EXPECT_TRUE(same(found[0].message, found[1].message));
  EXPECT_EQ(found[0].scope.name(), "scope");
  EXPECT_EQ(found[0].scope.version(), "1");
}

TEST_F(CRecords, SayAllThatASpanCanSay) {
  const SpanContext context =
      *parse_traceparent("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", "vendor=1");
  const SpanId parent{{1, 2, 3, 4, 5, 6, 7, 8}};
  shmring_span_context c_context{};
  ASSERT_EQ(shmring_parse_traceparent(shmring_str("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"),
                                      &c_context.trace),
            SHMRING_OK);
  c_context.trace_state = shmring_str("vendor=1");
  c_context.origin = SHMRING_ORIGIN_REMOTE;
  const shmring_attribute attribute = shmring_attr("k", shmring_int_value(1));
  const shmring_event event{shmring_str("event"), 11, {&attribute, 1}, 1, 0};
  const shmring_link link{c_context, {&attribute, 1}, 2, 0};
  shmring_span_record c_record{};
  c_record.size = sizeof(c_record);
  c_record.context = c_context;
  std::copy(parent.bytes.begin(), parent.bytes.end(), c_record.parent_span_id);
  c_record.parent_origin = SHMRING_ORIGIN_LOCAL;
  c_record.kind = SHMRING_SPAN_CONSUMER;
  c_record.name = shmring_str("name");
  c_record.start_time_unix_nano = 10;
  c_record.end_time_unix_nano = 20;
  c_record.attributes = {&attribute, 1};
  c_record.events = &event;
  c_record.event_count = 1;
  c_record.links = &link;
  c_record.link_count = 1;
  c_record.dropped_attributes_count = 3;
  c_record.dropped_events_count = 4;
  c_record.dropped_links_count = 5;
  c_record.status = SHMRING_STATUS_ERROR;
  c_record.status_message = shmring_str("no such table");
  ASSERT_EQ(shmring_span_emit(c_tracer, &c_record), SHMRING_OK);
  ASSERT_TRUE(ring->tracer("scope", "1")
                  .emit({.context = context,
                         .trace_state = "vendor=1",
                         .parent_span_id = parent,
                         .parent_origin = ContextOrigin::kLocal,
                         .name = "name",
                         .kind = SpanKind::kConsumer,
                         .start_time_unix_nano = 10,
                         .end_time_unix_nano = 20,
                         .attributes = {{"k", 1}},
                         .dropped_attributes_count = 3,
                         .events = std::array<SpanEvent, 1>{{{.name = "event",
                                                              .time_unix_nano = 11,
                                                              .attributes = {{"k", 1}},
                                                              .dropped_attributes_count = 1}}},
                         .dropped_events_count = 4,
                         .links = std::array<SpanLink, 1>{{{.context = context,
                                                            .trace_state = "vendor=1",
                                                            .origin = ContextOrigin::kRemote,
                                                            .attributes = {{"k", 1}},
                                                            .dropped_attributes_count = 2}}},
                         .dropped_links_count = 5,
                         .status = StatusCode::kError,
                         .status_message = "no such table"}));
  const auto found = spans();
  EXPECT_TRUE(same(found[0].message, found[1].message));
}

TEST_F(CRecords, OfASpanUnderWayAreThoseOfCpp) {
  const shmring_attribute attribute = shmring_attr("k", shmring_int_value(1));
  shmring_span_context parent{};
  ASSERT_EQ(shmring_parse_traceparent(shmring_str("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"),
                                      &parent.trace),
            SHMRING_OK);
  parent.origin = SHMRING_ORIGIN_REMOTE;
  shmring_span_options options = SHMRING_SPAN_OPTIONS_INIT;
  options.kind = SHMRING_SPAN_SERVER;
  options.parent = &parent;
  options.attributes = {&attribute, 1};
  options.start_time_unix_nano = 10;
  shmring_span* span = nullptr;
  ASSERT_EQ(shmring_span_start(c_tracer, shmring_str("name"), &options, &span), SHMRING_OK);
  const shmring_event event{shmring_str("event"), 11, {&attribute, 1}, 0, 0};
  EXPECT_EQ(shmring_span_add_event(span, &event), SHMRING_OK);
  EXPECT_EQ(shmring_span_set_status(span, SHMRING_STATUS_OK, {}), SHMRING_OK);
  EXPECT_EQ(shmring_span_end(span, 20), SHMRING_OK);
  const auto context = *parse_traceparent("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01");
  Span cpp = ring->tracer("scope", "1")
                 .start("name", {.kind = SpanKind::kServer,
                                 .parent = &context,
                                 .attributes = {{"k", 1}},
                                 .start_time_unix_nano = 10});
  cpp.add_event("event", {{"k", 1}}, 11);
  cpp.set_status(StatusCode::kOk);
  EXPECT_TRUE(cpp.end(20));
  auto found = spans();
  EXPECT_NE(found[0].message.span_id(), found[1].message.span_id());
  for (auto& each : found) each.message.clear_span_id();
  EXPECT_TRUE(same(found[0].message, found[1].message));
}

}  // namespace
}  // namespace shmring::test
