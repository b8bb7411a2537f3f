// SPDX-License-Identifier: Apache-2.0
#include "flusher/units.hpp"

#include <gtest/gtest.h>

namespace shmring::flusher {
namespace {

using std::chrono::microseconds;

TEST(Units, DurationsTakeTheUsualUnitsAndABareNumberIsMilliseconds) {
  EXPECT_EQ(*parse_duration("200ms"), microseconds(200'000));
  EXPECT_EQ(*parse_duration("5s"), microseconds(5'000'000));
  EXPECT_EQ(*parse_duration("1.5s"), microseconds(1'500'000));
  EXPECT_EQ(*parse_duration("250us"), microseconds(250));
  EXPECT_EQ(*parse_duration("2m"), microseconds(120'000'000));
  EXPECT_EQ(*parse_duration("1h"), microseconds(3'600'000'000));
  EXPECT_EQ(*parse_duration("10000"), microseconds(10'000'000));
}

TEST(Units, SizesArePowersOf1024) {
  EXPECT_EQ(*parse_size("16k"), 16384U);
  EXPECT_EQ(*parse_size("32MiB"), 32U << 20U);
  EXPECT_EQ(*parse_size("3.5 MiB"), 3584U << 10U);
  EXPECT_EQ(*parse_size("1G"), 1U << 30U);
  EXPECT_EQ(*parse_size("4096"), 4096U);
}

TEST(Units, NonsenseIsRefused) {
  for (const char* text : {"", "ms", "-5s", "5 parsecs", "nan", "inf", "1e400s", "99999999999999h"}) {
    EXPECT_FALSE(parse_duration(text)) << text;
  }
  for (const char* text : {"", "MiB", "-1", "1.2.3", "10000000TiB"}) EXPECT_FALSE(parse_size(text)) << text;
  for (const char* text : {"", "1.5", "-1", "1x", "99999999999999999999"})
    EXPECT_FALSE(parse_count(text)) << text;
  EXPECT_FALSE(parse_switch("perhaps"));
}

TEST(Units, WhatIsShownCanBeReadAgain) {
  EXPECT_EQ(format_duration(microseconds(200'000)), "200ms");
  EXPECT_EQ(format_duration(microseconds(5'000'000)), "5s");
  EXPECT_EQ(format_duration(microseconds(250)), "250us");
  EXPECT_EQ(format_size(3584U << 10U), "3.5MiB");
  EXPECT_EQ(format_size(32U << 20U), "32MiB");
}

}  // namespace
}  // namespace shmring::flusher
