// SPDX-License-Identifier: Apache-2.0
// What reaches a terminal is text and nothing else.
#include "tools/text.hpp"

#include <gtest/gtest.h>

namespace shmring::tools {
namespace {

TEST(EscapedText, HasNoControlCharacters) {
  EXPECT_EQ(escaped("a\nb\tc\rd"), "a\\nb\\tc\\rd");
  EXPECT_EQ(escaped("\x1b[31mred\x1b[0m"), "\\x1b[31mred\\x1b[0m");
  EXPECT_EQ(escaped(std::string_view("\0\x7f", 2)), "\\x00\\x7f");
  EXPECT_EQ(escaped("\xc2\x9b"
                    "31m"),
            "\\xc2\\x9b31m")
      << "C1: a control sequence introducer in two bytes";
}

TEST(EscapedText, KeepsWhatIsUtf8AndShowsWhatIsNot) {
  EXPECT_EQ(escaped("gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x98\x80"),
            "gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x98\x80");
  EXPECT_EQ(escaped("\xff"), "\\xff");
  EXPECT_EQ(escaped("\xc0\xaf"), "\\xc0\\xaf") << "overlong";
  EXPECT_EQ(escaped("\xed\xa0\x80"), "\\xed\\xa0\\x80") << "a surrogate";
  EXPECT_EQ(escaped("\xe2\x82"), "\\xe2\\x82") << "cut short";
}

TEST(EscapedText, DoublesTheBackslashSoThatNothingCanLookLikeAnEscape) {
  EXPECT_EQ(escaped("\\x1b"), "\\\\x1b");
}

TEST(QuotedText, IsQuotedOnlyWhereItsEndWouldBeUnclear) {
  EXPECT_EQ(in_quotes("plain"), "plain");
  EXPECT_EQ(in_quotes("two words"), "\"two words\"");
  EXPECT_EQ(in_quotes("a=b"), "\"a=b\"");
  EXPECT_EQ(in_quotes(""), "\"\"");
  EXPECT_EQ(in_quotes("say \"x\""), "\"say \\\"x\\\"\"");
}

TEST(Bar, ShowsAsMuchAsThereIs) {
  EXPECT_EQ(bar(0, 4), "[----]");
  EXPECT_EQ(bar(0.5, 4), "[##--]");
  EXPECT_EQ(bar(1, 4), "[####]");
  EXPECT_EQ(bar(0.001, 4), "[#---]") << "something is not nothing";
  EXPECT_EQ(bar(7, 4), "[####]");
}

TEST(Table, StandsInColumnsCountedInCharacters) {
  Table table({Align::kLeft, Align::kRight});
  table.add({"\xc3\xbc", "1"});
  table.add({"long", "100"});
  table.add({"end"});
  EXPECT_EQ(table.str(), "\xc3\xbc       1\nlong  100\nend\n");
}

}  // namespace
}  // namespace shmring::tools
