// SPDX-License-Identifier: Apache-2.0
// A span that is encoded ahead says the same as one that is told everything at run time.
#include "shmring/span_site.hpp"

#include <gtest/gtest.h>

#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "encoded.hpp"
#include "ring_contents.hpp"

namespace shmring::test {
namespace {

constexpr SpanSite<"query", SpanKind::kClient, "db.system", "rows"> kQuery;
constexpr SpanSite<"bare", SpanKind::kInternal> kBare;
constexpr SpanSite<"", SpanKind::kUnspecified, "a", "b", "c"> kNameless;
constexpr SpanSite<
    "a name of 150 bytes ................................................................................"
    "..................................................",
    SpanKind::kConsumer,
    "a.key.of.100.bytes..................................................................................">
    kOfLongTexts;

SpanContext remote(const char* trace_state = "") {
  return *parse_traceparent("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", trace_state);
}

class SpanSiteOnARing : public WithRing {
 protected:
  /// The last two spans, which say the same but for their times and what is theirs alone.
  testing::AssertionResult last_two_are_the_same(bool in_one_trace) const {
    auto found = spans();
    if (found.size() < 2) return testing::AssertionFailure() << "there are " << found.size() << " spans";
    auto& site = found[found.size() - 2].message;
    auto& call = found[found.size() - 1].message;
    if (site.start_time_unix_nano() == 0 || site.end_time_unix_nano() < site.start_time_unix_nano() ||
        site.span_id().size() != 8 || site.span_id() == call.span_id() || site.trace_id().size() != 16 ||
        (site.trace_id() == call.trace_id()) != in_one_trace)
      return testing::AssertionFailure() << "times or ids:\n" << site.DebugString() << call.DebugString();
    for (auto* const message : {&site, &call}) {
      message->clear_start_time_unix_nano();
      message->clear_end_time_unix_nano();
      message->clear_span_id();
      if (!in_one_trace) message->clear_trace_id();
    }
    return same(site, call);
  }

  /// Begins and ends one by the site, then one by the ordinary calls.
  template <FixedText Name, SpanKind Kind, SiteKey... Keys, typename... Given>
  testing::AssertionResult span_says_the_same(const Tracer& tracer, const SpanSite<Name, Kind, Keys...>& site,
                                              const SpanContext* parent, StatusCode status,
                                              std::string_view message, const Given&... values) const {
    // A thread's first span takes the long way, whatever it is.
    if (!tracer.start("before").end()) return testing::AssertionFailure() << "nothing is committed";
    auto span = tracer.start(site, parent);
    if (!span.end_with(status, message, values...))
      return testing::AssertionFailure() << "the site's span was dropped";
    Span call = tracer.start(Name.view(), {.kind = Kind, .parent = parent});
    call.set_attributes({{Keys.view(), values}...});
    call.set_status(status, message);
    if (!call.end()) return testing::AssertionFailure() << "the ordinary span was dropped";
    return last_two_are_the_same(parent != nullptr);
  }
};

TEST_F(SpanSiteOnARing, EmitsWhatItsCommentShows) {
  const Tracer tracer = open().tracer("db", "2");
  const SpanContext parent = remote();
  auto span = tracer.start(kQuery, &parent);
  EXPECT_TRUE(span.is_recording());
  EXPECT_EQ(span.context().trace_id, parent.trace_id);
  EXPECT_TRUE(span.context().is_sampled());
  EXPECT_TRUE(
      tracer.start(kQuery, &parent).end("postgresql", 42));  // the long way: the thread has no block yet
  EXPECT_TRUE(span.end("postgresql", 42));
  EXPECT_TRUE(last_two_are_the_same(true));
  const auto found = spans();
  ASSERT_EQ(found.size(), 2U);
  const auto& message = found[1].message;
  EXPECT_EQ(found[0].scope.name(), "db");
  EXPECT_EQ(message.name(), "query");
  EXPECT_EQ(static_cast<int>(message.kind()), 3);
  EXPECT_EQ(message.trace_id(), bytes_of(parent.trace_id));
  EXPECT_EQ(message.span_id(), bytes_of(span.context().span_id));
  EXPECT_EQ(message.parent_span_id(), bytes_of(parent.span_id));
  EXPECT_EQ(message.flags(), 0x301U);
  ASSERT_EQ(message.attributes_size(), 2);
  EXPECT_EQ(message.attributes(0).key(), "db.system");
  EXPECT_EQ(message.attributes(0).value().string_value(), "postgresql");
  EXPECT_EQ(message.attributes(1).key(), "rows");
  EXPECT_EQ(message.attributes(1).value().int_value(), 42);
  EXPECT_FALSE(message.has_status());
}

TEST_F(SpanSiteOnARing, SaysTheSameAsASpanThatIsToldAllAtRunTime) {
  const Tracer tracer = open().tracer("scope");
  const SpanContext parent = remote();
  for (const SpanContext* const each : {static_cast<const SpanContext*>(nullptr), &parent}) {
    EXPECT_TRUE(span_says_the_same(tracer, kQuery, each, StatusCode::kUnset, "", "postgresql", 42));
    EXPECT_TRUE(span_says_the_same(tracer, kQuery, each, StatusCode::kUnset, "", "", -1));
    EXPECT_TRUE(span_says_the_same(tracer, kBare, each, StatusCode::kUnset, ""));
    EXPECT_TRUE(
        span_says_the_same(tracer, kNameless, each, StatusCode::kUnset, "", 0.5, true, AttributeValue()));
    EXPECT_TRUE(span_says_the_same(tracer, kOfLongTexts, each, StatusCode::kUnset, "", "x"));
    EXPECT_TRUE(
        span_says_the_same(tracer, kOfLongTexts, each, StatusCode::kUnset, "", std::vector<std::byte>(5)));
  }
}

TEST_F(SpanSiteOnARing, SaysTheSameOfALocalParent) {
  const Tracer tracer = open().tracer("scope");
  auto parent = tracer.start(kBare);
  EXPECT_TRUE(span_says_the_same(tracer, kQuery, &parent.context(), StatusCode::kUnset, "", "x", 1));
  EXPECT_EQ(spans().back().message.flags(), 0x101U);
  EXPECT_TRUE(parent.end());
}

TEST_F(SpanSiteOnARing, HandsItsParentsTraceStateOn) {
  const Tracer tracer = open().tracer("scope");
  const SpanContext parent = remote("vendor=1");
  EXPECT_TRUE(span_says_the_same(tracer, kQuery, &parent, StatusCode::kUnset, "", "x", 1));
  EXPECT_TRUE(span_says_the_same(tracer, kBare, &parent, StatusCode::kUnset, ""));
  EXPECT_EQ(spans().back().message.trace_state(), "vendor=1");
  const SpanContext with_much = remote(std::string(500, 'v').c_str());
  EXPECT_TRUE(span_says_the_same(tracer, kQuery, &with_much, StatusCode::kUnset, "", "x", 1));
}

TEST_F(SpanSiteOnARing, BeginsATraceWithoutAParentThatIsValid) {
  const Tracer tracer = open().tracer("scope");
  const SpanContext not_valid;
  auto one = tracer.start(kBare, &not_valid);
  auto two = tracer.start(kBare);
  EXPECT_TRUE(one.context().is_valid());
  EXPECT_NE(one.context().trace_id, two.context().trace_id);
  EXPECT_TRUE(one.end());
  EXPECT_EQ(spans().back().message.parent_span_id(), "");
}

TEST_F(SpanSiteOnARing, HasAStatusAndAMessageWithErrorsOnly) {
  const Tracer tracer = open().tracer("scope");
  const SpanContext parent = remote();
  EXPECT_TRUE(span_says_the_same(tracer, kQuery, &parent, StatusCode::kError, "no such table", "x", 1));
  EXPECT_EQ(spans().back().message.status().message(), "no such table");
  EXPECT_TRUE(span_says_the_same(tracer, kQuery, &parent, StatusCode::kError, "", "x", 1));
  EXPECT_TRUE(span_says_the_same(tracer, kQuery, &parent, StatusCode::kOk, "not kept", "x", 1));
  EXPECT_TRUE(span_says_the_same(tracer, kQuery, &parent, StatusCode::kUnset, "not kept", "x", 1));
  EXPECT_TRUE(span_says_the_same(tracer, kBare, nullptr, StatusCode::kError, std::string(5000, 'm')));
}

TEST_F(SpanSiteOnARing, TakesTextsOfAnyLengthAndValuesInsideOfValues) {
  const Tracer tracer = open().tracer("scope");
  for (const std::size_t size :
       {95U, 96U, 97U, 105U, 106U, 125U, 126U, 127U, 128U, 300U, 5000U, 17000U, 40000U}) {
    const std::string text(size, 'x');
    EXPECT_TRUE(span_says_the_same(tracer, kQuery, nullptr, StatusCode::kUnset, "", text, size)) << size;
    EXPECT_TRUE(span_says_the_same(tracer, kOfLongTexts, nullptr, StatusCode::kUnset, "", text)) << size;
  }
  const std::vector<double> numbers{1, 2};
  EXPECT_TRUE(span_says_the_same(tracer, kQuery, nullptr, StatusCode::kUnset, "", numbers, 1));
  EXPECT_TRUE(span_says_the_same(tracer, kNameless, nullptr, StatusCode::kUnset, "", 1, Values{1, "a"},
                                 Attributes{{"k", Values{}}}));
  EXPECT_TRUE(span_says_the_same(tracer, kQuery, nullptr, StatusCode::kUnset, "", ~std::uint64_t{0}, 1));
}

TEST_F(SpanSiteOnARing, HeedsTheLimitsOfTheEnvironment) {
  set("OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT", "2");
  set("OTEL_SPAN_ATTRIBUTE_VALUE_LENGTH_LIMIT", "3");
  const Tracer tracer = open().tracer("scope");
  EXPECT_TRUE(span_says_the_same(tracer, kQuery, nullptr, StatusCode::kUnset, "", "abcd", "abc"));
  EXPECT_EQ(spans().back().message.attributes(0).value().string_value(), "abc");
  EXPECT_TRUE(span_says_the_same(tracer, kNameless, nullptr, StatusCode::kUnset, "", 1, 2, 3));
  EXPECT_EQ(spans().back().message.attributes_size(), 2);
  EXPECT_EQ(spans().back().message.dropped_attributes_count(), 1U);
}

TEST_F(SpanSiteOnARing, IsEndedByItsDestructorWithoutAttributes) {
  const Tracer tracer = open().tracer("scope");
  SpanContext context;
  {
    const auto span = tracer.start(kQuery);
    context = span.context();
    EXPECT_TRUE(spans().empty());
  }
  const auto found = spans();
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].message.name(), "query");
  EXPECT_EQ(found[0].message.span_id(), bytes_of(context.span_id));
  EXPECT_EQ(found[0].message.attributes_size(), 0);
  EXPECT_GE(found[0].message.end_time_unix_nano(), found[0].message.start_time_unix_nano());
}

TEST_F(SpanSiteOnARing, EndsOnce) {
  const Tracer tracer = open().tracer("scope");
  EXPECT_TRUE(tracer.start(kBare).end());  // the thread has its block from here on
  {
    auto span = tracer.start(kQuery);
    EXPECT_TRUE(span.end("x", 1));
    EXPECT_FALSE(span.is_recording());
    EXPECT_FALSE(span.end("x", 2));
    EXPECT_FALSE(span.end_with(StatusCode::kError, "late", "x", 3));
    EXPECT_TRUE(span.context().is_valid()) << "for children that begin later";
  }
  {
    auto span = tracer.start(kQuery);
    EXPECT_TRUE(span.end_with(StatusCode::kError, "failed", "x", 1));
    EXPECT_FALSE(span.end("x", 2));
  }
  EXPECT_EQ(spans().size(), 3U);
}

TEST_F(SpanSiteOnARing, MovesWithAllThatItKnows) {
  const Tracer tracer = open().tracer("scope");
  const SpanContext parent = remote("vendor=1");
  {
    auto first = tracer.start(kQuery, &parent);
    const SpanId id = first.context().span_id;
    auto second = std::move(first);
    EXPECT_FALSE(first.is_recording());    // NOLINT(bugprone-use-after-move): that is the question
    EXPECT_FALSE(first.end("nobody", 0));  // NOLINT(bugprone-use-after-move): likewise
    EXPECT_TRUE(second.is_recording());
    EXPECT_EQ(second.context().span_id, id);
    EXPECT_EQ(second.context().trace_state, "vendor=1");
    EXPECT_TRUE(second.end("x", 1));
  }
  const auto found = spans();
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].message.trace_state(), "vendor=1");
  static_assert(!std::is_copy_constructible_v<decltype(tracer.start(kQuery))>);
  static_assert(!std::is_move_assignable_v<decltype(tracer.start(kQuery))>);
}

TEST_F(SpanSiteOnARing, ThatIsNotSampledHasAContextAndRecordsNothing) {
  const Tracer tracer = open().tracer("scope");
  const SpanContext dropped =
      *parse_traceparent("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00", "vendor=1");
  {
    auto span = tracer.start(kQuery, &dropped);
    EXPECT_FALSE(span.is_recording());
    EXPECT_EQ(span.context().trace_id, dropped.trace_id);
    EXPECT_NE(span.context().span_id, dropped.span_id);
    EXPECT_EQ(span.context().trace_state, "vendor=1");
    EXPECT_FALSE(span.context().is_sampled());
    EXPECT_FALSE(span.end("x", 1));
    const auto never_ended = tracer.start(kBare, &dropped);
  }
  EXPECT_TRUE(spans().empty());
}

TEST_F(SpanSiteOnARing, HasItsParentsContextWhenTheSdkIsDisabled) {
  set("OTEL_SDK_DISABLED", "true");
  const Tracer tracer = open().tracer("scope");
  const SpanContext parent = remote();
  {
    auto span = tracer.start(kQuery, &parent);
    EXPECT_FALSE(span.is_recording());
    EXPECT_EQ(span.context().span_id, parent.span_id);
    EXPECT_FALSE(span.end("x", 1));
    EXPECT_FALSE(tracer.start(kBare).context().is_valid());
  }
  EXPECT_TRUE(spans().empty());
}

TEST_F(SpanSiteOnARing, StartedBeforeAForkIsTheParentsAlone) {
  const Tracer tracer = open().tracer("scope");
  auto span = tracer.start(kQuery);
  const auto emit_its_own = [&] { return tracer.start(kQuery, &span.context()).end("in", "its own"); };
  EXPECT_TRUE(in_child([&] { return !span.end("in", "child") && !span.is_recording(); }));
  EXPECT_TRUE(in_child([&] { return !span.end_with(StatusCode::kError, "in", "child", 1); }));
  EXPECT_TRUE(in_child([&] {
    const auto dies_here = std::move(span);
    return dies_here.is_recording();
  }));
  EXPECT_TRUE(spans().empty());
  EXPECT_TRUE(
      in_child([&] { return emit_its_own() && !span.end("in", "child"); }));  // has a block of its own
  EXPECT_TRUE(in_child([&] {
    { const auto dies_here = std::move(span); }
    return emit_its_own();
  }));
  EXPECT_TRUE(span.end("in", "parent"));
  const auto found = spans();
  ASSERT_EQ(found.size(), 3U);
  for (const auto& each : found) {
    EXPECT_EQ(each.message.trace_id(), bytes_of(span.context().trace_id));
    EXPECT_EQ(each.message.attributes_size(), 2);
    EXPECT_NE(each.message.attributes(1).value().string_value(), "child");
  }
}

/// Spans that their program measures itself.
class MeasuredSpanOnARing : public SpanSiteOnARing {
 protected:
  /// Emits one by the site, then one by its record.
  template <FixedText Name, SpanKind Kind, SiteKey... Keys, typename... Given>
  testing::AssertionResult says_the_same_as_a_record(const Tracer& tracer,
                                                     const SpanSite<Name, Kind, Keys...>& site,
                                                     const MeasuredSpan& span, const Given&... values) const {
    if (!tracer.emit(site, span, values...)) return testing::AssertionFailure() << "the site's was dropped";
    if (!tracer.emit(
            {.context = span.context,
             .parent_span_id = span.parent_span_id,
             .parent_origin = span.parent_origin,
             .name = Name.view(),
             .kind = Kind,
             .start_time_unix_nano = span.start.value,
             .end_time_unix_nano = span.end_time_unix_nano,
             .attributes = {{Keys.view(), values}...},
             .status = span.status,
             .status_message = span.status == StatusCode::kError ? span.status_message : std::string_view{}}))
      return testing::AssertionFailure() << "the record was dropped";
    const auto found = spans();
    return same(found[found.size() - 2].message, found[found.size() - 1].message);
  }

  static MeasuredSpan measured() {
    MeasuredSpan span{.start = {100}, .end_time_unix_nano = 250};
    static_cast<TraceContext&>(span.context) = remote();
    return span;
  }
};

TEST_F(MeasuredSpanOnARing, SaysTheSameAsARecordOfIt) {
  const Tracer tracer = open().tracer("scope");
  MeasuredSpan span = measured();
  for (const SpanId& parent : {SpanId{}, SpanId{{1, 2, 3, 4, 5, 6, 7, 8}}}) {
    for (const ContextOrigin origin :
         {ContextOrigin::kUnknown, ContextOrigin::kLocal, ContextOrigin::kRemote}) {
      span.parent_span_id = parent;
      span.parent_origin = origin;
      EXPECT_TRUE(says_the_same_as_a_record(tracer, kQuery, span, "postgresql", 42));
      EXPECT_TRUE(says_the_same_as_a_record(tracer, kBare, span));
      EXPECT_TRUE(says_the_same_as_a_record(tracer, kNameless, span, 0.5, true, AttributeValue()));
      EXPECT_TRUE(says_the_same_as_a_record(tracer, kOfLongTexts, span, std::vector<std::byte>(5)));
    }
  }
  EXPECT_EQ(spans().back().message.start_time_unix_nano(), 100U);
  EXPECT_EQ(spans().back().message.end_time_unix_nano(), 250U);
  span.context.flags = 0;
  EXPECT_TRUE(says_the_same_as_a_record(tracer, kQuery, span, "not sampled", 0));
}

TEST_F(MeasuredSpanOnARing, HasNoIdsWhereNoneAreGiven) {
  const Tracer tracer = open().tracer("scope");
  MeasuredSpan span = measured();
  span.context.span_id = {};
  EXPECT_TRUE(says_the_same_as_a_record(tracer, kQuery, span, "x", 1));
  EXPECT_EQ(spans().back().message.span_id(), "");
  span.context = {};
  EXPECT_TRUE(says_the_same_as_a_record(tracer, kQuery, span, "x", 1));
  EXPECT_EQ(spans().back().message.trace_id(), "");
}

TEST_F(MeasuredSpanOnARing, HasAStatusAndAMessageWithErrorsOnly) {
  const Tracer tracer = open().tracer("scope");
  MeasuredSpan span = measured();
  span.status_message = "no such table";
  for (const StatusCode status : {StatusCode::kUnset, StatusCode::kOk, StatusCode::kError}) {
    span.status = status;
    EXPECT_TRUE(says_the_same_as_a_record(tracer, kQuery, span, "x", 1));
    EXPECT_EQ(spans().back().message.status().message(), status == StatusCode::kError ? "no such table" : "");
  }
}

TEST_F(MeasuredSpanOnARing, TakesTextsOfAnyLengthAndValuesInsideOfValues) {
  const Tracer tracer = open().tracer("scope");
  for (const std::size_t size : {105U, 106U, 128U, 300U, 17000U, 40000U})
    EXPECT_TRUE(says_the_same_as_a_record(tracer, kQuery, measured(), std::string(size, 'x'), size)) << size;
  EXPECT_TRUE(says_the_same_as_a_record(tracer, kQuery, measured(), Values{1, "a"}, ~std::uint64_t{0}));
}

TEST_F(MeasuredSpanOnARing, HeedsTheLimitsOfTheEnvironment) {
  set("OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT", "2");
  set("OTEL_SPAN_ATTRIBUTE_VALUE_LENGTH_LIMIT", "3");
  const Tracer tracer = open().tracer("scope");
  EXPECT_TRUE(says_the_same_as_a_record(tracer, kQuery, measured(), "abcd", "abc"));
  EXPECT_EQ(spans().back().message.attributes(0).value().string_value(), "abc");
  EXPECT_TRUE(says_the_same_as_a_record(tracer, kNameless, measured(), 1, 2, 3));
  EXPECT_EQ(spans().back().message.dropped_attributes_count(), 1U);
}

TEST_F(MeasuredSpanOnARing, EndsNowAndNeverBeforeItsStart) {
  const Tracer tracer = open().tracer("scope");
  MeasuredSpan span = measured();
  span.end_time_unix_nano = 0;
  span.start = tracer.now();
  EXPECT_FALSE(span.start.is_ticks);
  EXPECT_TRUE(tracer.emit(kQuery, span, "x", 1));
  const std::uint64_t after = unix_time_ns();
  EXPECT_EQ(spans().back().message.start_time_unix_nano(), span.start.value);
  EXPECT_GE(spans().back().message.end_time_unix_nano(), span.start.value);
  EXPECT_LE(spans().back().message.end_time_unix_nano(), after);
  span.start = {after + 3'600'000'000'000U};
  EXPECT_TRUE(tracer.emit(kQuery, span, "x", 1));
  EXPECT_EQ(spans().back().message.end_time_unix_nano(), span.start.value);
}

TEST_F(MeasuredSpanOnARing, GoesNowhereWhenTheSdkIsDisabled) {
  set("OTEL_SDK_DISABLED", "true");
  const Tracer tracer = open().tracer("scope");
  EXPECT_FALSE(tracer.emit(kQuery, measured(), "x", 1));
  EXPECT_FALSE(tracer.emit(kQuery, measured(), Values{1}, 1));
  EXPECT_TRUE(spans().empty());
}

TEST_F(MeasuredSpanOnARing, IsEmittedByWhoeverSaysSo) {
  const Tracer tracer = open().tracer("scope");
  EXPECT_TRUE(in_child([&] { return tracer.emit(kQuery, measured(), "a thread's first", 1); }));
  EXPECT_TRUE(tracer.emit(kQuery, measured(), "parent", 1));
  EXPECT_TRUE(in_child([&] { return tracer.emit(kQuery, measured(), "child", 1); }));
  EXPECT_EQ(spans().size(), 3U);
}

TEST_F(SpanSiteOnARing, FillsBlocksToTheirEndsAndLosesNothing) {
  const Ring ring = open();
  const Tracer tracer = ring.tracer("scope");
  constexpr int kSpans = 2500;
  for (int i = 0; i < kSpans; ++i) {
    const std::string text(static_cast<std::size_t>(i * 37 % 211), 'x');
    if (i % 3 == 0) {
      ASSERT_TRUE(tracer.start(kQuery).end(text, i));
    } else if (i % 3 == 1) {
      ASSERT_TRUE(tracer.emit(kQuery, {.context = {tracer.new_trace_id(), tracer.new_span_id()}}, text, i));
    } else {
      ASSERT_TRUE(tracer.start("by call", {.attributes = {{"text", text}, {"i", i}}}).end());
    }
  }
  const auto found = spans();
  ASSERT_EQ(found.size(), static_cast<std::size_t>(kSpans));
  std::size_t bytes = 0;
  for (int i = 0; i < kSpans; ++i) {
    const auto& message = found[static_cast<std::size_t>(i)].message;
    bytes += message.ByteSizeLong();
    ASSERT_EQ(message.attributes_size(), 2) << i;
    ASSERT_EQ(message.attributes(0).value().string_value().size(), static_cast<std::size_t>(i * 37 % 211));
    ASSERT_EQ(message.attributes(1).value().int_value(), i);
  }
  EXPECT_GT(bytes, std::size_t{10} * ring.block_bytes()) << "so that some ended at a block's very end";
}

}  // namespace
}  // namespace shmring::test
