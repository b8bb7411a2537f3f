// SPDX-License-Identifier: Apache-2.0
// OTLP's messages as tables: the one description that drives validator, repair and JSON printer.
//
// A test compares every row with libprotobuf's own descriptors, so a field cannot be missing or wrong here.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "libshmring/otlp/wire.hpp"
#include "shmring/signal.hpp"

namespace shmring::otlp {

enum class MessageType : std::uint8_t {
  // common, resource
  kAnyValue,
  kArrayValue,
  kKeyValueList,
  kKeyValue,
  kInstrumentationScope,
  kEntityRef,
  kResource,
  // logs
  kLogRecord,
  kScopeLogs,
  kResourceLogs,
  kLogsRequest,
  // traces
  kSpan,
  kSpanEvent,
  kSpanLink,
  kSpanStatus,
  kScopeSpans,
  kResourceSpans,
  kTracesRequest,
  // metrics
  kMetric,
  kGauge,
  kSum,
  kHistogram,
  kExponentialHistogram,
  kSummary,
  kNumberDataPoint,
  kHistogramDataPoint,
  kExponentialHistogramDataPoint,
  kBuckets,
  kSummaryDataPoint,
  kValueAtQuantile,
  kExemplar,
  kScopeMetrics,
  kResourceMetrics,
  kMetricsRequest,
};
inline constexpr std::size_t kMessageTypeCount = static_cast<std::size_t>(MessageType::kMetricsRequest) + 1;

// What a field holds; the comment says how OTLP's JSON shows it.
enum class Kind : std::uint8_t {
  kUint32,    // varint; number
  kEnum,      // varint; number
  kBool,      // varint; true or false
  kInt64,     // varint; string
  kUint64,    // varint; string
  kSint32,    // zigzag varint; number
  kFixed32,   // number
  kFixed64,   // string
  kSfixed64,  // string
  kDouble,    // number, or "NaN", "Infinity", "-Infinity"
  kString,    // string
  kTraceId,   // 16 bytes or none; lower-case hex
  kSpanId,    // 8 bytes or none; lower-case hex
  kBytes,     // base64
  kMessage,   // object
};

// How often a field may be there, and whether its default value on the wire says something.
enum class Label : std::uint8_t {
  kSingular,  // the default value is the same as absence
  kOptional,  // presence is told from the default value
  kOneof,     // as kOptional, and one of a group: the last on the wire counts
  kRequired,  // an id that OTLP says must be there and not be all zero
  kRepeated,  // scalars are packed, or not: both are read
};

struct Field {
  std::uint8_t number;
  Kind kind;
  Label label;
  MessageType message;  // of a kMessage field
  std::string_view json_name;
};

inline constexpr std::uint32_t kMaxFieldNumber = 16;  // the highest that any message of OTLP has

// What the validator does with a value of the right wire type.
enum class Check : std::uint8_t {
  kVarint,
  kFixed64,
  kFixed32,
  kText,
  kId,
  kRequiredId,
  kBytes,
  kPacked,
  kMessage
};

inline constexpr WireType kNoWireType{
    0xff};  // of a field that OTLP does not know: no tag on the wire equals it

// The part of a Field that the validator needs, four bytes found by field number.
struct WireRule {
  WireType wire = kNoWireType;  // of the field; of a packed list of scalars: kLength
  Check check = Check::kBytes;
  WireType element = kNoWireType;  // of a kPacked list
  std::uint8_t operand = 0;        // kId, kRequiredId: the length; kMessage: its MessageType
};
static_assert(sizeof(WireRule) == 4);

inline constexpr std::uint8_t kUnknownField = 0xff;

struct MessageSchema {
  std::string_view full_name;                                 // as the .proto files have it
  std::span<const Field> fields;                              // in the order of the .proto files
  std::array<std::uint8_t, kMaxFieldNumber + 1> by_number{};  // index into fields, or kUnknownField
  std::array<WireRule, kMaxFieldNumber + 1> rules{};          // of unknown fields: kNoWireType
  std::uint32_t required = 0;                                 // bit n: field n is kRequired

  bool knows(std::uint32_t number) const noexcept {
    return number <= kMaxFieldNumber && by_number[number] != kUnknownField;
  }

  WireRule rule_of(std::uint32_t number) const noexcept {
    return rules[number <= kMaxFieldNumber ? number : 0];  // 0 is no field's number
  }
};

extern const std::array<MessageSchema, kMessageTypeCount> kSchemas;  // by MessageType

inline const MessageSchema& schema_of(MessageType type) noexcept {
  return kSchemas[static_cast<std::size_t>(type)];
}

// The message that one record of a signal is: LogRecord, Span, Metric.
MessageType record_type(Signal signal) noexcept;

// The request that a signal is exported in.
MessageType request_type(Signal signal) noexcept;

// The wire type of one value of that kind.
constexpr WireType wire_type(Kind kind) noexcept {
  switch (kind) {
    case Kind::kUint32:
    case Kind::kEnum:
    case Kind::kBool:
    case Kind::kInt64:
    case Kind::kUint64:
    case Kind::kSint32:
      return WireType::kVarint;
    case Kind::kFixed32:
      return WireType::kFixed32;
    case Kind::kFixed64:
    case Kind::kSfixed64:
    case Kind::kDouble:
      return WireType::kFixed64;
    case Kind::kString:
    case Kind::kTraceId:
    case Kind::kSpanId:
    case Kind::kBytes:
    case Kind::kMessage:
      break;
  }
  return WireType::kLength;
}

// Nesting, counted so that whatever passes is taken by every parser with the usual limit of 100 messages. The
// request itself counts as the first, as the most timid parsers count it; a record in it is the fourth.
inline constexpr unsigned kMaxMessageDepth = 100;
inline constexpr unsigned kMaxValueDepth =
    32;  // AnyValues in AnyValues; each level of a map costs three messages

// The depth at which a message of that type stands in a request.
unsigned depth_in_request(MessageType type) noexcept;

}  // namespace shmring::otlp
