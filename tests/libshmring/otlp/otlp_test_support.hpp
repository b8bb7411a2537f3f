// SPDX-License-Identifier: Apache-2.0
// What the tests of the wire layer share: bytes by hand, random records of any signal, the messages of a signal.
#pragma once

#include <google/protobuf/message.h>

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "libshmring/otlp/schema.hpp"
#include "libshmring/otlp/wire.hpp"
#include "opentelemetry/proto/collector/logs/v1/logs_service.pb.h"
#include "opentelemetry/proto/collector/metrics/v1/metrics_service.pb.h"
#include "opentelemetry/proto/collector/trace/v1/trace_service.pb.h"
#include "shmring/signal.hpp"
#include "tests/support/otlp_generator.hpp"

namespace shmring::otlp::testing {

using shmring::testing::OtlpGenerator;
using LogsRequest = opentelemetry::proto::collector::logs::v1::ExportLogsServiceRequest;
using TracesRequest = opentelemetry::proto::collector::trace::v1::ExportTraceServiceRequest;
using MetricsRequest = opentelemetry::proto::collector::metrics::v1::ExportMetricsServiceRequest;

inline constexpr Signal kSignals[] = {Signal::kLogs, Signal::kTraces, Signal::kMetrics};

inline Bytes as_bytes(std::string_view text) { return std::as_bytes(std::span{text}); }

inline std::string_view as_text(Bytes bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

// A copy on the heap that ends where the bytes end, so that a sanitizer sees every step beyond.
inline std::vector<std::byte> exact_copy(std::string_view text) {
  const Bytes bytes = as_bytes(text);
  return {bytes.begin(), bytes.end()};
}

// A length-delimited field by hand.
inline std::string field(std::uint32_t number, std::string_view content) {
  std::string result;
  append_varint(number << 3 | 2, result);
  append_varint(content.size(), result);
  return result.append(content);
}

// A field of wire type 0 by hand.
inline std::string varint_field(std::uint32_t number, std::uint64_t value) {
  std::string result;
  append_varint(number << 3, result);
  append_varint(value, result);
  return result;
}

inline std::unique_ptr<google::protobuf::Message> empty_request(Signal signal) {
  switch (signal) {
    case Signal::kLogs:
      return std::make_unique<LogsRequest>();
    case Signal::kTraces:
      return std::make_unique<TracesRequest>();
    case Signal::kMetrics:
      break;
  }
  return std::make_unique<MetricsRequest>();
}

inline std::unique_ptr<google::protobuf::Message> empty_record(Signal signal) {
  switch (signal) {
    case Signal::kLogs:
      return std::make_unique<OtlpGenerator::LogRecord>();
    case Signal::kTraces:
      return std::make_unique<OtlpGenerator::Span>();
    case Signal::kMetrics:
      break;
  }
  return std::make_unique<OtlpGenerator::Metric>();
}

// A random record as libprotobuf writes it.
inline std::string random_record(Signal signal, OtlpGenerator& random) {
  switch (signal) {
    case Signal::kLogs:
      return random.log_record().SerializeAsString();
    case Signal::kTraces:
      return random.span().SerializeAsString();
    case Signal::kMetrics:
      break;
  }
  return random.metric().SerializeAsString();
}

// The smallest request around one record.
inline std::string request_of(std::string_view record) { return field(1, field(2, field(2, record))); }

// The ids that make a span a span.
inline std::string span_ids() { return field(1, std::string(16, 't')) + field(2, std::string(8, 's')); }

}  // namespace shmring::otlp::testing
