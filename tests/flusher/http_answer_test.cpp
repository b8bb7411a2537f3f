// SPDX-License-Identifier: Apache-2.0
#include "flusher/http_answer.hpp"

#include <gmock/gmock.h>
#include <google/rpc/status.pb.h>
#include <gtest/gtest.h>
#include <opentelemetry/proto/collector/logs/v1/logs_service.pb.h>
#include <opentelemetry/proto/collector/metrics/v1/metrics_service.pb.h>
#include <opentelemetry/proto/collector/trace/v1/trace_service.pb.h>

namespace shmring::flusher {
namespace {

using ::testing::HasSubstr;
namespace collector = opentelemetry::proto::collector;

constexpr const char* kProtobuf = "application/x-protobuf";

TEST(HttpAnswer, EverySuccessIsAccepted) {
  for (const long status : {200L, 202L, 204L, 299L}) {
    const SendResult result = judge({.status = status}, Signal::kLogs);
    EXPECT_EQ(result.outcome, SendOutcome::kAccepted) << status;
    EXPECT_EQ(result.rejected, 0U);
    EXPECT_EQ(result.reason, "");
  }
}

TEST(HttpAnswer, FourStatusesAreForLater) {
  for (const long status : {429L, 502L, 503L, 504L}) {
    const auto result = judge({.status = status, .retry_after = std::chrono::seconds(3)}, Signal::kLogs);
    EXPECT_EQ(result.outcome, SendOutcome::kRetryable) << status;
    EXPECT_EQ(result.retry_after, std::chrono::seconds(3));
    EXPECT_FALSE(result.may_have_arrived);
  }
}

TEST(HttpAnswer, EverythingElseIsForGood) {
  for (const long status :
       {301L, 302L, 307L, 400L, 401L, 403L, 404L, 405L, 408L, 413L, 415L, 500L, 501L, 505L, 599L}) {
    EXPECT_EQ(judge({.status = status}, Signal::kLogs).outcome, SendOutcome::kRejected) << status;
  }
}

TEST(HttpAnswer, ARefusalSaysWhatItSaysAboutTheRecords) {
  EXPECT_EQ(judge({.status = 400}, Signal::kLogs).refusal, Refusal::kBadData);
  EXPECT_EQ(judge({.status = 413}, Signal::kLogs).refusal, Refusal::kTooLarge);
  for (const long status : {301L, 401L, 403L, 404L, 408L, 500L, 501L})
    EXPECT_EQ(judge({.status = status}, Signal::kLogs).refusal, Refusal::kOther) << status;
}

TEST(HttpAnswer, APartialSuccessIsAcceptedButForWhatItLeavesOut) {
  collector::logs::v1::ExportLogsServiceResponse logs;
  logs.mutable_partial_success()->set_rejected_log_records(3);
  logs.mutable_partial_success()->set_error_message("too old");
  const auto result =
      judge({.status = 200, .content_type = kProtobuf, .body = logs.SerializeAsString()}, Signal::kLogs);
  EXPECT_EQ(result.outcome, SendOutcome::kAccepted);
  EXPECT_EQ(result.rejected, 3U);
  EXPECT_EQ(result.reason, "too old");

  collector::trace::v1::ExportTraceServiceResponse traces;
  traces.mutable_partial_success()->set_rejected_spans(4);
  EXPECT_EQ(
      judge({.status = 200, .content_type = kProtobuf, .body = traces.SerializeAsString()}, Signal::kTraces)
          .rejected,
      4U);

  collector::metrics::v1::ExportMetricsServiceResponse metrics;
  metrics.mutable_partial_success()->set_rejected_data_points(-5);  // no server may, some will
  EXPECT_EQ(
      judge({.status = 200, .content_type = kProtobuf, .body = metrics.SerializeAsString()}, Signal::kMetrics)
          .rejected,
      0U);
}

TEST(HttpAnswer, APartialSuccessInJsonIsReadToo) {
  const auto judged = [](Signal signal, const char* body) {
    return judge({.status = 200, .content_type = "application/json; charset=utf-8", .body = body}, signal);
  };
  const char* const logs = R"({"partialSuccess":{"rejectedLogRecords":"3","errorMessage":"too old"}})";
  EXPECT_EQ(judged(Signal::kLogs, logs).rejected, 3U);
  EXPECT_EQ(judged(Signal::kLogs, logs).reason, "too old");
  EXPECT_EQ(judged(Signal::kTraces, R"({"partialSuccess":{"rejectedSpans":4}})").rejected, 4U);
  EXPECT_EQ(judged(Signal::kMetrics, R"({"partialSuccess":{"rejectedDataPoints":-5}})").rejected, 0U);
  for (const char* full : {"{}", R"({"partialSuccess":{}})", R"({"partialSuccess":null,"unknown":[1]})"}) {
    EXPECT_EQ(judged(Signal::kLogs, full).rejected, 0U) << full;
    EXPECT_EQ(judged(Signal::kLogs, full).reason, "") << full;
  }
}

TEST(HttpAnswer, UnreadableJsonDoesNotMakeASuccessAFailure) {
  for (const char* body :
       {"{", "[]", "3", R"({"partialSuccess":3})", "\xff",
        R"({"partialSuccess":{"rejectedLogRecords":"many"}})", R"({"partialSuccess":{"errorMessage":7}})"}) {
    const auto result =
        judge({.status = 200, .content_type = "application/json", .body = body}, Signal::kLogs);
    EXPECT_EQ(result.outcome, SendOutcome::kAccepted) << body;
    EXPECT_EQ(result.rejected, 0U) << body;
    EXPECT_THAT(result.reason, HasSubstr("no OTLP response")) << body;
  }
}

TEST(HttpAnswer, AnUnreadableBodyDoesNotMakeASuccessAFailure) {
  for (const char* type : {kProtobuf, "text/html", ""}) {
    const auto result = judge({.status = 200, .content_type = type, .body = "<html>\xff"}, Signal::kLogs);
    EXPECT_EQ(result.outcome, SendOutcome::kAccepted) << type;
    EXPECT_THAT(result.reason, HasSubstr("no OTLP response"));
  }
}

TEST(HttpAnswer, TheReasonHoldsTheServersWords) {
  google::rpc::Status status;
  status.set_message("bad id");
  EXPECT_EQ(
      judge({.status = 400, .content_type = kProtobuf, .body = status.SerializeAsString()}, Signal::kLogs)
          .reason,
      "HTTP status 400: bad id");
  EXPECT_EQ(judge({.status = 400, .content_type = "application/json", .body = R"({"message":"bad id"})"},
                  Signal::kLogs)
                .reason,
            "HTTP status 400: bad id");
  EXPECT_EQ(judge({.status = 404, .content_type = "text/plain", .body = "not here"}, Signal::kLogs).reason,
            "HTTP status 404: not here");
  EXPECT_LT(
      judge({.status = 404, .content_type = "text/plain", .body = std::string(60'000, 'x')}, Signal::kLogs)
          .reason.size(),
      400U);
}

}  // namespace
}  // namespace shmring::flusher
