// SPDX-License-Identifier: Apache-2.0
// A stream of bytes cut into lines.
#include "tools/line_splitter.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace shmring::tools {
namespace {

using Lines = std::vector<std::string>;

/// What comes of the text when it is fed `step` bytes at a time.
Lines split(std::string_view text, std::size_t max_bytes, std::size_t step) {
  Lines lines;
  LineSplitter splitter(max_bytes, [&](std::string_view line) { lines.emplace_back(line); });
  for (; !text.empty(); text.remove_prefix(std::min(step, text.size()))) splitter.feed(text.substr(0, step));
  splitter.finish();
  return lines;
}

class LineSplitterByStep : public testing::TestWithParam<std::size_t> {};

TEST_P(LineSplitterByStep, GivesLinesWithoutTheirEnds) {
  EXPECT_EQ(split("one\ntwo\r\n\nfour\n", 16, GetParam()), (Lines{"one", "two", "", "four"}));
}

TEST_P(LineSplitterByStep, KeepsALastLineWithoutNewline) {
  EXPECT_EQ(split("a\nb", 16, GetParam()), (Lines{"a", "b"}));
}

TEST_P(LineSplitterByStep, SplitsLongLinesAndLosesNothing) {
  EXPECT_EQ(split("0123456789ab\nx", 5, GetParam()), (Lines{"01234", "56789", "ab", "x"}));
}

TEST_P(LineSplitterByStep, MakesNoEmptyLineOfAnEndAtAPiecesEnd) {
  EXPECT_EQ(split("0123456789\nx\n", 5, GetParam()), (Lines{"01234", "56789", "x"}));
  EXPECT_EQ(split("01234\r\nx\r\n", 5, GetParam()), (Lines{"01234", "x"}));
}

TEST_P(LineSplitterByStep, CutsBetweenCharacters) {
  EXPECT_EQ(split("abcd\xe2\x82\xac"
                  "e\n",
                  5, GetParam()),
            (Lines{"abcd",
                   "\xe2\x82\xac"
                   "e"}));
}

TEST_P(LineSplitterByStep, CutsAnywhereInWhatIsNoText) {
  EXPECT_EQ(split(std::string(7, '\x80'), 5, GetParam()),
            (Lines{std::string(5, '\x80'), std::string(2, '\x80')}));
}

INSTANTIATE_TEST_SUITE_P(Steps, LineSplitterByStep, testing::Values(1, 2, 3, 5, 7, 100));

}  // namespace
}  // namespace shmring::tools
