// SPDX-License-Identifier: Apache-2.0
// The tables, one row per field of the .proto files, and the validator's rules made from them at compile time.
#include "libshmring/otlp/schema.hpp"

namespace shmring::otlp {
namespace {

using enum Kind;
using enum Label;

consteval Field scalar(std::uint8_t number, Kind kind, std::string_view json_name, Label label = kSingular) {
  return {number, kind, label, MessageType{}, json_name};
}

consteval Field message(std::uint8_t number, MessageType type, std::string_view json_name,
                        Label label = kOptional) {
  return {number, kMessage, label, type, json_name};
}

constexpr Field kAnyValueFields[] = {
    scalar(1, kString, "stringValue", kOneof),
    scalar(2, kBool, "boolValue", kOneof),
    scalar(3, kInt64, "intValue", kOneof),
    scalar(4, kDouble, "doubleValue", kOneof),
    message(5, MessageType::kArrayValue, "arrayValue", kOneof),
    message(6, MessageType::kKeyValueList, "kvlistValue", kOneof),
    scalar(7, kBytes, "bytesValue", kOneof),
};

constexpr Field kArrayValueFields[] = {message(1, MessageType::kAnyValue, "values", kRepeated)};

constexpr Field kKeyValueListFields[] = {message(1, MessageType::kKeyValue, "values", kRepeated)};

constexpr Field kKeyValueFields[] = {
    scalar(1, kString, "key"),
    message(2, MessageType::kAnyValue, "value"),
};

constexpr Field kInstrumentationScopeFields[] = {
    scalar(1, kString, "name"),
    scalar(2, kString, "version"),
    message(3, MessageType::kKeyValue, "attributes", kRepeated),
    scalar(4, kUint32, "droppedAttributesCount"),
};

constexpr Field kEntityRefFields[] = {
    scalar(1, kString, "schemaUrl"),
    scalar(2, kString, "type"),
    scalar(3, kString, "idKeys", kRepeated),
    scalar(4, kString, "descriptionKeys", kRepeated),
};

constexpr Field kResourceFields[] = {
    message(1, MessageType::kKeyValue, "attributes", kRepeated),
    scalar(2, kUint32, "droppedAttributesCount"),
    message(3, MessageType::kEntityRef, "entityRefs", kRepeated),
};

constexpr Field kLogRecordFields[] = {
    scalar(1, kFixed64, "timeUnixNano"),
    scalar(11, kFixed64, "observedTimeUnixNano"),
    scalar(2, kEnum, "severityNumber"),
    scalar(3, kString, "severityText"),
    message(5, MessageType::kAnyValue, "body"),
    message(6, MessageType::kKeyValue, "attributes", kRepeated),
    scalar(7, kUint32, "droppedAttributesCount"),
    scalar(8, kFixed32, "flags"),
    scalar(9, kTraceId, "traceId"),
    scalar(10, kSpanId, "spanId"),
    scalar(12, kString, "eventName"),
};

constexpr Field kScopeLogsFields[] = {
    message(1, MessageType::kInstrumentationScope, "scope"),
    message(2, MessageType::kLogRecord, "logRecords", kRepeated),
    scalar(3, kString, "schemaUrl"),
};

constexpr Field kResourceLogsFields[] = {
    message(1, MessageType::kResource, "resource"),
    message(2, MessageType::kScopeLogs, "scopeLogs", kRepeated),
    scalar(3, kString, "schemaUrl"),
};

constexpr Field kLogsRequestFields[] = {message(1, MessageType::kResourceLogs, "resourceLogs", kRepeated)};

constexpr Field kSpanFields[] = {
    scalar(1, kTraceId, "traceId", kRequired),
    scalar(2, kSpanId, "spanId", kRequired),
    scalar(3, kString, "traceState"),
    scalar(4, kSpanId, "parentSpanId"),
    scalar(16, kFixed32, "flags"),
    scalar(5, kString, "name"),
    scalar(6, kEnum, "kind"),
    scalar(7, kFixed64, "startTimeUnixNano"),
    scalar(8, kFixed64, "endTimeUnixNano"),
    message(9, MessageType::kKeyValue, "attributes", kRepeated),
    scalar(10, kUint32, "droppedAttributesCount"),
    message(11, MessageType::kSpanEvent, "events", kRepeated),
    scalar(12, kUint32, "droppedEventsCount"),
    message(13, MessageType::kSpanLink, "links", kRepeated),
    scalar(14, kUint32, "droppedLinksCount"),
    message(15, MessageType::kSpanStatus, "status"),
};

constexpr Field kSpanEventFields[] = {
    scalar(1, kFixed64, "timeUnixNano"),
    scalar(2, kString, "name"),
    message(3, MessageType::kKeyValue, "attributes", kRepeated),
    scalar(4, kUint32, "droppedAttributesCount"),
};

constexpr Field kSpanLinkFields[] = {
    scalar(1, kTraceId, "traceId"),
    scalar(2, kSpanId, "spanId"),
    scalar(3, kString, "traceState"),
    message(4, MessageType::kKeyValue, "attributes", kRepeated),
    scalar(5, kUint32, "droppedAttributesCount"),
    scalar(6, kFixed32, "flags"),
};

constexpr Field kSpanStatusFields[] = {
    scalar(2, kString, "message"),
    scalar(3, kEnum, "code"),
};

constexpr Field kScopeSpansFields[] = {
    message(1, MessageType::kInstrumentationScope, "scope"),
    message(2, MessageType::kSpan, "spans", kRepeated),
    scalar(3, kString, "schemaUrl"),
};

constexpr Field kResourceSpansFields[] = {
    message(1, MessageType::kResource, "resource"),
    message(2, MessageType::kScopeSpans, "scopeSpans", kRepeated),
    scalar(3, kString, "schemaUrl"),
};

constexpr Field kTracesRequestFields[] = {
    message(1, MessageType::kResourceSpans, "resourceSpans", kRepeated)};

constexpr Field kMetricFields[] = {
    scalar(1, kString, "name"),
    scalar(2, kString, "description"),
    scalar(3, kString, "unit"),
    message(5, MessageType::kGauge, "gauge", kOneof),
    message(7, MessageType::kSum, "sum", kOneof),
    message(9, MessageType::kHistogram, "histogram", kOneof),
    message(10, MessageType::kExponentialHistogram, "exponentialHistogram", kOneof),
    message(11, MessageType::kSummary, "summary", kOneof),
    message(12, MessageType::kKeyValue, "metadata", kRepeated),
};

constexpr Field kGaugeFields[] = {message(1, MessageType::kNumberDataPoint, "dataPoints", kRepeated)};

constexpr Field kSumFields[] = {
    message(1, MessageType::kNumberDataPoint, "dataPoints", kRepeated),
    scalar(2, kEnum, "aggregationTemporality"),
    scalar(3, kBool, "isMonotonic"),
};

constexpr Field kHistogramFields[] = {
    message(1, MessageType::kHistogramDataPoint, "dataPoints", kRepeated),
    scalar(2, kEnum, "aggregationTemporality"),
};

constexpr Field kExponentialHistogramFields[] = {
    message(1, MessageType::kExponentialHistogramDataPoint, "dataPoints", kRepeated),
    scalar(2, kEnum, "aggregationTemporality"),
};

constexpr Field kSummaryFields[] = {message(1, MessageType::kSummaryDataPoint, "dataPoints", kRepeated)};

constexpr Field kNumberDataPointFields[] = {
    message(7, MessageType::kKeyValue, "attributes", kRepeated),
    scalar(2, kFixed64, "startTimeUnixNano"),
    scalar(3, kFixed64, "timeUnixNano"),
    scalar(4, kDouble, "asDouble", kOneof),
    scalar(6, kSfixed64, "asInt", kOneof),
    message(5, MessageType::kExemplar, "exemplars", kRepeated),
    scalar(8, kUint32, "flags"),
};

constexpr Field kHistogramDataPointFields[] = {
    message(9, MessageType::kKeyValue, "attributes", kRepeated),
    scalar(2, kFixed64, "startTimeUnixNano"),
    scalar(3, kFixed64, "timeUnixNano"),
    scalar(4, kFixed64, "count"),
    scalar(5, kDouble, "sum", kOptional),
    scalar(6, kFixed64, "bucketCounts", kRepeated),
    scalar(7, kDouble, "explicitBounds", kRepeated),
    message(8, MessageType::kExemplar, "exemplars", kRepeated),
    scalar(10, kUint32, "flags"),
    scalar(11, kDouble, "min", kOptional),
    scalar(12, kDouble, "max", kOptional),
};

constexpr Field kExponentialHistogramDataPointFields[] = {
    message(1, MessageType::kKeyValue, "attributes", kRepeated),
    scalar(2, kFixed64, "startTimeUnixNano"),
    scalar(3, kFixed64, "timeUnixNano"),
    scalar(4, kFixed64, "count"),
    scalar(5, kDouble, "sum", kOptional),
    scalar(6, kSint32, "scale"),
    scalar(7, kFixed64, "zeroCount"),
    message(8, MessageType::kBuckets, "positive"),
    message(9, MessageType::kBuckets, "negative"),
    scalar(10, kUint32, "flags"),
    message(11, MessageType::kExemplar, "exemplars", kRepeated),
    scalar(12, kDouble, "min", kOptional),
    scalar(13, kDouble, "max", kOptional),
    scalar(14, kDouble, "zeroThreshold"),
};

constexpr Field kBucketsFields[] = {
    scalar(1, kSint32, "offset"),
    scalar(2, kUint64, "bucketCounts", kRepeated),
};

constexpr Field kSummaryDataPointFields[] = {
    message(7, MessageType::kKeyValue, "attributes", kRepeated),
    scalar(2, kFixed64, "startTimeUnixNano"),
    scalar(3, kFixed64, "timeUnixNano"),
    scalar(4, kFixed64, "count"),
    scalar(5, kDouble, "sum"),
    message(6, MessageType::kValueAtQuantile, "quantileValues", kRepeated),
    scalar(8, kUint32, "flags"),
};

constexpr Field kValueAtQuantileFields[] = {
    scalar(1, kDouble, "quantile"),
    scalar(2, kDouble, "value"),
};

constexpr Field kExemplarFields[] = {
    message(7, MessageType::kKeyValue, "filteredAttributes", kRepeated),
    scalar(2, kFixed64, "timeUnixNano"),
    scalar(3, kDouble, "asDouble", kOneof),
    scalar(6, kSfixed64, "asInt", kOneof),
    scalar(4, kSpanId, "spanId"),
    scalar(5, kTraceId, "traceId"),
};

constexpr Field kScopeMetricsFields[] = {
    message(1, MessageType::kInstrumentationScope, "scope"),
    message(2, MessageType::kMetric, "metrics", kRepeated),
    scalar(3, kString, "schemaUrl"),
};

constexpr Field kResourceMetricsFields[] = {
    message(1, MessageType::kResource, "resource"),
    message(2, MessageType::kScopeMetrics, "scopeMetrics", kRepeated),
    scalar(3, kString, "schemaUrl"),
};

constexpr Field kMetricsRequestFields[] = {
    message(1, MessageType::kResourceMetrics, "resourceMetrics", kRepeated)};

consteval WireRule rule_of(const Field& field) {
  const WireType wire = wire_type(field.kind);
  if (field.label == kRepeated && wire != WireType::kLength) return {WireType::kLength, Check::kPacked, wire};
  const Check id = field.label == kRequired ? Check::kRequiredId : Check::kId;
  switch (field.kind) {
    case kString:
      return {wire, Check::kText, wire};
    case kTraceId:
      return {wire, id, wire, 16};
    case kSpanId:
      return {wire, id, wire, 8};
    case kMessage:
      return {wire, Check::kMessage, wire, static_cast<std::uint8_t>(field.message)};
    default:
      break;
  }
  if (wire == WireType::kVarint) return {wire, Check::kVarint, wire};
  if (wire == WireType::kFixed64) return {wire, Check::kFixed64, wire};
  if (wire == WireType::kFixed32) return {wire, Check::kFixed32, wire};
  return {wire, Check::kBytes, wire};
}

consteval MessageSchema make(std::string_view full_name, std::span<const Field> fields) {
  MessageSchema schema{full_name, fields};
  schema.by_number.fill(kUnknownField);
  for (std::size_t i = 0; i < fields.size(); ++i) {
    schema.by_number[fields[i].number] = static_cast<std::uint8_t>(i);
    schema.rules[fields[i].number] = rule_of(fields[i]);
    if (fields[i].label == kRequired) schema.required |= 1U << fields[i].number;
  }
  return schema;
}

}  // namespace

constinit const std::array<MessageSchema, kMessageTypeCount> kSchemas{
    make("opentelemetry.proto.common.v1.AnyValue", kAnyValueFields),
    make("opentelemetry.proto.common.v1.ArrayValue", kArrayValueFields),
    make("opentelemetry.proto.common.v1.KeyValueList", kKeyValueListFields),
    make("opentelemetry.proto.common.v1.KeyValue", kKeyValueFields),
    make("opentelemetry.proto.common.v1.InstrumentationScope", kInstrumentationScopeFields),
    make("opentelemetry.proto.common.v1.EntityRef", kEntityRefFields),
    make("opentelemetry.proto.resource.v1.Resource", kResourceFields),
    make("opentelemetry.proto.logs.v1.LogRecord", kLogRecordFields),
    make("opentelemetry.proto.logs.v1.ScopeLogs", kScopeLogsFields),
    make("opentelemetry.proto.logs.v1.ResourceLogs", kResourceLogsFields),
    make("opentelemetry.proto.collector.logs.v1.ExportLogsServiceRequest", kLogsRequestFields),
    make("opentelemetry.proto.trace.v1.Span", kSpanFields),
    make("opentelemetry.proto.trace.v1.Span.Event", kSpanEventFields),
    make("opentelemetry.proto.trace.v1.Span.Link", kSpanLinkFields),
    make("opentelemetry.proto.trace.v1.Status", kSpanStatusFields),
    make("opentelemetry.proto.trace.v1.ScopeSpans", kScopeSpansFields),
    make("opentelemetry.proto.trace.v1.ResourceSpans", kResourceSpansFields),
    make("opentelemetry.proto.collector.trace.v1.ExportTraceServiceRequest", kTracesRequestFields),
    make("opentelemetry.proto.metrics.v1.Metric", kMetricFields),
    make("opentelemetry.proto.metrics.v1.Gauge", kGaugeFields),
    make("opentelemetry.proto.metrics.v1.Sum", kSumFields),
    make("opentelemetry.proto.metrics.v1.Histogram", kHistogramFields),
    make("opentelemetry.proto.metrics.v1.ExponentialHistogram", kExponentialHistogramFields),
    make("opentelemetry.proto.metrics.v1.Summary", kSummaryFields),
    make("opentelemetry.proto.metrics.v1.NumberDataPoint", kNumberDataPointFields),
    make("opentelemetry.proto.metrics.v1.HistogramDataPoint", kHistogramDataPointFields),
    make("opentelemetry.proto.metrics.v1.ExponentialHistogramDataPoint",
         kExponentialHistogramDataPointFields),
    make("opentelemetry.proto.metrics.v1.ExponentialHistogramDataPoint.Buckets", kBucketsFields),
    make("opentelemetry.proto.metrics.v1.SummaryDataPoint", kSummaryDataPointFields),
    make("opentelemetry.proto.metrics.v1.SummaryDataPoint.ValueAtQuantile", kValueAtQuantileFields),
    make("opentelemetry.proto.metrics.v1.Exemplar", kExemplarFields),
    make("opentelemetry.proto.metrics.v1.ScopeMetrics", kScopeMetricsFields),
    make("opentelemetry.proto.metrics.v1.ResourceMetrics", kResourceMetricsFields),
    make("opentelemetry.proto.collector.metrics.v1.ExportMetricsServiceRequest", kMetricsRequestFields),
};

MessageType record_type(Signal signal) noexcept {
  constexpr MessageType kTypes[] = {MessageType::kLogRecord, MessageType::kSpan, MessageType::kMetric};
  return kTypes[static_cast<std::size_t>(signal)];
}

MessageType request_type(Signal signal) noexcept {
  constexpr MessageType kTypes[] = {MessageType::kLogsRequest, MessageType::kTracesRequest,
                                    MessageType::kMetricsRequest};
  return kTypes[static_cast<std::size_t>(signal)];
}

unsigned depth_in_request(MessageType type) noexcept {
  switch (type) {
    case MessageType::kLogsRequest:
    case MessageType::kTracesRequest:
    case MessageType::kMetricsRequest:
      return 1;
    case MessageType::kResourceLogs:
    case MessageType::kResourceSpans:
    case MessageType::kResourceMetrics:
      return 2;
    case MessageType::kResource:
    case MessageType::kScopeLogs:
    case MessageType::kScopeSpans:
    case MessageType::kScopeMetrics:
      return 3;
    default:
      return 4;  // a record or a scope; what stands deeper is not asked for by itself
  }
}

}  // namespace shmring::otlp
