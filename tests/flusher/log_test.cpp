// SPDX-License-Identifier: Apache-2.0
#include "flusher/log.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

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

TEST(Log, LowerLevelsAreLeftOut) {
  Lines lines(LogLevel::kWarning);
  lines.log.write(LogLevel::kInfo, "quiet");
  lines.log.write(LogLevel::kError, "loud");
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
