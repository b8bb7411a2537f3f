// SPDX-License-Identifier: Apache-2.0
#include "libshmring/otlp/json.hpp"

#include <google/protobuf/util/json_util.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "libshmring/otlp/json_text.hpp"
#include "libshmring/otlp/validate.hpp"
#include "tests/libshmring/otlp/otlp_test_support.hpp"

namespace shmring::otlp {
namespace {

using nlohmann::json;
using testing::as_bytes;
using testing::exact_copy;
using testing::field;
using testing::kSignals;
using testing::OtlpGenerator;
using testing::varint_field;
using namespace std::string_literals;

std::string json_of(MessageType type, const std::string& message) {
  std::string out;
  append_json(type, exact_copy(message), out);
  return out;
}

std::string log_json(const std::string& record) { return json_of(MessageType::kLogRecord, record); }

std::string string_json(const std::string& text) {
  std::string out;
  append_json_string(exact_copy(text), out);
  return out;
}

// What libprotobuf prints, except that it writes ids as it writes all bytes.
json protobuf_json(const google::protobuf::Message& message) {
  google::protobuf::util::JsonPrintOptions options;
  options.always_print_enums_as_ints = true;
  std::string text;
  EXPECT_TRUE(google::protobuf::util::MessageToJsonString(message, &text, options).ok());
  return json::parse(text);
}

std::string base64_of_hex(const std::string& hex) {
  std::string bytes;
  for (std::size_t i = 0; i + 1 < hex.size(); i += 2) {
    bytes += static_cast<char>(std::stoi(hex.substr(i, 2), nullptr, 16));
  }
  std::string quoted;
  append_json_base64(as_bytes(bytes), quoted);
  return quoted.substr(1, quoted.size() - 2);
}

void ids_to_base64(json& node) {
  if (node.is_object()) {
    for (const char* id : {"traceId", "spanId", "parentSpanId"}) {
      if (node.contains(id)) node[id] = base64_of_hex(node[id]);
    }
  }
  if (node.is_structured()) {
    for (json& child : node) ids_to_base64(child);
  }
}

void expect_same_json(MessageType type, const std::string& bytes, const google::protobuf::Message& message) {
  json ours = json::parse(json_of(type, bytes));
  ids_to_base64(ours);
  EXPECT_EQ(ours, protobuf_json(message));
}

TEST(Json, FollowsOtlpWhereItDiffersFromProtobuf) {
  OtlpGenerator::LogRecord record;
  record.set_time_unix_nano(1544712660300000000);
  record.set_severity_number(opentelemetry::proto::logs::v1::SEVERITY_NUMBER_INFO2);
  record.set_trace_id("\x5b\x8e\xff\xf7\x98\x03\x81\x03\xd2\x69\xb6\x33\x81\x3f\xc6\x0c");
  record.set_span_id("\xee\xe1\x9b\x7e\xc3\xc1\xb1\x74");
  record.mutable_body()->set_bytes_value("\x01\x02\x03\x04");
  record.set_flags(1);
  record.set_event_name("login");
  EXPECT_EQ(log_json(record.SerializeAsString()),
            R"({"timeUnixNano":"1544712660300000000","severityNumber":10,"body":{"bytesValue":"AQIDBA=="},)"
            R"("flags":1,"traceId":"5b8efff798038103d269b633813fc60c","spanId":"eee19b7ec3c1b174",)"
            R"("eventName":"login"})");
}

TEST(Json, KeepsTheKindOfEveryValue) {
  const auto body_json = [](const std::string& value) { return json_of(MessageType::kAnyValue, value); };
  EXPECT_EQ(body_json(""), "{}");
  EXPECT_EQ(body_json(field(1, "")), R"({"stringValue":""})");
  EXPECT_EQ(body_json(varint_field(2, 0)), R"({"boolValue":false})");
  EXPECT_EQ(body_json(varint_field(3, ~std::uint64_t{0})), R"({"intValue":"-1"})");
  EXPECT_EQ(body_json(field(5, "")), R"({"arrayValue":{}})");
  EXPECT_EQ(body_json(field(5, field(1, "") + field(1, varint_field(3, 1)))),
            R"({"arrayValue":{"values":[{},{"intValue":"1"}]}})");
  EXPECT_EQ(body_json(field(6, field(1, field(1, "k")))), R"({"kvlistValue":{"values":[{"key":"k"}]}})");
}

TEST(Json, EscapesWhatWouldBreakALineOrATerminal) {
  EXPECT_EQ(string_json("a\"b\\c\n\r\t"), R"("a\"b\\c\n\r\t")");
  EXPECT_EQ(string_json("\0\x1b[2J\x7f"s), R"("\u0000\u001b[2J\u007f")");
  EXPECT_EQ(string_json("\u0085\u009b\u2028\u2029"), R"("\u0085\u009b\u2028\u2029")");
  EXPECT_EQ(string_json("\u00a0\u20ac\U0001f980"), "\"\u00a0\u20ac\U0001f980\"");
  EXPECT_EQ(string_json("a\xff\xe2\x82"), "\"a\uFFFD\uFFFD\"");
}

TEST(Json, PadsBase64) {
  const auto base64 = [](const std::string& bytes) {
    std::string out;
    append_json_base64(exact_copy(bytes), out);
    return out;
  };
  EXPECT_EQ(base64(""), R"("")");
  EXPECT_EQ(base64("f"), R"("Zg==")");
  EXPECT_EQ(base64("fo"), R"("Zm8=")");
  EXPECT_EQ(base64("foo"), R"("Zm9v")");
  EXPECT_EQ(base64("\xfb\xff\xff\x00"s), R"("+///AA==")");
}

TEST(Json, WritesDoublesThatReadBack) {
  const auto number = [](double value) {
    std::string out;
    append_json_double(value, out);
    return out;
  };
  EXPECT_EQ(number(0.1), "0.1");
  EXPECT_EQ(number(1), "1");
  EXPECT_EQ(number(-std::numeric_limits<double>::infinity()), R"("-Infinity")");
  EXPECT_EQ(number(std::numeric_limits<double>::infinity()), R"("Infinity")");
  EXPECT_EQ(number(std::numeric_limits<double>::quiet_NaN()), R"("NaN")");
  EXPECT_EQ(json::parse(number(std::numeric_limits<double>::denorm_min())).get<double>(),
            std::numeric_limits<double>::denorm_min());
}

TEST(Json, TakesDuplicateFieldsAsAParserDoes) {
  EXPECT_EQ(log_json(field(3, "first") + field(3, "last")), R"({"severityText":"last"})");
  EXPECT_EQ(log_json(field(3, "first") + field(3, "")), "{}");
  const auto body = [](const std::string& value) { return field(5, value); };
  EXPECT_EQ(log_json(body(field(1, "text")) + body(varint_field(2, 1))), R"({"body":{"boolValue":true}})");
  const std::string one = field(5, field(1, varint_field(3, 1)));
  EXPECT_EQ(log_json(body(one) + body(one)),
            R"({"body":{"arrayValue":{"values":[{"intValue":"1"},{"intValue":"1"}]}}})");
  EXPECT_EQ(log_json(body(one + field(1, "text") + one)),
            R"({"body":{"arrayValue":{"values":[{"intValue":"1"}]}}})");
}

TEST(Json, StopsAtTheFirstByteThatMakesNoSense) {
  EXPECT_EQ(log_json(field(3, "INFO") + "\xff\xff"), R"({"severityText":"INFO"})");
  EXPECT_EQ(log_json(field(5, std::string("\x0a\x7f"))), R"({"body":{}})");
  EXPECT_EQ(log_json(varint_field(3, 7)), "{}");
}

TEST(Json, EndsAtTheNestingLimit) {
  std::string value = field(1, "innermost");
  for (int level = 0; level < 5000; ++level) value = field(5, field(1, value));
  const std::string text = log_json(field(5, value));
  EXPECT_TRUE(json::accept(text));
  EXPECT_EQ(text.find("innermost"), std::string::npos);
}

class JsonOfRandomRecords : public ::testing::TestWithParam<Signal> {};

TEST_P(JsonOfRandomRecords, IsWhatLibprotobufPrints) {
  OtlpGenerator random{11};
  const auto message = testing::empty_record(GetParam());
  for (int i = 0; i < 2000; ++i) {
    const std::string record = testing::random_record(GetParam(), random);
    ASSERT_TRUE(message->ParseFromString(record));
    expect_same_json(record_type(GetParam()), record, *message);
    if (HasFailure()) FAIL() << "record " << i << '\n' << message->DebugString();
  }
}

// Concatenated halves of records bring fields twice, in any order, messages and lists included.
TEST_P(JsonOfRandomRecords, IsWhatLibprotobufPrintsOfTwoRecordsMergedIntoOne) {
  OtlpGenerator random{12};
  const auto message = testing::empty_record(GetParam());
  for (int i = 0; i < 1000; ++i) {
    const std::string record =
        testing::random_record(GetParam(), random) + testing::random_record(GetParam(), random);
    ASSERT_TRUE(message->ParseFromString(record));
    expect_same_json(record_type(GetParam()), record, *message);
    if (HasFailure()) FAIL() << "record " << i << '\n' << message->DebugString();
  }
}

TEST_P(JsonOfRandomRecords, OfAWholeRequestIsWhatLibprotobufPrints) {
  OtlpGenerator random{13};
  const auto message = testing::empty_request(GetParam());
  for (int i = 0; i < 200; ++i) {
    std::string request;
    for (auto resources = random.below(3); resources > 0; --resources) {
      std::string body = field(1, random.resource().SerializeAsString());
      for (auto scopes = random.below(3); scopes > 0; --scopes) {
        std::string scope = field(1, random.scope().SerializeAsString());
        for (auto records = random.below(3); records > 0; --records) {
          scope += field(2, testing::random_record(GetParam(), random));
        }
        body += field(2, scope + field(3, random.text()));
      }
      request += field(1, body);
    }
    ASSERT_TRUE(message->ParseFromString(request));
    expect_same_json(request_type(GetParam()), request, *message);
    if (HasFailure()) FAIL() << "request " << i << '\n' << message->DebugString();
  }
}

INSTANTIATE_TEST_SUITE_P(Json, JsonOfRandomRecords, ::testing::ValuesIn(kSignals),
                         [](const auto& instance) { return std::string{to_string(instance.param)}; });

}  // namespace
}  // namespace shmring::otlp
