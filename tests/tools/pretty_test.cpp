// SPDX-License-Identifier: Apache-2.0
// Records in one line, for people.
#include "tools/pretty.hpp"

#include <gtest/gtest.h>

namespace shmring::tools {
namespace {

namespace proto = opentelemetry::proto;

DecodedRecord from_shop() {
  DecodedRecord record;
  auto* name = record.resource.add_attributes();
  name->set_key("service.name");
  name->mutable_value()->set_string_value("shop");
  auto* pid = record.resource.add_attributes();
  pid->set_key("process.pid");
  pid->mutable_value()->set_int_value(4711);
  record.scope.set_name("checkout");
  return record;
}

TEST(PrettyLog, SaysWhenHowGraveWhoWhatAndMore) {
  DecodedRecord record = from_shop();
  auto& log = record.data.emplace<proto::logs::v1::LogRecord>();
  log.set_time_unix_nano(1'700'000'000'123'456'789);
  log.set_severity_number(proto::logs::v1::SEVERITY_NUMBER_WARN);
  log.mutable_body()->set_string_value("low stock");
  auto* item = log.add_attributes();
  item->set_key("item");
  item->mutable_value()->set_string_value("blue paint");
  log.set_trace_id("\x01\x02");
  EXPECT_EQ(
      pretty(record),
      "2023-11-14T22:13:20.123456Z WARN   shop[4711] checkout: low stock  item=\"blue paint\"  trace=0102\n");
}

TEST(PrettyLog, LetsNothingThroughThatMovesTheCursor) {
  DecodedRecord record = from_shop();
  record.scope.set_name("\x1b[2J");
  auto& log = record.data.emplace<proto::logs::v1::LogRecord>();
  log.mutable_body()->set_string_value("a\nb\x1b[1A");
  log.set_event_name("\r");
  auto* attribute = log.add_attributes();
  attribute->set_key("\x07");
  attribute->mutable_value()->set_string_value("\x1b");
  const std::string line = pretty(record);
  EXPECT_EQ(line.find_first_of("\x1b\r\x07"), std::string::npos) << line;
  EXPECT_EQ(line.find('\n'), line.size() - 1);
}

TEST(PrettySpan, SaysHowLongAndWhetherItFailed) {
  DecodedRecord record = from_shop();
  auto& span = record.data.emplace<proto::trace::v1::Span>();
  span.set_name("GET /cart");
  span.set_start_time_unix_nano(1'700'000'000'000'000'000);
  span.set_end_time_unix_nano(1'700'000'000'012'000'000);
  span.mutable_status()->set_code(proto::trace::v1::Status::STATUS_CODE_ERROR);
  span.mutable_status()->set_message("gone");
  EXPECT_EQ(pretty(record),
            "2023-11-14T22:13:20.000000Z SPAN   shop[4711] checkout: GET /cart (12 ms) failed: gone\n");
}

TEST(PrettyMetric, ShowsItsPoints) {
  DecodedRecord record = from_shop();
  auto& metric = record.data.emplace<proto::metrics::v1::Metric>();
  metric.set_name("queue.length");
  metric.set_unit("{item}");
  auto* point = metric.mutable_gauge()->add_data_points();
  point->set_as_int(42);
  EXPECT_EQ(pretty(record),
            "-                           METRIC shop[4711] checkout: queue.length [{item}] gauge 42\n");
}

TEST(PrettyValue, ShowsEveryKind) {
  proto::common::v1::AnyValue value;
  EXPECT_EQ(pretty(value), "null");
  value.set_bool_value(true);
  EXPECT_EQ(pretty(value), "true");
  value.set_double_value(0.5);
  EXPECT_EQ(pretty(value), "0.5");
  value.set_bytes_value("\x01\xff");
  EXPECT_EQ(pretty(value), "0x01ff");
  auto* array = value.mutable_array_value();
  array->add_values()->set_int_value(1);
  array->add_values()->set_string_value("");
  EXPECT_EQ(pretty(value), "[1, \"\"]");
  auto* entry = value.mutable_kvlist_value()->add_values();
  entry->set_key("k");
  entry->mutable_value()->set_int_value(-1);
  EXPECT_EQ(pretty(value), "{k=-1}");
}

}  // namespace
}  // namespace shmring::tools
