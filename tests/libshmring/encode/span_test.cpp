// SPDX-License-Identifier: Apache-2.0
#include "shmring/span.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>
#include <string>
#include <utility>

#include "ring_contents.hpp"

namespace shmring::test {
namespace {

class SpanOnARing : public WithRing {};

TEST_F(SpanOnARing, SaysAllThatItWasTold) {
  const Tracer tracer = open().tracer("checkout", "1.4.0");
  const auto remote =
      parse_traceparent("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", "vendor=1");
  const SpanLink links[] = {{.context = *remote, .attributes = {}, .dropped_attributes_count = 2}};
  Span span = tracer.start(
      "order", {.kind = SpanKind::kServer, .parent = &*remote, .attributes = {{"a", 1}}, .links = links});
  EXPECT_TRUE(span.is_recording());
  span.set_attribute("b", "two");
  span.set_attributes({{"a", 3}, {"c", Values{1, 2}}});
  span.add_event("first", {{"e", 1}}, 5);
  span.add_event("second");
  span.add_link(*remote, {{"l", true}});
  span.set_status(StatusCode::kError, "no money");
  span.update_name("order placed");
  EXPECT_TRUE(span.end());
  EXPECT_FALSE(span.is_recording());
  EXPECT_FALSE(span.end()) << "a span ends once";

  const auto found = spans();
  ASSERT_EQ(found.size(), 1U);
  const auto& message = found[0].message;
  EXPECT_EQ(found[0].scope.name(), "checkout");
  EXPECT_EQ(message.trace_id(), bytes_of(remote->trace_id));
  EXPECT_EQ(message.span_id(), bytes_of(span.context().span_id));
  EXPECT_EQ(message.parent_span_id(), bytes_of(remote->span_id));
  EXPECT_EQ(message.trace_state(), "vendor=1");
  EXPECT_EQ(message.flags(), 0x301U);
  EXPECT_EQ(message.name(), "order placed");
  EXPECT_EQ(static_cast<int>(message.kind()), 2);
  EXPECT_GT(message.start_time_unix_nano(), 0U);
  EXPECT_GE(message.end_time_unix_nano(), message.start_time_unix_nano());
  EXPECT_LE(message.end_time_unix_nano(), message.start_time_unix_nano() + 600'000'000'000U);
  ASSERT_EQ(message.attributes_size(), 3);
  EXPECT_EQ(message.attributes(0).value().string_value(), "two");
  EXPECT_EQ(message.attributes(1).key(), "a");
  EXPECT_EQ(message.attributes(1).value().int_value(), 3);
  EXPECT_EQ(message.attributes(2).value().array_value().values_size(), 2);
  ASSERT_EQ(message.events_size(), 2);
  EXPECT_EQ(message.events(0).time_unix_nano(), 5U);
  EXPECT_EQ(message.events(0).attributes(0).key(), "e");
  EXPECT_GE(message.events(1).time_unix_nano(), message.start_time_unix_nano());
  ASSERT_EQ(message.links_size(), 2);
  EXPECT_EQ(message.links(0).dropped_attributes_count(), 2U);
  EXPECT_EQ(message.links(1).trace_state(), "vendor=1");
  EXPECT_EQ(message.links(1).flags(), 0x301U);
  EXPECT_EQ(static_cast<int>(message.status().code()), 2);
  EXPECT_EQ(message.status().message(), "no money");
}

TEST_F(SpanOnARing, WithoutAParentBeginsATrace) {
  const Tracer tracer = open().tracer("scope");
  const SpanContext not_valid;
  const Span one = tracer.start("one");
  const Span two = tracer.start("two", {.parent = &not_valid});
  EXPECT_TRUE(one.context().is_valid());
  EXPECT_TRUE(two.context().is_valid());
  EXPECT_NE(one.context().trace_id, two.context().trace_id);
}

TEST_F(SpanOnARing, EndsWhenItIsDestroyedOrReplaced) {
  const Tracer tracer = open().tracer("scope");
  { const Span span = tracer.start("destroyed"); }
  Span span = tracer.start("replaced");
  span = tracer.start("moved");
  Span moved = std::move(span);
  EXPECT_FALSE(span.is_recording());  // NOLINT(bugprone-use-after-move): that is the question
  EXPECT_TRUE(moved.end());
  const auto found = spans();
  ASSERT_EQ(found.size(), 3U);
  EXPECT_EQ(found[0].message.name(), "destroyed");
  EXPECT_EQ(found[1].message.name(), "replaced");
  EXPECT_EQ(found[2].message.name(), "moved");
}

TEST_F(SpanOnARing, OfALocalParentSharesItsTrace) {
  const Tracer tracer = open().tracer("scope");
  Span parent = tracer.start("parent");
  Span child = tracer.start("child", {.parent = &parent.context()});
  EXPECT_EQ(child.context().trace_id, parent.context().trace_id);
  EXPECT_NE(child.context().span_id, parent.context().span_id);
  EXPECT_TRUE(child.end());
  EXPECT_EQ(spans()[0].message.flags(), 0x101U);
}

TEST_F(SpanOnARing, ThatIsNotSampledHasAContextAndRecordsNothing) {
  set("OTEL_TRACES_SAMPLER", "always_off");
  const Tracer tracer = open().tracer("scope");
  Span span = tracer.start("span");
  EXPECT_FALSE(span.is_recording());
  EXPECT_TRUE(span.context().is_valid());
  EXPECT_FALSE(span.context().is_sampled());
  span.set_attribute("a", 1);
  span.add_event("e");
  EXPECT_FALSE(span.end());
  EXPECT_TRUE(spans().empty());
}

TEST_F(SpanOnARing, FollowsItsParentsSampling) {
  const Tracer tracer = open().tracer("scope");
  const auto dropped =
      parse_traceparent("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00", "vendor=1");
  const Span span = tracer.start("span", {.parent = &*dropped});
  EXPECT_FALSE(span.is_recording());
  EXPECT_EQ(span.context().trace_id, dropped->trace_id);
  EXPECT_EQ(span.context().trace_state, "vendor=1");
  EXPECT_NE(span.context().span_id, dropped->span_id);
}

TEST_F(SpanOnARing, HasItsParentsContextWhenTheSdkIsDisabled) {
  set("OTEL_SDK_DISABLED", "true");
  const Tracer tracer = open().tracer("scope");
  const auto remote = parse_traceparent("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01");
  const Span span = tracer.start("span", {.parent = &*remote});
  EXPECT_EQ(span.context().span_id, remote->span_id);
  EXPECT_FALSE(tracer.start("root").context().is_valid());
  EXPECT_FALSE(tracer.emit({.name = "span"}));
  EXPECT_TRUE(spans().empty());
}

TEST_F(SpanOnARing, KeepsAStatusOfOkAndAMessageOfErrorsOnly) {
  const Tracer tracer = open().tracer("scope");
  Span ok = tracer.start("ok");
  ok.set_status(StatusCode::kError, "not yet");
  ok.set_status(StatusCode::kUnset);
  ok.set_status(StatusCode::kOk, "no message with this");
  ok.set_status(StatusCode::kError, "too late");
  EXPECT_TRUE(ok.end());
  EXPECT_TRUE(tracer.start("unset").end());
  const auto found = spans();
  EXPECT_EQ(static_cast<int>(found[0].message.status().code()), 1);
  EXPECT_EQ(found[0].message.status().message(), "");
  EXPECT_FALSE(found[1].message.has_status());
}

TEST_F(SpanOnARing, AppliesTheLimitsOfTheEnvironment) {
  set("OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT", "2");
  set("OTEL_SPAN_EVENT_COUNT_LIMIT", "1");
  set("OTEL_SPAN_LINK_COUNT_LIMIT", "0");
  set("OTEL_EVENT_ATTRIBUTE_COUNT_LIMIT", "1");
  set("OTEL_SPAN_ATTRIBUTE_VALUE_LENGTH_LIMIT", "3");
  Span span =
      open().tracer("scope").start("span", {.attributes = {{"a", "12345"}, {"", 1}, {"b", 2}, {"c", 3}}});
  span.set_attribute("d", 4);
  span.set_attribute("b", 5);
  span.add_event("one", {{"x", "12345"}, {"y", 2}});
  span.add_event("two");
  span.add_link(span.context());
  EXPECT_TRUE(span.end());
  const auto message = spans()[0].message;
  ASSERT_EQ(message.attributes_size(), 2);
  EXPECT_EQ(message.attributes(0).value().string_value(), "123");
  EXPECT_EQ(message.attributes(1).value().int_value(), 5);
  EXPECT_EQ(message.dropped_attributes_count(), 3U);
  ASSERT_EQ(message.events_size(), 1);
  EXPECT_EQ(message.events(0).attributes(0).value().string_value(), "123");
  EXPECT_EQ(message.events(0).dropped_attributes_count(), 1U);
  EXPECT_EQ(message.dropped_events_count(), 1U);
  EXPECT_EQ(message.links_size(), 0);
  EXPECT_EQ(message.dropped_links_count(), 1U);
}

TEST_F(SpanOnARing, ReplacesAttributesOfAnySizeAnyNumberOfTimes) {
  Span span = open().tracer("scope").start("span");
  for (int round = 0; round < 20; ++round) {
    for (int key = 0; key < 40; ++key) {
      const auto size = static_cast<std::size_t>((key * 37 + round * 53) % 200);
      span.set_attribute(std::string(static_cast<std::size_t>(key) * 5, 'k') + std::to_string(key),
                         std::string(size, 'v'));
    }
  }
  EXPECT_TRUE(span.end());
  const auto message = spans()[0].message;
  ASSERT_EQ(message.attributes_size(), 40);
  for (int key = 0; key < 40; ++key) {
    EXPECT_EQ(message.attributes(key).key(),
              std::string(static_cast<std::size_t>(key) * 5, 'k') + std::to_string(key));
    EXPECT_EQ(message.attributes(key).value().string_value().size(),
              static_cast<std::size_t>((key * 37 + 19 * 53) % 200));
  }
  EXPECT_EQ(message.dropped_attributes_count(), 0U);
}

TEST_F(SpanOnARing, TakesTimesFromWhoKnowsThem) {
  const Tracer tracer = open().tracer("scope");
  EXPECT_TRUE(tracer.start("both", {.start_time_unix_nano = 100}).end(250));
  const std::uint64_t now = unix_time_ns();
  EXPECT_TRUE(tracer.start("start", {.start_time_unix_nano = 100}).end());
  const auto found = spans();
  EXPECT_EQ(found[0].message.start_time_unix_nano(), 100U);
  EXPECT_EQ(found[0].message.end_time_unix_nano(), 250U);
  EXPECT_GE(found[1].message.end_time_unix_nano(), now);
}

TEST_F(SpanOnARing, StartedBeforeAForkIsTheParentsAlone) {
  const Tracer tracer = open().tracer("scope");
  Span span = tracer.start("parent's");
  EXPECT_TRUE(in_child([&] {
    span.set_attribute("in", "child");
    return !span.end();
  }));
  EXPECT_TRUE(in_child([&] { return tracer.start("child's", {.parent = &span.context()}).end(); }));
  EXPECT_TRUE(span.end());
  const auto found = spans();
  ASSERT_EQ(found.size(), 2U);
  for (const auto& each : found) {
    EXPECT_EQ(each.message.trace_id(), bytes_of(span.context().trace_id));
    EXPECT_EQ(each.message.attributes_size(), 0);
  }
  EXPECT_NE(found[0].message.span_id(), found[1].message.span_id());
}

TEST_F(SpanOnARing, HasOtherIdsInEveryForkedChild) {
  const Tracer tracer = open().tracer("scope");
  EXPECT_TRUE(tracer.start("warm").end());
  for (int i = 0; i < 8; ++i) EXPECT_TRUE(in_child([&] { return tracer.start("child").end(); }));
  EXPECT_TRUE(tracer.start("parent").end());
  std::set<std::string> traces;
  std::set<std::string> ids;
  for (const auto& each : spans()) {
    traces.insert(each.message.trace_id());
    ids.insert(each.message.span_id());
  }
  EXPECT_EQ(traces.size(), 10U);
  EXPECT_EQ(ids.size(), 10U);
}

TEST_F(SpanOnARing, CanBeEmittedReadyMade) {
  const Tracer tracer = open().tracer("scope");
  const SpanEvent events[] = {{.name = "event", .time_unix_nano = 3}};
  EXPECT_TRUE(tracer.emit({.context = {tracer.new_trace_id(), tracer.new_span_id(), kSampledFlag},
                           .name = "measured elsewhere",
                           .start_time_unix_nano = 1,
                           .end_time_unix_nano = 2,
                           .attributes = {{"a", 1}},
                           .events = events}));
  const auto found = spans();
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].message.name(), "measured elsewhere");
  EXPECT_EQ(found[0].message.end_time_unix_nano(), 2U);
  EXPECT_EQ(found[0].message.events(0).name(), "event");
}

TEST(Span, MadeByNobodyRecordsNothing) {
  Span span;
  EXPECT_FALSE(span.is_recording());
  EXPECT_FALSE(span.context().is_valid());
  span.set_attribute("a", 1);
  span.update_name("name");
  EXPECT_FALSE(span.end());
}

}  // namespace
}  // namespace shmring::test
