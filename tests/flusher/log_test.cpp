// SPDX-License-Identifier: Apache-2.0
#include "flusher/log.hpp"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

namespace shmring::flusher {
namespace {

using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::StartsWith;

struct Lines {
  std::vector<std::string> all;
  Log log;
  explicit Lines(LogLevel level) : log(level, [this](std::string_view line) { all.emplace_back(line); }) {}
};

TEST(Log, AnEventIsOneLineOfKeysAndValues) {
  Lines lines(LogLevel::kInfo);
  lines.log.write(LogLevel::kInfo, "started", {field("ring", "/dev/shm/a b"), field("epoch", 3)});
  ASSERT_EQ(lines.all.size(), 1U);
  EXPECT_THAT(lines.all[0], StartsWith("time=20"));
  EXPECT_THAT(lines.all[0], EndsWith("Z level=info event=started ring=\"/dev/shm/a b\" epoch=3\n"));
}

TEST(Log, WhatAServerSaysCannotForgeALine) {
  Lines lines(LogLevel::kInfo);
  lines.log.write(LogLevel::kInfo, "x", {field("reason", "bad\nlevel=error \x1b[31m\"quoted\"")});
  EXPECT_THAT(lines.all[0], HasSubstr(R"(reason="bad\nlevel=error \x1b[31m\"quoted\"")"));
  EXPECT_EQ(std::count(lines.all[0].begin(), lines.all[0].end(), '\n'), 1);
}

TEST(Log, WhatIsNoTextIsEscaped) {
  EXPECT_EQ(escaped("gr\xc3\xbc\xc3\x9f \xe2\x82\xac"), "gr\xc3\xbc\xc3\x9f \xe2\x82\xac");
  EXPECT_EQ(escaped("a\xff\xc3"), R"(a\xff\xc3)");
  EXPECT_EQ(escaped("\xc2\x9b[31m\x7f"),
            R"(\xc2\x9b[31m\x7f)");  // a terminal's control sequence in one character
}

TEST(Log, ALineHasALimit) {
  Lines lines(LogLevel::kInfo);
  const std::string large(10'000, 'x');
  lines.log.write(LogLevel::kInfo, "x", {field("reason", large), field("next", 1)});
  EXPECT_THAT(lines.all[0], EndsWith("xxx...\" next=1\n"));
  const std::string bad(1000, '\x01');
  lines.log.write(LogLevel::kInfo, "x", {field("a", bad), field("b", bad)});
  EXPECT_EQ(lines.all[1].size(), 4096U);
  EXPECT_EQ(lines.all[1].back(), '\n');
}

TEST(Log, AReaderThatReadsNothingHoldsUpNobody) {
  int ends[2];
  ASSERT_EQ(::pipe(ends), 0);
  const int real = ::dup(STDERR_FILENO);
  ::dup2(ends[1], STDERR_FILENO);
  Log log(LogLevel::kInfo);
  for (int i = 0; i < 5000; ++i) log.write(LogLevel::kInfo, "said", {field("number", i)});
  std::string heard(1 << 20, '\0');
  heard.resize(static_cast<std::size_t>(::read(ends[0], heard.data(), heard.size())));
  log.write(LogLevel::kInfo, "last");
  ::dup2(real, STDERR_FILENO);
  ::close(ends[1]);
  std::string last(1 << 16, '\0');
  last.resize(static_cast<std::size_t>(::read(ends[0], last.data(), last.size())));
  const auto lines = static_cast<std::size_t>(std::count(heard.begin(), heard.end(), '\n'));
  EXPECT_THAT(last, HasSubstr("event=log_lines_lost lines=" + std::to_string(5000 - lines) + "\n"));
  EXPECT_THAT(last, EndsWith("event=last\n"));
  ::close(ends[0]);
  ::close(real);
}

TEST(Log, LowerLevelsAreLeftOut) {
  Lines lines(LogLevel::kWarning);
  lines.log.write(LogLevel::kInfo, "quiet");
  lines.log.write(LogLevel::kError, "loud");
  lines.log.set_level(LogLevel::kError);
  lines.log.write(LogLevel::kWarning, "now quiet as well");
  ASSERT_EQ(lines.all.size(), 1U);
  EXPECT_THAT(lines.all[0], HasSubstr("loud"));
}

TEST(Log, WhatRepeatsIsHeldBackAndCounted) {
  Lines lines(LogLevel::kInfo);
  const TimePoint start{std::chrono::hours(1)};
  for (int i = 0; i < 100; ++i) lines.log.write_limited(LogLevel::kWarning, "delayed", "logs", {}, start);
  lines.log.write_limited(LogLevel::kWarning, "delayed", "traces", {}, start);
  EXPECT_EQ(lines.all.size(), 2U);
  lines.log.write_limited(LogLevel::kWarning, "delayed", "logs", {}, start + std::chrono::seconds(11));
  ASSERT_EQ(lines.all.size(), 3U);
  EXPECT_THAT(lines.all[2], HasSubstr("repeated=99"));
}

}  // namespace
}  // namespace shmring::flusher
