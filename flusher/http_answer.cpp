// SPDX-License-Identifier: Apache-2.0
// What a server's answer says about the batch.

#include "flusher/http_answer.hpp"

#include <fmt/format.h>
#include <google/rpc/status.pb.h>
#include <opentelemetry/proto/collector/logs/v1/logs_service.pb.h>
#include <opentelemetry/proto/collector/metrics/v1/metrics_service.pb.h>
#include <opentelemetry/proto/collector/trace/v1/trace_service.pb.h>

#include <algorithm>

namespace shmring::flusher {
namespace {

namespace collector = opentelemetry::proto::collector;

constexpr std::size_t kMaxReason = 300;  // characters of the server's words that go into the log

bool is_protobuf(const HttpAnswer& answer) {
  return answer.content_type.starts_with("application/x-protobuf");
}

struct Partial {
  std::int64_t rejected = 0;
  std::string message;
};

std::optional<Partial> read_partial(const HttpAnswer& answer, Signal signal) {
  if (answer.body.empty()) return Partial{};
  if (!is_protobuf(answer)) return std::nullopt;
  switch (signal) {
    case Signal::kLogs: {
      collector::logs::v1::ExportLogsServiceResponse response;
      if (!response.ParseFromString(answer.body)) return std::nullopt;
      return Partial{response.partial_success().rejected_log_records(),
                     response.partial_success().error_message()};
    }
    case Signal::kTraces: {
      collector::trace::v1::ExportTraceServiceResponse response;
      if (!response.ParseFromString(answer.body)) return std::nullopt;
      return Partial{response.partial_success().rejected_spans(), response.partial_success().error_message()};
    }
    case Signal::kMetrics: {
      collector::metrics::v1::ExportMetricsServiceResponse response;
      if (!response.ParseFromString(answer.body)) return std::nullopt;
      return Partial{response.partial_success().rejected_data_points(),
                     response.partial_success().error_message()};
    }
  }
  return std::nullopt;
}

std::string reason_of(const HttpAnswer& answer) {
  std::string words = answer.body;
  if (is_protobuf(answer)) {
    google::rpc::Status status;
    words = status.ParseFromString(answer.body) ? status.message() : "";
  }
  return fmt::format("HTTP status {}{}{}", answer.status, words.empty() ? "" : ": ",
                     words.substr(0, kMaxReason));
}

SendResult judge_success(const HttpAnswer& answer, Signal signal) {
  const auto partial = read_partial(answer, signal);
  if (!partial)
    return {.reason = fmt::format("HTTP status {} with a body that is no OTLP response", answer.status)};
  return {.rejected = static_cast<std::uint64_t>(std::max<std::int64_t>(partial->rejected, 0)),
          .reason = partial->message.substr(0, kMaxReason)};
}

}  // namespace

SendResult judge(const HttpAnswer& answer, Signal signal) {
  if (answer.status >= 200 && answer.status <= 299) return judge_success(answer, signal);
  const bool is_retryable =
      answer.status == 429 || answer.status == 502 || answer.status == 503 || answer.status == 504;
  return {.outcome = is_retryable ? SendOutcome::kRetryable : SendOutcome::kRejected,
          .reason = reason_of(answer),
          .retry_after = is_retryable ? answer.retry_after : std::nullopt};
}

}  // namespace shmring::flusher
