// SPDX-License-Identifier: Apache-2.0
// A call site that is encoded ahead says the same as the ordinary call.
#include "shmring/log_site.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <set>
#include <string>
#include <vector>

#include "encoded.hpp"
#include "ring_contents.hpp"

namespace shmring::test {
namespace {

constexpr LogSite<Severity::kInfo, "order placed", "order.id", "customer"> kOrderPlaced;
constexpr LogSite<Severity::kWarn, "three", "a", "b", "c"> kThree;
constexpr LogSite<Severity::kError, "no keys"> kNoKeys;

// A body and keys whose lengths take two bytes, or just not.
constexpr LogSite<
    static_cast<Severity>(200),
    "125 bytes: ....................................................................................."
    ".............................",
    "key">
    kLongestShortBody;
constexpr LogSite<
    Severity::kFatal4,
    "126 bytes: ....................................................................................."
    "..............................",
    "key">
    kShortestLongBody;
constexpr LogSite<
    Severity::kDebug,
    "200 bytes: ....................................................................................."
    "......................................................................................................."
    ".",
    "a.key.of.100.bytes..................................................................................",
    "k">
    kLongest;
constexpr LogSite<Severity::kUnspecified, "", "key"> kNothingButAKey;
constexpr LogSite<Severity::kUnspecified, ""> kNothing;

TraceContext some_trace() {
  return *parse_traceparent("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01");
}

class LogSiteOnARing : public WithRing {
 protected:
  /// The last two records, which say the same but for their times.
  testing::AssertionResult last_two_are_the_same() const {
    auto found = logs();
    if (found.size() < 2) return testing::AssertionFailure() << "there are " << found.size() << " records";
    auto& site = found[found.size() - 2].message;
    auto& call = found[found.size() - 1].message;
    if (site.time_unix_nano() == 0 || site.time_unix_nano() != site.observed_time_unix_nano() ||
        site.time_unix_nano() > call.time_unix_nano())
      return testing::AssertionFailure() << "times:\n" << site.DebugString() << call.DebugString();
    for (auto* const message : {&site, &call}) {
      message->clear_time_unix_nano();
      message->clear_observed_time_unix_nano();
    }
    return same(site, call);
  }

  /// Emits by the site, then by the ordinary call.
  template <Severity Level, FixedText Body, SiteKey... Keys, typename... Given>
  testing::AssertionResult says_the_same(const Logger& log, const LogSite<Level, Body, Keys...>& site,
                                         const TraceContext& trace, const Given&... values) const {
    const AttributeValue body = Body.size() == 0 ? AttributeValue() : AttributeValue(Body.view());
    // A thread's first record takes the long way, whatever it is.
    if (!log.emit(Severity::kFatal, "before")) return testing::AssertionFailure() << "nothing is committed";
    if (!log.emit(site, trace, values...)) return testing::AssertionFailure() << "the site was dropped";
    if (!log.emit(Level, body, {{Keys.view(), values}...}, trace))
      return testing::AssertionFailure() << "the call was dropped";
    return last_two_are_the_same();
  }
};

TEST_F(LogSiteOnARing, EmitsWhatItsCommentShows) {
  const Logger log = open().logger("checkout", "1.4.0");
  const std::string name = "Ada";
  EXPECT_TRUE(log.emit(kOrderPlaced, some_trace(), 4711, name));  // the long way: the thread has no block yet
  EXPECT_TRUE(log.emit(kOrderPlaced, some_trace(), 4711, name));
  EXPECT_TRUE(last_two_are_the_same());
  const auto found = logs();
  ASSERT_EQ(found.size(), 2U);
  const auto& record = found[1].message;
  EXPECT_EQ(static_cast<int>(record.severity_number()), 9);
  EXPECT_EQ(record.body().string_value(), "order placed");
  ASSERT_EQ(record.attributes_size(), 2);
  EXPECT_EQ(record.attributes(0).key(), "order.id");
  EXPECT_EQ(record.attributes(0).value().int_value(), 4711);
  EXPECT_EQ(record.attributes(1).key(), "customer");
  EXPECT_EQ(record.attributes(1).value().string_value(), "Ada");
  EXPECT_EQ(record.trace_id(), bytes_of(some_trace().trace_id));
  EXPECT_EQ(found[0].scope.name(), "checkout");
}

TEST_F(LogSiteOnARing, SaysTheSameAsTheOrdinaryCall) {
  const Logger log = open().logger("scope");
  EXPECT_TRUE(says_the_same(log, kOrderPlaced, some_trace(), 4711, "Ada"));
  EXPECT_TRUE(says_the_same(log, kOrderPlaced, {}, -1, ""));
  EXPECT_TRUE(says_the_same(log, kThree, some_trace(), true, 0.5, std::numeric_limits<std::int64_t>::min()));
  EXPECT_TRUE(
      says_the_same(log, kThree, {}, std::nan(""), AttributeValue(), static_cast<const char*>(nullptr)));
  const std::vector<std::byte> bytes(3, std::byte{0xFE});
  EXPECT_TRUE(says_the_same(log, kThree, {}, bytes, std::string_view("view"), 'x' == 120));
  EXPECT_TRUE(says_the_same(log, kLongestShortBody, some_trace(), 1));
  EXPECT_TRUE(says_the_same(log, kShortestLongBody, some_trace(), 1));
  EXPECT_TRUE(says_the_same(log, kLongest, some_trace(), "x", -1));
  EXPECT_TRUE(says_the_same(log, kNothingButAKey, some_trace(), 1));
}

TEST_F(LogSiteOnARing, NeedsNoKeys) {
  const Logger log = open().logger("scope");
  EXPECT_TRUE(says_the_same(log, kNoKeys, some_trace()));
  EXPECT_TRUE(says_the_same(log, kNoKeys, {}));
  EXPECT_TRUE(says_the_same(log, kNothing, {}));
  EXPECT_TRUE(log.emit(kNoKeys));
  EXPECT_EQ(logs().back().message.attributes_size(), 0);
}

TEST_F(LogSiteOnARing, NeedsNoTrace) {
  const Logger log = open().logger("scope");
  EXPECT_TRUE(log.emit(kOrderPlaced, 4711, "Ada"));
  const auto record = logs().back().message;
  EXPECT_EQ(record.trace_id(), "");
  EXPECT_EQ(record.span_id(), "");
  EXPECT_EQ(record.flags(), 0U);
  EXPECT_EQ(record.attributes_size(), 2);
}

TEST_F(LogSiteOnARing, SaysAsMuchOfATraceAsThereIs) {
  const Logger log = open().logger("scope");
  EXPECT_TRUE(says_the_same(log, kOrderPlaced, {.trace_id = some_trace().trace_id}, 1, "x"));
  EXPECT_TRUE(says_the_same(log, kOrderPlaced, {.span_id = some_trace().span_id}, 1, "x"));
  EXPECT_TRUE(says_the_same(log, kOrderPlaced, {.flags = 255}, 1, "x"));
}

TEST_F(LogSiteOnARing, TakesTextsOfAnyLength) {
  const Logger log = open().logger("scope");
  for (const std::size_t size :
       {0U, 1U, 96U, 97U, 98U, 104U, 105U, 106U, 125U, 126U, 127U, 128U, 300U, 5000U, 17000U, 40000U}) {
    const std::string text(size, 'x');
    EXPECT_TRUE(says_the_same(log, kOrderPlaced, some_trace(), size, text)) << size;
    EXPECT_TRUE(says_the_same(log, kLongest, some_trace(), text, size)) << size;
  }
}

TEST_F(LogSiteOnARing, TakesValuesInsideOfValues) {
  const Logger log = open().logger("scope");
  const std::vector<int> numbers{1, 2, 3};
  EXPECT_TRUE(says_the_same(log, kOrderPlaced, some_trace(), numbers, "x"));
  EXPECT_TRUE(says_the_same(log, kOrderPlaced, {}, 1, std::vector<std::string>{"a", ""}));
  EXPECT_TRUE(says_the_same(log, kThree, {}, "before", Values{1, "two", 3.0}, "behind"));
  EXPECT_TRUE(says_the_same(log, kThree, {}, 1, 2, Attributes{{"id", 7}, {"list", Values{}}}));
  EXPECT_TRUE(says_the_same(log, kThree, {}, ~std::uint64_t{0}, 2, 3));
}

TEST_F(LogSiteOnARing, IsRefusedWhereItIsLargerThanTheRingTakes) {
  const Ring ring = open();
  const Logger log = ring.logger("scope");
  EXPECT_FALSE(log.emit(kOrderPlaced, 1, std::string(ring.max_payload() + 1, 'x')));
  EXPECT_TRUE(says_the_same(log, kOrderPlaced, some_trace(), 1, "still alive"));
}

TEST_F(LogSiteOnARing, DropsAttributesPastTheCountLimitAsTheOrdinaryCallDoes) {
  set("OTEL_LOGRECORD_ATTRIBUTE_COUNT_LIMIT", "2");
  const Logger log = open().logger("scope");
  EXPECT_TRUE(says_the_same(log, kThree, some_trace(), 1, 2, 3));
  EXPECT_EQ(logs().back().message.attributes_size(), 2);
  EXPECT_EQ(logs().back().message.dropped_attributes_count(), 1U);
  EXPECT_TRUE(says_the_same(log, kOrderPlaced, some_trace(), 1, "x"));
  EXPECT_EQ(logs().back().message.dropped_attributes_count(), 0U);
}

TEST_F(LogSiteOnARing, DropsAllAttributesWhereTheCountLimitIsZero) {
  set("OTEL_LOGRECORD_ATTRIBUTE_COUNT_LIMIT", "0");
  const Logger log = open().logger("scope");
  EXPECT_TRUE(says_the_same(log, kThree, {}, 1, 2, 3));
  EXPECT_EQ(logs().back().message.dropped_attributes_count(), 3U);
  EXPECT_TRUE(says_the_same(log, kNoKeys, {}));
}

TEST_F(LogSiteOnARing, CutsValuesAsTheOrdinaryCallDoes) {
  set("OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT", "3");
  const Logger log = open().logger("scope");
  EXPECT_TRUE(says_the_same(log, kOrderPlaced, some_trace(), 1, "abcd"));
  EXPECT_EQ(logs().back().message.attributes(1).value().string_value(), "abc");
  EXPECT_EQ(logs().back().message.body().string_value(), "order placed");
  EXPECT_TRUE(says_the_same(log, kThree, {}, "\u00e4\u00f6\u00fc\u00df", "abc", Values{"abcd"}));
  EXPECT_TRUE(says_the_same(log, kLongest, {}, std::string(300, 'x'), 1));
  const std::vector<std::byte> bytes(9, std::byte{1});
  EXPECT_TRUE(says_the_same(log, kOrderPlaced, {}, bytes, bytes));
}

TEST_F(LogSiteOnARing, HeedsTheMinimumSeverity) {
  const Ring ring = open();
  const Logger log = ring.logger("scope");
  ring.set_min_severity(static_cast<std::uint32_t>(Severity::kWarn));
  EXPECT_FALSE(log.emit(kOrderPlaced, 1, "refused"));
  EXPECT_TRUE(log.emit(kThree, 1, 2, 3));
  EXPECT_TRUE(log.emit(kNothingButAKey, 1)) << "who does not know how grave it is, is not filtered";
  EXPECT_EQ(logs().size(), 2U);
}

TEST_F(LogSiteOnARing, EmitsNothingWhenTheSdkIsDisabled) {
  set("OTEL_SDK_DISABLED", "true");
  const Logger log = open().logger("scope");
  EXPECT_FALSE(log.emit(kOrderPlaced, some_trace(), 4711, "Ada"));
  EXPECT_FALSE(log.emit(kNothing));
  EXPECT_TRUE(logs().empty());
}

TEST_F(LogSiteOnARing, FillsBlocksToTheirEndsAndLosesNothing) {
  const Ring ring = open();
  const Logger log = ring.logger("scope");
  constexpr int kRecords = 2500;
  for (int i = 0; i < kRecords; ++i) {
    const std::string text(static_cast<std::size_t>(i * 37 % 211), 'x');
    ASSERT_TRUE(i % 3 == 0   ? log.emit(kLongest, some_trace(), text, i)
                : i % 3 == 1 ? log.emit(kOrderPlaced, i, text)
                             : log.emit(Severity::kInfo, "by call", {{"text", text}, {"i", i}}));
  }
  const auto found = logs();
  ASSERT_EQ(found.size(), static_cast<std::size_t>(kRecords));
  std::size_t bytes = 0;
  for (int i = 0; i < kRecords; ++i) {
    const auto& record = found[static_cast<std::size_t>(i)].message;
    bytes += record.ByteSizeLong();
    ASSERT_EQ(record.attributes_size(), 2) << i;
    const int text_at = i % 3 == 1 ? 1 : 0;
    ASSERT_EQ(record.attributes(1 - text_at).value().int_value(), i);
    ASSERT_EQ(record.attributes(text_at).value().string_value(),
              std::string(static_cast<std::size_t>(i * 37 % 211), 'x'));
  }
  EXPECT_GT(bytes, std::size_t{10} * ring.block_bytes()) << "so that some ended at a block's very end";
}

TEST_F(LogSiteOnARing, GoesOnInAForkedChild) {
  const Logger log = open().logger("scope");
  EXPECT_TRUE(log.emit(kOrderPlaced, 1, "parent"));
  EXPECT_TRUE(in_child([&] { return log.emit(kOrderPlaced, 2, "child"); }));
  EXPECT_TRUE(log.emit(kOrderPlaced, 3, "parent"));
  std::multiset<std::string> names;
  for (const auto& each : logs()) names.insert(each.message.attributes(1).value().string_value());
  EXPECT_EQ(names, (std::multiset<std::string>{"child", "parent", "parent"}));
}

}  // namespace
}  // namespace shmring::test
