// SPDX-License-Identifier: Apache-2.0
// What a server says in the body of its answer.

#include "flusher/otlp_response.hpp"

#include <google/rpc/status.pb.h>
#include <opentelemetry/proto/collector/logs/v1/logs_service.pb.h>
#include <opentelemetry/proto/collector/metrics/v1/metrics_service.pb.h>
#include <opentelemetry/proto/collector/trace/v1/trace_service.pb.h>

#include <algorithm>
#include <charconv>
#include <nlohmann/json.hpp>

namespace shmring::flusher {
namespace {

namespace collector = opentelemetry::proto::collector;
using Json = nlohmann::json;

PartialSuccess partial(std::int64_t rejected, std::string_view message) {
  return {.rejected = static_cast<std::uint64_t>(std::max<std::int64_t>(rejected, 0)),
          .message = std::string(message.substr(0, kMaxReason))};
}

template <typename Response, typename Rejected>
std::optional<PartialSuccess> from_protobuf(std::string_view body, Rejected rejected) {
  Response response;
  if (!response.ParseFromArray(body.data(), static_cast<int>(body.size()))) return std::nullopt;
  return partial(rejected(response.partial_success()), response.partial_success().error_message());
}

std::optional<PartialSuccess> from_protobuf(Signal signal, std::string_view body) {
  switch (signal) {
    case Signal::kLogs:
      return from_protobuf<collector::logs::v1::ExportLogsServiceResponse>(
          body, [](const auto& p) { return p.rejected_log_records(); });
    case Signal::kTraces:
      return from_protobuf<collector::trace::v1::ExportTraceServiceResponse>(
          body, [](const auto& p) { return p.rejected_spans(); });
    case Signal::kMetrics:
      return from_protobuf<collector::metrics::v1::ExportMetricsServiceResponse>(
          body, [](const auto& p) { return p.rejected_data_points(); });
  }
  return std::nullopt;
}

/// Protobuf's JSON writes a 64-bit integer as a string, and readers take a number as well. nullopt: it is neither.
std::optional<std::int64_t> integer(const Json& value) {
  if (value.is_number_integer()) return value.get<std::int64_t>();
  if (!value.is_string()) return std::nullopt;
  const auto& text = value.get_ref<const std::string&>();
  std::int64_t number = 0;
  const auto [rest, status] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (status != std::errc{} || rest != text.data() + text.size()) return std::nullopt;
  return number;
}

/// A field in lowerCamelCase; nullptr where it is missing or null, which mean the same.
const Json* field_of(const Json& object, const char* name) {
  const auto found = object.find(name);
  return found == object.end() || found->is_null() ? nullptr : &*found;
}

std::optional<PartialSuccess> from_json(Signal signal, std::string_view body) {
  constexpr const char* kRejected[kSignalCount] = {"rejectedLogRecords", "rejectedSpans",
                                                   "rejectedDataPoints"};
  const Json response = Json::parse(body, nullptr, false);
  if (!response.is_object()) return std::nullopt;
  const Json* const success = field_of(response, "partialSuccess");
  if (success == nullptr) return PartialSuccess{};
  if (!success->is_object()) return std::nullopt;
  const Json* const rejected = field_of(*success, kRejected[static_cast<std::size_t>(signal)]);
  const Json* const message = field_of(*success, "errorMessage");
  const auto number = rejected == nullptr ? std::optional<std::int64_t>(0) : integer(*rejected);
  if (!number || (message != nullptr && !message->is_string())) return std::nullopt;
  return partial(*number, message == nullptr ? "" : message->get_ref<const std::string&>());
}

}  // namespace

std::optional<PartialSuccess> read_partial_success(Signal signal, Encoding encoding, std::string_view body) {
  if (body.empty()) return PartialSuccess{};
  return encoding == Encoding::kJson ? from_json(signal, body) : from_protobuf(signal, body);
}

std::string read_status_message(Encoding encoding, std::string_view body) {
  if (encoding == Encoding::kJson) {
    const Json status = Json::parse(body, nullptr, false);
    const Json* const message = status.is_object() ? field_of(status, "message") : nullptr;
    return message != nullptr && message->is_string() ? message->get<std::string>() : "";
  }
  google::rpc::Status status;
  return status.ParseFromArray(body.data(), static_cast<int>(body.size())) ? status.message() : "";
}

}  // namespace shmring::flusher
