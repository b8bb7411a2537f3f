// SPDX-License-Identifier: Apache-2.0
#include "flusher/console_text.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <opentelemetry/proto/collector/metrics/v1/metrics_service.pb.h>
#include <opentelemetry/proto/collector/trace/v1/trace_service.pb.h>

#include "tests/flusher/fakes.hpp"

namespace shmring::flusher {
namespace {

using ::testing::HasSubstr;

TEST(ConsoleText, ShowsALogRecordOnOneLineWithoutControlCharacters) {
  testing::LogsRequest request;
  auto* const resource = request.add_resource_logs();
  resource->mutable_resource()->ParseFromString(testing::resource_payload("checkout"));
  auto* const record = resource->add_scope_logs()->add_log_records();
  record->set_time_unix_nano(1'500'000'000);
  record->set_severity_number(opentelemetry::proto::logs::v1::SEVERITY_NUMBER_WARN2);
  record->mutable_body()->set_string_value("bell \a line\nbreak \x1b[31m");
  auto* const attribute = record->add_attributes();
  attribute->set_key("order\tid");
  attribute->mutable_value()->mutable_array_value()->add_values()->set_int_value(7);
  std::string out;
  ASSERT_TRUE(append_console_text(Signal::kLogs, request.SerializeAsString(), out));
  EXPECT_EQ(
      out,
      "1970-01-01T00:00:01.500000Z  WARN   checkout  bell \\x07 line\\nbreak \\x1b[31m  order\\x09id=[7]\n");
}

TEST(ConsoleText, ShowsASpanWithItsDuration) {
  opentelemetry::proto::collector::trace::v1::ExportTraceServiceRequest request;
  auto* const span = request.add_resource_spans()->add_scope_spans()->add_spans();
  span->set_name("GET /");
  span->set_trace_id(std::string(16, '\x11'));
  span->set_span_id(std::string(8, '\x22'));
  span->set_start_time_unix_nano(1'000'000'000);
  span->set_end_time_unix_nano(1'002'500'000);
  std::string out;
  ASSERT_TRUE(append_console_text(Signal::kTraces, request.SerializeAsString(), out));
  EXPECT_THAT(
      out,
      HasSubstr("GET /  2.500ms  trace_id=11111111111111111111111111111111  span_id=2222222222222222\n"));
}

TEST(ConsoleText, ShowsAMetric) {
  opentelemetry::proto::collector::metrics::v1::ExportMetricsServiceRequest request;
  auto* const metric = request.add_resource_metrics()->add_scope_metrics()->add_metrics();
  metric->set_name("queue.size");
  metric->mutable_gauge()->add_data_points();
  std::string out;
  ASSERT_TRUE(append_console_text(Signal::kMetrics, request.SerializeAsString(), out));
  EXPECT_THAT(out, HasSubstr("queue.size  gauge  points=1"));
}

TEST(ConsoleText, WhatCannotBeReadIsSaid) {
  std::string out;
  EXPECT_FALSE(append_console_text(Signal::kLogs, "\xff\xff", out));
}

}  // namespace
}  // namespace shmring::flusher
