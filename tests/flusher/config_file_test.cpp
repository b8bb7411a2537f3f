// SPDX-License-Identifier: Apache-2.0
#include "flusher/config_file.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace shmring::flusher {
namespace {

using ::testing::HasSubstr;

TEST(ConfigFile, IsKeysAndValuesWithComments) {
  const auto lines =
      parse_config_text("# hello\n\n interval = 5s\r\nheaders = \"a=b,c=d\"\nfile='x y.jsonl'", "f");
  ASSERT_TRUE(lines);
  ASSERT_EQ(lines->size(), 3U);
  EXPECT_EQ((*lines)[0].key, "interval");
  EXPECT_EQ((*lines)[0].value, "5s");
  EXPECT_EQ((*lines)[0].number, 3U);
  EXPECT_EQ((*lines)[1].value, "a=b,c=d");
  EXPECT_EQ((*lines)[2].value, "x y.jsonl");
}

TEST(ConfigFile, AnErrorNamesFileAndLine) {
  EXPECT_THAT(parse_config_text("a = 1\nnonsense\n", "my.conf").error().message, HasSubstr("my.conf:2"));
  EXPECT_THAT(parse_config_text("= 1\n", "my.conf").error().message, HasSubstr("my.conf:1"));
}

TEST(ConfigFile, AMissingFileIsNamed) {
  EXPECT_THAT(read_config_file("/nonexistent/x.conf").error().message, HasSubstr("/nonexistent/x.conf"));
}

}  // namespace
}  // namespace shmring::flusher
