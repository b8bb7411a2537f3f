// SPDX-License-Identifier: Apache-2.0
// The known cases, one by one; validate_random_test.cpp has the others.
#include "libshmring/otlp/validate.hpp"

#include <gtest/gtest.h>

#include "libshmring/otlp/request.hpp"
#include "tests/libshmring/otlp/otlp_test_support.hpp"

namespace shmring::otlp {
namespace {

using testing::as_bytes;
using testing::as_text;
using testing::exact_copy;
using testing::field;
using testing::request_of;
using testing::span_ids;
using testing::varint_field;
using namespace std::string_literals;

Reason reason_of(Signal signal, const std::string& payload) {
  return inspect(record_type(signal), exact_copy(payload)).reason;
}

Reason log_reason(const std::string& payload) { return reason_of(Signal::kLogs, payload); }

bool parses(Signal signal, const std::string& record) {
  return testing::empty_request(signal)->ParseFromString(request_of(record));
}

TEST(Validate, HandsBackAValidPayloadAsItIs) {
  const auto payload = exact_copy(field(3, "INFO"));
  std::vector<std::byte> repaired;
  const Verdict verdict = validate(Signal::kLogs, payload, repaired);
  EXPECT_EQ(verdict.outcome, Outcome::kValid);
  EXPECT_EQ(verdict.payload.data(), payload.data());
  EXPECT_EQ(repaired.capacity(), 0U);
}

TEST(Validate, TakesAnEmptyLogRecordAndAnEmptyMetricButNoEmptySpan) {
  EXPECT_EQ(reason_of(Signal::kLogs, ""), Reason::kNone);
  EXPECT_EQ(reason_of(Signal::kMetrics, ""), Reason::kNone);
  EXPECT_EQ(reason_of(Signal::kTraces, ""), Reason::kMissingId);
}

TEST(Validate, SaysWhatIsWrongAndWhere) {
  const auto payload = exact_copy(field(3, "INFO") + field(5, field(1, "body") + "\x0b"));
  std::vector<std::byte> repaired;
  const Verdict verdict = validate(Signal::kLogs, payload, repaired);
  EXPECT_EQ(verdict.outcome, Outcome::kInvalid);
  EXPECT_EQ(verdict.reason, Reason::kGroup);
  EXPECT_EQ(verdict.offset, payload.size() - 1);
  EXPECT_TRUE(verdict.payload.empty());
}

TEST(Validate, RefusesGroupsAndReservedWireTypes) {
  EXPECT_EQ(log_reason("\xa3\x06\xa4\x06"),
            Reason::kGroup);  // an empty, well-formed group as unknown field 100
  EXPECT_EQ(log_reason("\xa4\x06"), Reason::kGroup);
  EXPECT_EQ(log_reason("\xa6\x06"), Reason::kGroup);
  EXPECT_EQ(log_reason("\x1b\x1c"), Reason::kGroup);  // a group where severity_text belongs
}

TEST(Validate, RefusesAKnownFieldInAForeignWireType) {
  EXPECT_EQ(log_reason(varint_field(3, 1)), Reason::kWireType);
  EXPECT_EQ(log_reason(field(1, "12345678")), Reason::kWireType);
  EXPECT_EQ(log_reason(field(5, varint_field(1, 1))), Reason::kWireType);
}

TEST(Validate, KeepsUnknownFieldsButWalksThem) {
  EXPECT_EQ(log_reason(varint_field(100, 1) + field(1000, "\xff any bytes")), Reason::kNone);
  EXPECT_EQ(log_reason(field(4, "reserved")), Reason::kNone);
  EXPECT_EQ(log_reason("\xa2\x06\x05"
                       "1234"),
            Reason::kTruncated);
  EXPECT_EQ(log_reason("\x02\x00"s), Reason::kFieldNumber);
}

TEST(Validate, RefusesEveryTruncationInsideAField) {
  testing::OtlpGenerator random{7};
  const std::string record = random.log_record().SerializeAsString() + field(12, "event");
  for (std::size_t size = record.size() - 6; size < record.size(); ++size) {
    EXPECT_EQ(log_reason(record.substr(0, size)), Reason::kTruncated) << size;
  }
}

TEST(Validate, WantsIdsOfTheirLengthOrNone) {
  for (const std::size_t size : {1U, 8U, 15U, 17U}) {
    EXPECT_EQ(log_reason(field(9, std::string(size, 't'))), Reason::kIdLength) << size;
  }
  for (const std::size_t size : {1U, 7U, 9U, 16U}) {
    EXPECT_EQ(log_reason(field(10, std::string(size, 's'))), Reason::kIdLength) << size;
    EXPECT_EQ(reason_of(Signal::kTraces, span_ids() + field(4, std::string(size, 'p'))), Reason::kIdLength)
        << size;
    EXPECT_EQ(reason_of(Signal::kTraces, span_ids() + field(13, field(2, std::string(size, 'l')))),
              Reason::kIdLength);
  }
  EXPECT_EQ(log_reason(field(9, "") + field(10, "")), Reason::kNone);
  EXPECT_EQ(log_reason(field(9, std::string(16, '\0')) + field(10, std::string(8, '\0'))), Reason::kNone);
}

TEST(Validate, WantsASpanToHaveBothIdsAndNeitherZero) {
  const std::string trace_id = field(1, std::string(16, 't'));
  const std::string span_id = field(2, std::string(8, 's'));
  EXPECT_EQ(reason_of(Signal::kTraces, trace_id + span_id), Reason::kNone);
  EXPECT_EQ(reason_of(Signal::kTraces, trace_id), Reason::kMissingId);
  EXPECT_EQ(reason_of(Signal::kTraces, span_id), Reason::kMissingId);
  EXPECT_EQ(reason_of(Signal::kTraces, trace_id + field(2, std::string(8, '\0'))), Reason::kZeroId);
  EXPECT_EQ(reason_of(Signal::kTraces, field(1, std::string(16, '\0')) + span_id), Reason::kZeroId);
  EXPECT_EQ(reason_of(Signal::kTraces, field(1, "") + span_id), Reason::kZeroId);
  EXPECT_EQ(reason_of(Signal::kTraces, field(1, std::string(15, 't')) + span_id), Reason::kIdLength);
  EXPECT_EQ(reason_of(Signal::kTraces, trace_id + span_id + field(2, "")), Reason::kZeroId);
}

TEST(Validate, ChecksPackedListsToTheLastElement) {
  const auto histogram = [](const std::string& point) { return field(9, field(1, point)); };
  const auto buckets = [](const std::string& list) { return field(10, field(1, field(8, list))); };
  const auto reason = [](const std::string& payload) { return reason_of(Signal::kMetrics, payload); };
  EXPECT_EQ(reason(histogram(field(6, std::string(16, 'c')))), Reason::kNone);
  EXPECT_EQ(reason(histogram(field(6, std::string(12, 'c')))), Reason::kPackedLength);
  EXPECT_EQ(reason(histogram("\x31"
                             "12345678")),
            Reason::kNone);  // one by one is allowed, too
  EXPECT_EQ(reason(histogram("\x35"
                             "1234")),
            Reason::kWireType);
  EXPECT_EQ(reason(buckets(field(2, "\x01\xff\x01"))), Reason::kNone);
  EXPECT_EQ(reason(buckets(field(2, "\x01\xff"))), Reason::kPackedLength);
  EXPECT_EQ(reason(buckets(field(2, std::string(11, '\xff')))), Reason::kVarint);
}

// An attribute value nested that deep: level 1 is the AnyValue of the attribute itself.
std::string nested_arrays(unsigned levels) {
  std::string value = field(1, "innermost");
  for (unsigned level = 1; level < levels; ++level) value = field(5, field(1, value));
  return value;
}

std::string nested_maps(unsigned levels) {
  std::string value = field(1, "innermost");
  for (unsigned level = 1; level < levels; ++level)
    value = field(6, field(1, field(1, "k") + field(2, value)));
  return value;
}

std::string log_attribute(const std::string& value) { return field(6, field(1, "key") + field(2, value)); }

TEST(Validate, TakesThirtyTwoLevelsOfValuesAndNoMore) {
  for (const auto& nested : {nested_arrays, nested_maps}) {
    EXPECT_EQ(log_reason(log_attribute(nested(32))), Reason::kNone);
    EXPECT_TRUE(parses(Signal::kLogs, log_attribute(nested(32))));
    EXPECT_EQ(log_reason(log_attribute(nested(33))), Reason::kTooDeep);
    EXPECT_EQ(log_reason(field(5, nested(32))), Reason::kNone);
    EXPECT_EQ(log_reason(field(5, nested(33))), Reason::kTooDeep);
  }
}

TEST(Validate, RefusesTheSmallRecordThatNoParserTakes) {
  const std::string record = log_attribute(nested_arrays(49));
  EXPECT_LT(record.size(), 300U);
  EXPECT_FALSE(parses(Signal::kLogs, record));
  EXPECT_EQ(log_reason(record), Reason::kTooDeep);
}

TEST(Validate, CountsEveryMessageSoThatAnExemplarInAMetricIsNotNestedTooDeep) {
  const auto exemplar = [](const std::string& value) {
    return field(5, field(1, field(5, field(7, field(1, "key") + field(2, value)))));
  };
  EXPECT_FALSE(parses(Signal::kMetrics, exemplar(nested_maps(32))));
  EXPECT_EQ(reason_of(Signal::kMetrics, exemplar(nested_maps(32))), Reason::kTooDeep);
  for (unsigned levels = 1; levels < 32; ++levels) {
    if (reason_of(Signal::kMetrics, exemplar(nested_maps(levels))) != Reason::kNone) continue;
    EXPECT_TRUE(parses(Signal::kMetrics, exemplar(nested_maps(levels)))) << levels;
  }
  EXPECT_EQ(reason_of(Signal::kMetrics, exemplar(nested_maps(30))), Reason::kNone);
}

TEST(Validate, IsNotOverrunByAMillionLevels) {
  std::string backwards;  // a length stands before what it counts, so the innermost comes first
  for (int level = 0; level < 1'000'000; ++level) {
    std::string head = "\x2a";  // array_value in AnyValue; its field 1 alternates with it
    if (level % 2 == 0) head = "\x0a";
    append_varint(backwards.size(), head);
    backwards.append(head.rbegin(), head.rend());
  }
  const std::string value{backwards.rbegin(), backwards.rend()};
  EXPECT_EQ(log_reason(field(5, value)), Reason::kTooDeep);
}

TEST(Validate, TakesNulInStrings) { EXPECT_EQ(log_reason(field(3, "a\0b"s)), Reason::kNone); }

TEST(Validate, TakesAStringOfTenMebibytes) {
  const std::string record = field(5, field(1, std::string(10 << 20, 'x')));
  EXPECT_EQ(log_reason(record), Reason::kNone);
  EXPECT_TRUE(parses(Signal::kLogs, record));
}

TEST(Validate, ChecksResourcesScopesAndWholeRequests) {
  const std::string bad_attribute = field(1, field(1, "key") + varint_field(2, 0));
  EXPECT_EQ(inspect(MessageType::kResource, as_bytes(bad_attribute)).reason, Reason::kWireType);
  EXPECT_EQ(inspect(MessageType::kInstrumentationScope, as_bytes(varint_field(1, 0))).reason,
            Reason::kWireType);
  EXPECT_EQ(inspect(MessageType::kTracesRequest, as_bytes(request_of(span_ids()))).reason, Reason::kNone);
  EXPECT_EQ(inspect(MessageType::kTracesRequest, as_bytes(request_of(""))).reason, Reason::kMissingId);
}

TEST(Reason, HasWordsForEveryValue) {
  for (std::size_t i = 0; i < kReasonCount; ++i) EXPECT_STRNE(to_string(static_cast<Reason>(i)), "unknown");
}

}  // namespace
}  // namespace shmring::otlp
