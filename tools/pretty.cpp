// SPDX-License-Identifier: Apache-2.0
// A record in one line, for people.
#include "tools/pretty.hpp"

#include <fmt/format.h>

#include <chrono>
#include <ctime>

#include "tools/cli.hpp"
#include "tools/text.hpp"
#include "tools/units.hpp"

namespace shmring::tools {
namespace {

namespace proto = opentelemetry::proto;

std::string hex(const std::string& bytes) {
  std::string out;
  for (const char byte : bytes) out += fmt::format("{:02x}", static_cast<unsigned char>(byte));
  return out;
}

template <typename KeyValues>
std::string pairs(const KeyValues& list, std::string_view between) {
  std::string out;
  for (const auto& each : list) {
    if (!out.empty()) out += between;
    out += in_quotes(each.key()) + "=" + pretty(each.value());
  }
  return out;
}

void add_field(std::string& line, std::string_view name, const std::string& value) {
  if (!value.empty()) line += fmt::format("  {}={}", name, value);
}

template <typename Record>
void add_attributes(std::string& line, const Record& record) {
  if (record.attributes_size() > 0) line += "  " + pairs(record.attributes(), " ");
  if (record.dropped_attributes_count() > 0)
    line += fmt::format("  (+{} dropped)", record.dropped_attributes_count());
}

// What follows the common part of the line, by kind of record.

std::string says(const proto::logs::v1::LogRecord& log) {
  const auto& body = log.body();
  std::string line = body.has_string_value() ? escaped(body.string_value())
                     : log.has_body()        ? pretty(body)
                                             : "";
  if (!log.event_name().empty())
    line = "<" + escaped(log.event_name()) + ">" + (line.empty() ? "" : " ") + line;
  add_attributes(line, log);
  add_field(line, "trace", hex(log.trace_id()));
  add_field(line, "span", hex(log.span_id()));
  return line;
}

std::string says(const proto::trace::v1::Span& span) {
  std::string line = escaped(span.name());
  if (span.end_time_unix_nano() >= span.start_time_unix_nano()) {
    const auto nanoseconds =
        static_cast<std::int64_t>(span.end_time_unix_nano() - span.start_time_unix_nano());
    line += " (" + format_duration(std::chrono::nanoseconds{nanoseconds}) + ")";
  }
  if (span.status().code() == proto::trace::v1::Status::STATUS_CODE_ERROR) {
    line += " failed" + (span.status().message().empty() ? "" : ": " + escaped(span.status().message()));
  }
  add_attributes(line, span);
  if (span.events_size() > 0) line += fmt::format("  events={}", span.events_size());
  if (span.links_size() > 0) line += fmt::format("  links={}", span.links_size());
  add_field(line, "trace", hex(span.trace_id()));
  add_field(line, "span", hex(span.span_id()));
  add_field(line, "parent", hex(span.parent_span_id()));
  return line;
}

std::string number(const proto::metrics::v1::NumberDataPoint& point) {
  return point.has_as_int() ? std::to_string(point.as_int()) : fmt::format("{}", point.as_double());
}

/// The points of a gauge or sum by value, those of the other kinds by count and sum.
template <typename Points>
std::string points(const Points& data) {
  std::string out;
  for (const auto& point : data.data_points()) {
    if constexpr (requires { point.as_int(); }) {
      out += " " + number(point);
    } else {
      out += fmt::format(" count={} sum={}", point.count(), point.sum());
    }
    if (point.attributes_size() > 0) out += "{" + pairs(point.attributes(), ", ") + "}";
  }
  return out;
}

std::string says(const proto::metrics::v1::Metric& metric) {
  std::string line = escaped(metric.name());
  if (!metric.unit().empty()) line += " [" + escaped(metric.unit()) + "]";
  switch (metric.data_case()) {
    case proto::metrics::v1::Metric::kGauge:
      return line + " gauge" + points(metric.gauge());
    case proto::metrics::v1::Metric::kSum:
      return line + " sum" + points(metric.sum());
    case proto::metrics::v1::Metric::kHistogram:
      return line + " histogram" + points(metric.histogram());
    case proto::metrics::v1::Metric::kExponentialHistogram:
      return line + " exponential histogram" + points(metric.exponential_histogram());
    case proto::metrics::v1::Metric::kSummary:
      return line + " summary" + points(metric.summary());
    case proto::metrics::v1::Metric::DATA_NOT_SET:
      break;
  }
  return line + " no data";
}

std::string label(const DecodedRecord& record) {
  if (std::holds_alternative<proto::trace::v1::Span>(record.data)) return "SPAN";
  if (std::holds_alternative<proto::metrics::v1::Metric>(record.data)) return "METRIC";
  const std::string name = severity_name(record.severity());
  return name.empty() ? "-" : name;
}

std::string who(const DecodedRecord& record) {
  std::string out = escaped(record.service_name());
  if (const auto pid = record.pid()) out += fmt::format("[{}]", *pid);
  if (!record.scope.name().empty()) out += (out.empty() ? "" : " ") + escaped(record.scope.name());
  return out.empty() ? "?" : out;
}

}  // namespace

std::string pretty(const proto::common::v1::AnyValue& value) {
  std::string out;
  switch (value.value_case()) {
    case proto::common::v1::AnyValue::kStringValue:
      return in_quotes(value.string_value());
    case proto::common::v1::AnyValue::kBoolValue:
      return value.bool_value() ? "true" : "false";
    case proto::common::v1::AnyValue::kIntValue:
      return std::to_string(value.int_value());
    case proto::common::v1::AnyValue::kDoubleValue:
      return fmt::format("{}", value.double_value());
    case proto::common::v1::AnyValue::kArrayValue:
      for (const auto& each : value.array_value().values()) out += (out.empty() ? "" : ", ") + pretty(each);
      return "[" + out + "]";
    case proto::common::v1::AnyValue::kKvlistValue:
      return "{" + pairs(value.kvlist_value().values(), ", ") + "}";
    case proto::common::v1::AnyValue::kBytesValue:
      return "0x" + hex(value.bytes_value());
    case proto::common::v1::AnyValue::VALUE_NOT_SET:
      break;
  }
  return "null";
}

std::string format_time(std::uint64_t unix_nano) {
  if (unix_nano == 0) return "-";
  const auto seconds = static_cast<std::time_t>(unix_nano / 1'000'000'000);
  std::tm parts{};
  ::gmtime_r(&seconds, &parts);
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:06}Z", parts.tm_year + 1900, parts.tm_mon + 1,
                     parts.tm_mday, parts.tm_hour, parts.tm_min, parts.tm_sec, unix_nano / 1000 % 1'000'000);
}

std::string pretty(const DecodedRecord& record) {
  const std::string what = std::visit([](const auto& data) { return says(data); }, record.data);
  return fmt::format("{:<27} {:<6} {}: {}\n", format_time(record.time_unix_nano()), label(record),
                     who(record), what);
}

}  // namespace shmring::tools
