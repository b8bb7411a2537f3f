// SPDX-License-Identifier: Apache-2.0
#include "shmring/traceparent.hpp"

#include <gtest/gtest.h>

#include <string>

namespace shmring::test {
namespace {

constexpr std::string_view kTrace = "0af7651916cd43dd8448eb211c80319c";
constexpr std::string_view kSpan = "b7ad6b7169203331";

std::string header(std::string_view version, std::string_view trace, std::string_view span,
                   std::string_view rest) {
  return std::string(version) + "-" + std::string(trace) + "-" + std::string(span) + "-" + std::string(rest);
}

template <std::size_t Size>
std::string text(const std::array<char, Size>& characters) {
  return {characters.data(), Size};
}

TEST(Traceparent, IsReadAndWrittenAgain) {
  for (const std::string_view flags : {"00", "01"}) {
    const std::string original = header("00", kTrace, kSpan, flags);
    const auto context = parse_traceparent(original, "vendor=1,other=2");
    ASSERT_TRUE(context);
    EXPECT_TRUE(context->is_valid());
    EXPECT_EQ(context->is_sampled(), flags == "01");
    EXPECT_EQ(context->origin, ContextOrigin::kRemote);
    EXPECT_EQ(context->trace_state, "vendor=1,other=2");
    EXPECT_EQ(text(context->trace_id.hex()), kTrace);
    EXPECT_EQ(text(context->span_id.hex()), kSpan);
    EXPECT_EQ(text(*format_traceparent(*context)), original);
  }
}

TEST(Traceparent, KeepsOnlyTheFlagOfLevel1) {
  EXPECT_EQ(parse_traceparent(header("00", kTrace, kSpan, "ff"))->flags, 0x01);
  EXPECT_EQ(parse_traceparent(header("00", kTrace, kSpan, "fe"))->flags, 0x00);
}

TEST(Traceparent, OfALaterVersionMayGoOn) {
  EXPECT_TRUE(parse_traceparent(header("01", kTrace, kSpan, "01")));
  EXPECT_TRUE(parse_traceparent(header("cc", kTrace, kSpan, "01-what-the-future-will-be-like")));
  EXPECT_TRUE(parse_traceparent(header("01", kTrace, kSpan, "01-")));
  EXPECT_FALSE(parse_traceparent(header("01", kTrace, kSpan, "01.what")));
  EXPECT_FALSE(parse_traceparent(header("00", kTrace, kSpan, "01-what")));
  EXPECT_EQ(text(*format_traceparent(*parse_traceparent(header("cc", kTrace, kSpan, "01-x")))),
            header("00", kTrace, kSpan, "01"));
}

TEST(Traceparent, ThatIsMalformedStartsANewTrace) {
  const std::string table[] = {
      "",
      "00",
      header("ff", kTrace, kSpan, "01"),
      header("0", kTrace, kSpan, "001"),
      header("0G", kTrace, kSpan, "01"),
      header("00", "00000000000000000000000000000000", kSpan, "01"),
      header("00", kTrace, "0000000000000000", "01"),
      header("00", "0AF7651916CD43DD8448EB211C80319C", kSpan, "01"),
      header("00", kTrace, "B7AD6B7169203331", "01"),
      header("00", "0af7651916cd43dd8448eb211c80319", kSpan, "01"),
      header("00", kTrace, "b7ad6b716920333", "01"),
      header("00", kTrace, kSpan, "0"),
      header("00", kTrace, kSpan, "0x"),
      header("00", kTrace, kSpan, "0A"),
      header("00", kTrace, kSpan, "01 "),
      " " + header("00", kTrace, kSpan, "01"),
      header("00", "0af7651916cd43dd8448eb211c80319z", kSpan, "01"),
      "00_" + std::string(kTrace) + "_" + std::string(kSpan) + "_01",
  };
  for (const std::string& malformed : table)
    EXPECT_FALSE(parse_traceparent(malformed, "a=b")) << '"' << malformed << '"';
}

TEST(Traceparent, IsNotWrittenForAContextThatIsNotValid) {
  EXPECT_FALSE(format_traceparent({}));
  TraceContext without_span;
  without_span.trace_id.bytes[0] = 1;
  EXPECT_FALSE(format_traceparent(without_span));
}

}  // namespace
}  // namespace shmring::test
