// SPDX-License-Identifier: Apache-2.0
// Records for people. The one place in the pipeline that builds message objects: nobody reads fast.

#include "flusher/console_text.hpp"

#include <fmt/format.h>
#include <opentelemetry/proto/collector/logs/v1/logs_service.pb.h>
#include <opentelemetry/proto/collector/metrics/v1/metrics_service.pb.h>
#include <opentelemetry/proto/collector/trace/v1/trace_service.pb.h>

#include <ctime>

#include "flusher/log.hpp"

namespace shmring::flusher {
namespace {

namespace proto = opentelemetry::proto;

std::string time_text(std::uint64_t unix_ns) {
  const auto seconds = static_cast<std::time_t>(unix_ns / 1'000'000'000);
  tm utc{};
  gmtime_r(&seconds, &utc);
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:06}Z", utc.tm_year + 1900, utc.tm_mon + 1,
                     utc.tm_mday, utc.tm_hour, utc.tm_min, utc.tm_sec, unix_ns / 1000 % 1'000'000);
}

std::string hex(std::string_view bytes) {
  std::string out;
  for (const char c : bytes) out += fmt::format("{:02x}", static_cast<unsigned char>(c));
  return out;
}

std::string value_text(const proto::common::v1::AnyValue& value) {
  using Value = proto::common::v1::AnyValue;
  switch (value.value_case()) {
    case Value::kStringValue:
      return escaped(value.string_value());
    case Value::kBoolValue:
      return value.bool_value() ? "true" : "false";
    case Value::kIntValue:
      return fmt::format("{}", value.int_value());
    case Value::kDoubleValue:
      return fmt::format("{}", value.double_value());
    case Value::kBytesValue:
      return "0x" + hex(value.bytes_value());
    case Value::kArrayValue: {
      std::string out;
      for (const auto& item : value.array_value().values())
        out += (out.empty() ? "" : ", ") + value_text(item);
      return '[' + out + ']';
    }
    case Value::kKvlistValue: {
      std::string out;
      for (const auto& item : value.kvlist_value().values()) {
        out += (out.empty() ? "" : ", ") + escaped(item.key()) + '=' + value_text(item.value());
      }
      return '{' + out + '}';
    }
    default:
      return "";
  }
}

template <typename Attributes>
std::string attributes_text(const Attributes& attributes) {
  std::string out;
  for (const auto& attribute : attributes) {
    out += fmt::format("  {}={}", escaped(attribute.key()), value_text(attribute.value()));
  }
  return out;
}

std::string service_of(const proto::resource::v1::Resource& resource) {
  for (const auto& attribute : resource.attributes()) {
    if (attribute.key() == "service.name") return value_text(attribute.value());
  }
  return "-";
}

std::string severity_text(const proto::logs::v1::LogRecord& record) {
  if (!record.severity_text().empty()) return escaped(record.severity_text());
  static constexpr const char* kNames[] = {"TRACE", "DEBUG", "INFO", "WARN", "ERROR", "FATAL"};
  const int number = record.severity_number();
  return number >= 1 && number <= 24 ? kNames[(number - 1) / 4] : "-";
}

void append_log(const std::string& service, const proto::logs::v1::LogRecord& record, std::string& out) {
  const std::uint64_t time =
      record.time_unix_nano() != 0 ? record.time_unix_nano() : record.observed_time_unix_nano();
  out += fmt::format("{}  {:<5}  {}  {}{}", time_text(time), severity_text(record), service,
                     value_text(record.body()), attributes_text(record.attributes()));
  if (!record.trace_id().empty()) out += "  trace_id=" + hex(record.trace_id());
  if (!record.span_id().empty()) out += "  span_id=" + hex(record.span_id());
  out += '\n';
}

void append_span(const std::string& service, const proto::trace::v1::Span& span, std::string& out) {
  const std::uint64_t end = std::max(span.end_time_unix_nano(), span.start_time_unix_nano());
  out += fmt::format("{}  SPAN   {}  {}  {:.3f}ms{}  trace_id={}  span_id={}",
                     time_text(span.start_time_unix_nano()), service, escaped(span.name()),
                     static_cast<double>(end - span.start_time_unix_nano()) / 1e6,
                     attributes_text(span.attributes()), hex(span.trace_id()), hex(span.span_id()));
  if (!span.parent_span_id().empty()) out += "  parent_span_id=" + hex(span.parent_span_id());
  if (span.status().code() == proto::trace::v1::Status::STATUS_CODE_ERROR) {
    out += "  error=" + escaped(span.status().message());
  }
  out += '\n';
}

void append_metric(const std::string& service, const proto::metrics::v1::Metric& metric, std::string& out) {
  const auto points = [&](const char* kind, int count) {
    out += fmt::format("METRIC  {}  {}  {}  points={}  unit={}\n", service, escaped(metric.name()), kind,
                       count, escaped(metric.unit()));
  };
  if (metric.has_gauge()) return points("gauge", metric.gauge().data_points_size());
  if (metric.has_sum()) return points("sum", metric.sum().data_points_size());
  if (metric.has_histogram()) return points("histogram", metric.histogram().data_points_size());
  if (metric.has_exponential_histogram()) {
    return points("exponential_histogram", metric.exponential_histogram().data_points_size());
  }
  points(metric.has_summary() ? "summary" : "-", metric.summary().data_points_size());
}

}  // namespace

bool append_console_text(Signal signal, std::string_view request, std::string& out) {
  const int size = static_cast<int>(request.size());
  switch (signal) {
    case Signal::kLogs: {
      proto::collector::logs::v1::ExportLogsServiceRequest logs;
      if (!logs.ParseFromArray(request.data(), size)) return false;
      for (const auto& resource : logs.resource_logs()) {
        const std::string service = service_of(resource.resource());
        for (const auto& scope : resource.scope_logs()) {
          for (const auto& record : scope.log_records()) append_log(service, record, out);
        }
      }
      return true;
    }
    case Signal::kTraces: {
      proto::collector::trace::v1::ExportTraceServiceRequest traces;
      if (!traces.ParseFromArray(request.data(), size)) return false;
      for (const auto& resource : traces.resource_spans()) {
        const std::string service = service_of(resource.resource());
        for (const auto& scope : resource.scope_spans()) {
          for (const auto& span : scope.spans()) append_span(service, span, out);
        }
      }
      return true;
    }
    case Signal::kMetrics: {
      proto::collector::metrics::v1::ExportMetricsServiceRequest metrics;
      if (!metrics.ParseFromArray(request.data(), size)) return false;
      for (const auto& resource : metrics.resource_metrics()) {
        const std::string service = service_of(resource.resource());
        for (const auto& scope : resource.scope_metrics()) {
          for (const auto& metric : scope.metrics()) append_metric(service, metric, out);
        }
      }
      return true;
    }
  }
  return false;
}

}  // namespace shmring::flusher
