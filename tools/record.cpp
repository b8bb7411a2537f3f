// SPDX-License-Identifier: Apache-2.0
// A record of the ring, checked and decoded, for verbs that filter and show records.
#include "tools/record.hpp"

#include <algorithm>
#include <limits>

#include "libshmring/otlp/validate.hpp"

namespace shmring::tools {
namespace {

namespace proto = opentelemetry::proto;

template <typename Message>
bool parse(Message& message, std::span<const std::byte> bytes) {
  return bytes.size() <= static_cast<std::size_t>(std::numeric_limits<int>::max()) &&
         message.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()));
}

template <typename Points>
std::uint64_t last_time(const Points& points) {
  std::uint64_t last = 0;
  for (const auto& point : points.data_points()) last = std::max<std::uint64_t>(last, point.time_unix_nano());
  return last;
}

struct TimeOf {
  std::uint64_t operator()(const proto::logs::v1::LogRecord& log) const {
    return log.time_unix_nano() != 0 ? log.time_unix_nano() : log.observed_time_unix_nano();
  }
  std::uint64_t operator()(const proto::trace::v1::Span& span) const { return span.start_time_unix_nano(); }
  std::uint64_t operator()(const proto::metrics::v1::Metric& metric) const {
    switch (metric.data_case()) {
      case proto::metrics::v1::Metric::kGauge:
        return last_time(metric.gauge());
      case proto::metrics::v1::Metric::kSum:
        return last_time(metric.sum());
      case proto::metrics::v1::Metric::kHistogram:
        return last_time(metric.histogram());
      case proto::metrics::v1::Metric::kExponentialHistogram:
        return last_time(metric.exponential_histogram());
      case proto::metrics::v1::Metric::kSummary:
        return last_time(metric.summary());
      case proto::metrics::v1::Metric::DATA_NOT_SET:
        break;
    }
    return 0;
  }
};

const proto::common::v1::AnyValue* attribute(const proto::resource::v1::Resource& resource,
                                             std::string_view key) {
  for (const auto& each : resource.attributes()) {
    if (each.key() == key) return &each.value();
  }
  return nullptr;
}

}  // namespace

std::optional<CheckedRecord> CheckedRecords::next() {
  while (const auto view = walk_.next()) {
    const otlp::Verdict verdict = otlp::validate(signal_, view->payload, payload_buffer_);
    if (view->kind != kind_of(signal_) || verdict.outcome == otlp::Outcome::kInvalid) {
      ++unreadable_;
      continue;
    }
    return CheckedRecord{
        .signal = signal_,
        .payload = verdict.payload,
        .resource = otlp::checked_context(otlp::MessageType::kResource, view->resource, resource_buffer_),
        .scope = otlp::checked_context(otlp::MessageType::kInstrumentationScope, view->scope, scope_buffer_)};
  }
  unreadable_ += walk_.corrupt();
  return std::nullopt;
}

std::uint64_t DecodedRecord::time_unix_nano() const { return std::visit(TimeOf{}, data); }

std::uint32_t DecodedRecord::severity() const {
  const auto* log = std::get_if<proto::logs::v1::LogRecord>(&data);
  return log == nullptr ? 0
                        : static_cast<std::uint32_t>(std::max(0, static_cast<int>(log->severity_number())));
}

std::optional<std::int64_t> DecodedRecord::pid() const {
  const auto* value = attribute(resource, "process.pid");
  if (value == nullptr || !value->has_int_value()) return std::nullopt;
  return value->int_value();
}

std::string DecodedRecord::service_name() const {
  const auto* value = attribute(resource, "service.name");
  return value == nullptr ? std::string() : value->string_value();
}

std::optional<DecodedRecord> decode(const CheckedRecord& record) {
  DecodedRecord decoded;
  if (!parse(decoded.resource, record.resource.message) || !parse(decoded.scope, record.scope.message))
    return std::nullopt;
  bool ok = false;
  switch (record.signal) {
    case Signal::kLogs:
      ok = parse(decoded.data.emplace<proto::logs::v1::LogRecord>(), record.payload);
      break;
    case Signal::kTraces:
      ok = parse(decoded.data.emplace<proto::trace::v1::Span>(), record.payload);
      break;
    case Signal::kMetrics:
      ok = parse(decoded.data.emplace<proto::metrics::v1::Metric>(), record.payload);
      break;
  }
  if (!ok) return std::nullopt;
  return decoded;
}

}  // namespace shmring::tools
