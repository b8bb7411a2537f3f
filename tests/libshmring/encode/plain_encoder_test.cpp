// SPDX-License-Identifier: Apache-2.0
// The one pass writes what the two passes write, or nothing at all; and never behind its end.
#include "shmring/plain_encoder.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "encoded.hpp"
#include "random_records.hpp"

namespace shmring::test {
namespace {

constexpr std::size_t kEnough = 1U << 16U;

/// What write_plain_log() makes of it within this room; nullopt: it has to take the long way.
std::optional<std::string> plain(const LogRecord& record, const AttributeLimits& limits,
                                 std::size_t room = kEnough) {
  constexpr std::byte kCanary{0xA5};
  std::vector<std::byte> memory(room + 64, kCanary);
  const auto behind = memory.begin() + static_cast<std::ptrdiff_t>(room);
  const std::byte* const end = wire::write_plain_log(memory.data(), memory.data() + room, record, limits);
  EXPECT_TRUE(std::all_of(behind, memory.end(), [](std::byte byte) { return byte == kCanary; }))
      << "written behind a room of " << room;
  if (end == nullptr) return std::nullopt;
  const auto size = static_cast<std::size_t>(end - memory.data());
  EXPECT_LE(size, room);
  return std::string(reinterpret_cast<const char*>(memory.data()), size);
}

testing::AssertionResult is_written(const LogRecord& record, const AttributeLimits& limits = {}) {
  const LogRecord complete = record;
  const auto bytes = plain(complete, limits);
  if (!bytes) return testing::AssertionFailure() << "takes the long way";
  if (*bytes != encoded(complete, limits)) return testing::AssertionFailure() << "other bytes than encode()";
  return testing::AssertionSuccess();
}

testing::AssertionResult takes_the_long_way(const LogRecord& record, const AttributeLimits& limits = {}) {
  if (plain(record, limits)) return testing::AssertionFailure() << "was written";
  return testing::AssertionSuccess();
}

bool is_scalar(const otlp::common::v1::AnyValue& value) {
  return !value.has_array_value() && !value.has_kvlist_value();
}

bool is_plain(const otlp::logs::v1::LogRecord& message) {
  return is_scalar(message.body()) &&
         std::all_of(message.attributes().begin(), message.attributes().end(),
                     [](const auto& attribute) { return is_scalar(attribute.value()); });
}

/// The keys k0, k1, ...
struct Numbered {
  explicit Numbered(std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) keys.push_back("k" + std::to_string(i));
    for (const std::string& key : keys) list.push_back({key, static_cast<int>(list.size())});
  }
  std::vector<std::string> keys;
  std::vector<Attribute> list;
};

TEST(PlainEncoder, WritesGeneratedRecordsAsTheTwoPassesDoAndLeavesThemTheNestedOnes) {
  RandomRecords random(20261121);
  int written = 0;
  constexpr int kRecords = 4000;
  for (int i = 0; i < kRecords; ++i) {
    const auto message = random.log();
    Views views;
    const LogRecord record = views.of(message);
    const auto bytes = plain(record, {});
    ASSERT_EQ(bytes.has_value(), is_plain(message)) << "record " << i << ": " << message.DebugString();
    if (!bytes) continue;
    ASSERT_EQ(*bytes, encoded(record, AttributeLimits{})) << "record " << i << ": " << message.DebugString();
    ++written;
  }
  EXPECT_GT(written, kRecords / 8);
  EXPECT_LT(written, kRecords * 7 / 8);
}

TEST(PlainEncoder, WritesTextsOnBothSidesOfEachLength) {
  for (const std::size_t size :
       {0U,   1U,   2U,   3U,   4U,   64U,  65U,    104U,   105U,   106U,   123U,
        124U, 125U, 126U, 127U, 128U, 129U, 16381U, 16382U, 16383U, 16384U, 16385U}) {
    const std::string text(size, 'x');
    EXPECT_TRUE(is_written({.body = text})) << size;
    EXPECT_TRUE(is_written({.attributes = {{"k", text}}})) << size;
    EXPECT_TRUE(is_written({.body = text, .attributes = {{"k", text}, {"l", text}}})) << size;
    if (size == 0) continue;
    EXPECT_TRUE(is_written({.attributes = {{text, 1}}})) << size;
  }
}

TEST(PlainEncoder, WritesKeysAndValuesThatAreShortAndLongTogether) {
  for (const std::size_t together : {104U, 105U, 106U, 107U, 125U, 126U, 127U, 128U}) {
    for (const std::size_t key_size : {1U, 2U, 50U, 100U, 103U, 104U}) {
      const std::string key(key_size, 'k');
      const std::string text(together - key_size, 'x');
      EXPECT_TRUE(is_written({.attributes = {{key, text}}})) << key_size << " of " << together;
      EXPECT_TRUE(is_written({.attributes = {{key, std::as_bytes(std::span(text))}}}))
          << key_size << " of " << together;
    }
  }
  for (const std::size_t key_size : {100U, 104U, 105U, 106U, 107U, 113U, 114U, 120U, 127U, 128U}) {
    const std::string key(key_size, 'k');
    for (const AttributeValue value : {AttributeValue(-1), AttributeValue(0.5), AttributeValue(true),
                                       AttributeValue(), AttributeValue(std::numeric_limits<int>::max())})
      EXPECT_TRUE(is_written({.attributes = {{key, value}}})) << key_size;
  }
}

TEST(PlainEncoder, WritesIntegersOfEveryLength) {
  for (unsigned bit = 0; bit < 63; ++bit) {
    const auto power = static_cast<std::int64_t>(std::uint64_t{1} << bit);
    for (const std::int64_t number : {power - 1, power, power + 1, -power, -power - 1}) {
      EXPECT_TRUE(is_written({.body = number, .attributes = {{"k", number}, {"l", number}}})) << number;
    }
  }
  EXPECT_TRUE(is_written({.attributes = {{"k", std::numeric_limits<std::int64_t>::max()}}}));
  EXPECT_TRUE(is_written({.attributes = {{"k", std::numeric_limits<std::int64_t>::min()}}}));
}

TEST(PlainEncoder, WritesEveryOtherScalar) {
  const std::byte bytes[] = {std::byte{0}, std::byte{0xFF}};
  for (const AttributeValue value :
       {AttributeValue(true), AttributeValue(false), AttributeValue(0.0), AttributeValue(-0.0),
        AttributeValue(std::nan("7")), AttributeValue(std::numeric_limits<double>::infinity()),
        AttributeValue(""), AttributeValue(std::span<const std::byte>(bytes)),
        AttributeValue(std::span<const std::byte>())}) {
    EXPECT_TRUE(is_written({.body = value, .attributes = {{"k", value}, {"l", value}}}))
        << static_cast<int>(value.kind());
  }
  EXPECT_TRUE(is_written({.attributes = {{"k", AttributeValue()}}}));
  EXPECT_TRUE(is_written({.attributes = {{"k", static_cast<const char*>(nullptr)}}}));
}

TEST(PlainEncoder, LeavesOutWhatARecordDoesNotSay) {
  EXPECT_TRUE(is_written({}));
  EXPECT_TRUE(is_written({.severity = Severity::kInfo}));
  EXPECT_TRUE(is_written({.body = "b"}));
  EXPECT_TRUE(is_written({.attributes = {{"k", 1}}}));
}

TEST(PlainEncoder, TakesSeveritiesThatTheModelDoesNotHave) {
  for (const int severity : {0, 1, 24, 25, 127, 128, 200, 255}) {
    EXPECT_TRUE(is_written({.severity = static_cast<Severity>(severity), .body = "b"})) << severity;
  }
}

TEST(PlainEncoder, WritesEachPartOfATraceContext) {
  TraceId trace_id;
  trace_id.bytes[15] = 1;
  SpanId span_id;
  span_id.bytes[0] = 0x80;
  for (const TraceId& trace : {TraceId{}, trace_id}) {
    for (const SpanId& span : {SpanId{}, span_id}) {
      for (const int flags : {0, 1, 255}) {
        EXPECT_TRUE(is_written({.body = "b",
                                .attributes = {{"k", 1}},
                                .trace = {trace, span, static_cast<std::uint8_t>(flags)}}));
      }
    }
  }
}

TEST(PlainEncoder, LeavesRepeatedAndMissingKeysToTheLongWay) {
  EXPECT_TRUE(takes_the_long_way({.attributes = {{"a", 1}, {"a", 2}}}));
  EXPECT_TRUE(takes_the_long_way({.attributes = {{"a", 1}, {"b", 2}, {"c", 3}, {"a", 4}}}));
  EXPECT_TRUE(takes_the_long_way({.attributes = {{"", 1}}}));
  EXPECT_TRUE(takes_the_long_way({.attributes = {{"a", 1}, {"", 2}}}));
  const std::string long_key(300, 'k');
  EXPECT_TRUE(takes_the_long_way({.attributes = {{long_key, 1}, {"b", 2}, {long_key, 3}}}));
}

TEST(PlainEncoder, TellsKeysApartThatLookAlike) {
  EXPECT_TRUE(is_written({.attributes = {{"abc", 1}, {"axc", 2}, {"ayc", 3}}}));  // first, last and length
  std::vector<std::string> keys;
  for (char first = 'a'; first <= 'h'; ++first) {
    for (char last = 'a'; last <= 'h'; ++last)
      keys.push_back({first, '-', last});  // two share a bit at times
  }
  std::vector<Attribute> list;
  for (const std::string& key : keys) list.push_back({key, 1});
  ASSERT_EQ(list.size(), wire::kPlainAttributes);
  EXPECT_TRUE(is_written({.attributes = list}));
  for (std::size_t i = 0; i + 1 < list.size(); ++i) {
    list.back().key = keys[i];
    EXPECT_TRUE(takes_the_long_way({.attributes = list})) << keys[i];
  }
}

TEST(PlainEncoder, TakesSixtyFourAttributesAndNoMore) {
  const Numbered most(wire::kPlainAttributes);
  const Numbered more(wire::kPlainAttributes + 1);
  EXPECT_TRUE(is_written({.attributes = most.list}));
  EXPECT_TRUE(takes_the_long_way({.attributes = more.list}));
}

TEST(PlainEncoder, LeavesToTheLongWayWhatALimitDrops) {
  const Numbered three(3);
  EXPECT_TRUE(is_written({.attributes = three.list}, {.count = 3}));
  EXPECT_TRUE(takes_the_long_way({.attributes = three.list}, {.count = 2}));
  EXPECT_TRUE(takes_the_long_way({.attributes = three.list}, {.count = 0}));
  EXPECT_TRUE(is_written({.body = "b"}, {.count = 0}));
}

TEST(PlainEncoder, LeavesToTheLongWayWhatALimitCuts) {
  EXPECT_TRUE(is_written({.body = "never cut", .attributes = {{"k", "abc"}}}, {.value_length = 3}));
  EXPECT_TRUE(takes_the_long_way({.attributes = {{"k", "abcd"}}}, {.value_length = 3}));
  const std::byte bytes[4] = {};
  EXPECT_TRUE(takes_the_long_way({.attributes = {{"k", bytes}}}, {.value_length = 3}));
  EXPECT_TRUE(is_written({.attributes = {{"k", bytes}}}, {.value_length = 4}));
  const std::string long_text(300, 'x');
  EXPECT_TRUE(takes_the_long_way({.attributes = {{"k", long_text}}}, {.value_length = 299}));
  EXPECT_TRUE(is_written({.attributes = {{"k", long_text}}}, {.value_length = 300}));
  EXPECT_TRUE(is_written({.attributes = {{"k", ""}, {"l", 1}, {"m", 0.5}}}, {.value_length = 0}));
}

TEST(PlainEncoder, LeavesValuesInsideOfValuesToTheLongWay) {
  const std::vector<std::int64_t> numbers{1, 2};
  const std::vector<std::string> texts{"a"};
  const std::vector<int> none;
  EXPECT_TRUE(takes_the_long_way({.attributes = {{"k", numbers}}}));
  EXPECT_TRUE(takes_the_long_way({.attributes = {{"a", 1}, {"k", texts}}}));
  EXPECT_TRUE(takes_the_long_way({.attributes = {{"k", none}}}));
  EXPECT_TRUE(takes_the_long_way({.attributes = {{"k", Values{1, "a"}}}}));
  EXPECT_TRUE(takes_the_long_way({.attributes = {{"k", Attributes{{"a", 1}}}}}));
  EXPECT_TRUE(takes_the_long_way({.attributes = {{"k", ~std::uint64_t{0}}}}));
  EXPECT_TRUE(takes_the_long_way({.body = numbers}));
  EXPECT_TRUE(takes_the_long_way({.body = Attributes{{"a", 1}}}));
  EXPECT_TRUE(takes_the_long_way({.body = ~std::uint64_t{0}}));
}

/// Within every room: the whole record or nothing, and from some room on always the record.
void expect_no_room_to_be_left(const LogRecord& record) {
  const std::string whole = encoded(record, AttributeLimits{});
  const std::size_t least = wire::plain_log_least(record);
  const std::size_t enough = std::max(least, whole.size() + wire::kPlainOverhead + wire::kTraceBytes + 64);
  bool fits = false;
  for (std::size_t room = least; room <= enough + 20; ++room) {
    const auto bytes = plain(record, {}, room);
    if (bytes) {
      ASSERT_EQ(*bytes, whole) << room;
    } else {
      ASSERT_FALSE(fits) << "fits into less than " << room << " bytes, but not into these";
      ASSERT_LT(room, enough) << whole.size();
    }
    fits = bytes.has_value();
  }
}

TEST(PlainEncoder, NeverWritesBehindItsEnd) {
  const TraceContext trace{{{1}}, {{2}}, 1};
  const std::string long_text(200, 'x');
  const auto expect_bounded = [&](const LogRecord& given) {
    LogRecord record = given;
    expect_no_room_to_be_left(record);
    record.trace = trace;
    expect_no_room_to_be_left(record);
  };
  expect_bounded({});
  expect_bounded({.severity = static_cast<Severity>(255), .body = -1});
  expect_bounded({.severity = Severity::kInfo, .body = "b", .attributes = {{"k", -1}}});
  expect_bounded({.body = -1, .attributes = {{"k", 1}, {"l", -1}, {"m", 0.5}, {"n", true}}});
  expect_bounded({.body = long_text, .attributes = {{"k", long_text}, {long_text, "x"}, {"m", -1}}});
  expect_bounded({.attributes = {{"k", "x"}, {"l", ""}, {"m", AttributeValue()}, {"n", long_text}}});
  const Numbered most(wire::kPlainAttributes);
  expect_bounded({.body = "b", .attributes = most.list});
}

TEST(PlainEncoder, NeverWritesBehindTheEndOfAnyRoomForGeneratedRecords) {
  RandomRecords random(7);
  for (int left = 60; left > 0;) {
    const auto message = random.log();
    if (!is_plain(message)) continue;
    Views views;
    ASSERT_NO_FATAL_FAILURE(expect_no_room_to_be_left(views.of(message))) << message.DebugString();
    --left;
  }
}

/// Asks both writers, and looks which bytes the quick one touched.
void expect_varint(std::uint64_t value) {
  std::byte expected[10];
  wire::ByteSink sink(expected);
  sink.varint(value);
  const auto size = static_cast<std::size_t>(sink.position() - expected);
  for (const std::byte canary : {std::byte{0x00}, std::byte{0xFF}}) {
    std::vector<std::byte> memory(32, canary);
    const std::byte* const end = wire::write_varint(memory.data(), value);
    ASSERT_EQ(static_cast<std::size_t>(end - memory.data()), size) << value;
    ASSERT_TRUE(std::equal(expected, expected + size, memory.begin())) << value;
    ASSERT_TRUE(std::all_of(memory.begin() + 10, memory.end(), [&](std::byte b) { return b == canary; }))
        << value;
  }
}

TEST(WriteVarint, WritesEveryBitWidthAsTheSinkDoesWithinTenBytes) {
  std::mt19937_64 random(11);
  expect_varint(0);
  for (unsigned width = 1; width <= 64; ++width) {
    const std::uint64_t largest = ~std::uint64_t{0} >> (64 - width);
    const std::uint64_t smallest = std::uint64_t{1} << (width - 1);
    for (const std::uint64_t value : {smallest, smallest + 1, largest - 1, largest}) expect_varint(value);
    for (int i = 0; i < 200; ++i) expect_varint(smallest | (random() & largest));
  }
}

}  // namespace
}  // namespace shmring::test
