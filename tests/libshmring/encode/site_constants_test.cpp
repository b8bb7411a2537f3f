// SPDX-License-Identifier: Apache-2.0
// Attributes that all records of a call site have, against the same record told at run time.
#include <gtest/gtest.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "encoded.hpp"
#include "ring_contents.hpp"
#include "shmring/shmring.hpp"
#include "shmring/traceparent.hpp"

namespace shmring::test {
namespace {

constexpr LogSite<Severity::kInfo, "paid", "amount", constant("peer.service", "billing"), "currency",
                  constant("attempt", -3), constant("card.present", false)>
    kPaid;
constexpr LogSite<Severity::kInfo, "", constant("only", "this")> kOnlyConstants;
constexpr LogSite<Severity::kInfo, "x",
                  constant(
                      "a.key.of.100.bytes........................................................"
                      "..........................",
                      "a value whose length, like that of its key value pair, takes two bytes as a varint: "
                      "....................................................."),
                  constant("largest", 9223372036854775807), constant("empty", "")>
    kLong;
constexpr SpanSite<"query", SpanKind::kClient, constant("db.system", "postgresql"), "rows",
                   constant("db.port", 5432U)>
    kQueryOfOrders;

class SiteConstants : public WithRing {
 protected:
  /// The last two records, but for their times.
  testing::AssertionResult last_two_logs_are_the_same() const {
    auto found = logs();
    if (found.size() < 2) return testing::AssertionFailure() << "there are " << found.size() << " records";
    auto& site = found[found.size() - 2].message;
    auto& call = found[found.size() - 1].message;
    for (auto* const message : {&site, &call}) {
      message->clear_time_unix_nano();
      message->clear_observed_time_unix_nano();
    }
    return same(site, call);
  }
  testing::AssertionResult paid_is_the_same(const Logger& log, AttributeValue amount,
                                            AttributeValue currency) const {
    EXPECT_TRUE(log.emit(Severity::kInfo, "before"));  // a thread's first record takes the long way
    EXPECT_TRUE(log.emit(kPaid, amount, currency));
    EXPECT_TRUE(log.emit(Severity::kInfo, "paid",
                         {{"peer.service", "billing"},
                          {"attempt", -3},
                          {"card.present", false},
                          {"amount", amount},
                          {"currency", currency}}));
    return last_two_logs_are_the_same();
  }
  /// The last span's attributes, as text.
  std::string attributes() const {
    const auto found = spans();
    std::string text;
    for (const auto& attribute : found.back().message.attributes())
      text += attribute.key() + '=' + attribute.value().ShortDebugString() + ';';
    return text;
  }
};

TEST_F(SiteConstants, ComeBeforeTheValuesOfTheEmit) {
  const Logger log = open().logger("scope");
  EXPECT_TRUE(paid_is_the_same(log, 4711, "EUR"));
  EXPECT_TRUE(paid_is_the_same(log, 0.5, AttributeValue()));
  EXPECT_TRUE(paid_is_the_same(log, Values{1, "a"}, std::string(300, 'x')));
  EXPECT_TRUE(paid_is_the_same(log, std::string(40'000, 'x'), true));
}

TEST_F(SiteConstants, MayBeAllThereIs) {
  const Logger log = open().logger("scope");
  EXPECT_TRUE(log.emit(kOnlyConstants));
  EXPECT_TRUE(log.emit(kOnlyConstants));
  EXPECT_TRUE(log.emit(Severity::kInfo, AttributeValue(), {{"only", "this"}}));
  EXPECT_TRUE(last_two_logs_are_the_same());
}

TEST_F(SiteConstants, HaveKeysAndTextsOfMoreThanOneByteOfLength) {
  const Logger log = open().logger("scope");
  EXPECT_TRUE(log.emit(Severity::kInfo, "before"));
  EXPECT_TRUE(log.emit(kLong));
  const auto found = logs();
  const auto& attributes = found.back().message.attributes();
  ASSERT_EQ(attributes.size(), 3);
  EXPECT_EQ(attributes[0].key().size(), 100U);
  EXPECT_EQ(attributes[0].value().string_value().size(), 137U);
  EXPECT_EQ(attributes[1].value().int_value(), 9223372036854775807);
  EXPECT_TRUE(attributes[2].value().has_string_value());
}

TEST_F(SiteConstants, AreCutAsOtherValuesAre) {
  set("OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT", "4");
  const Logger log = open().logger("scope");
  EXPECT_TRUE(paid_is_the_same(log, 1, "EUR"));
  EXPECT_EQ(logs().back().message.attributes(0).value().string_value(), "bill");
}

TEST_F(SiteConstants, CountAsOtherAttributesDo) {
  set("OTEL_LOGRECORD_ATTRIBUTE_COUNT_LIMIT", "3");
  const Logger log = open().logger("scope");
  EXPECT_TRUE(paid_is_the_same(log, 1, "EUR"));
  EXPECT_EQ(logs().back().message.attributes_size(), 3);
  EXPECT_EQ(logs().back().message.dropped_attributes_count(), 2U);
}

TEST_F(SiteConstants, AreInASpanHoweverItEnds) {
  const Tracer tracer = open().tracer("scope");
  const std::string constants = "db.system=string_value: \"postgresql\";db.port=int_value: 5432;";
  { const auto dropped = tracer.start(kQueryOfOrders); }  // the long way: the thread has no block yet
  EXPECT_EQ(attributes(), constants);
  EXPECT_TRUE(tracer.start(kQueryOfOrders).end(7));
  EXPECT_EQ(attributes(), constants + "rows=int_value: 7;");
  EXPECT_TRUE(tracer.start(kQueryOfOrders).end_with(StatusCode::kError, "no such table", 8));
  EXPECT_EQ(attributes(), constants + "rows=int_value: 8;");
  { const auto dropped = tracer.start(kQueryOfOrders); }
  EXPECT_EQ(attributes(), constants);
  MeasuredSpan span{.start = {100}, .end_time_unix_nano = 250};
  span.context = *parse_traceparent("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01");
  EXPECT_TRUE(tracer.emit(kQueryOfOrders, span, 9));
  EXPECT_EQ(attributes(), constants + "rows=int_value: 9;");
  EXPECT_TRUE(tracer.emit(kQueryOfOrders, span, Values{1}));
  EXPECT_EQ(attributes(), constants + "rows=array_value { values { int_value: 1 } };");
}

}  // namespace
}  // namespace shmring::test
