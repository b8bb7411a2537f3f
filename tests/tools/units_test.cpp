// SPDX-License-Identifier: Apache-2.0
// Sizes, durations and counts as people write and read them.
#include "tools/units.hpp"

#include <gtest/gtest.h>

namespace shmring::tools {
namespace {

using namespace std::chrono_literals;

TEST(Sizes, AreReadWithTheirUnits) {
  EXPECT_EQ(parse_size("4096"), 4096U);
  EXPECT_EQ(parse_size("16k"), 16384U);
  EXPECT_EQ(parse_size("16KiB"), 16384U);
  EXPECT_EQ(parse_size("16kB"), 16000U);
  EXPECT_EQ(parse_size("32MiB"), 33554432U);
  EXPECT_EQ(parse_size("32 mib"), 33554432U);
  EXPECT_EQ(parse_size("1G"), 1073741824U);
  EXPECT_EQ(parse_size("1.5GiB"), 1610612736U);
  EXPECT_EQ(parse_size("0"), 0U);
}

TEST(Sizes, ThatAreNoneAreRefused) {
  for (const char* text :
       {"", "MiB", "-1", "1 2", "1X", "0x10", "nan", "inf", "1e3", "0.3", "99999999999GiB"}) {
    EXPECT_EQ(parse_size(text), std::nullopt) << text;
  }
}

TEST(Durations, NeedAUnit) {
  EXPECT_EQ(parse_duration("200ms"), 200ms);
  EXPECT_EQ(parse_duration("1.5s"), 1500ms);
  EXPECT_EQ(parse_duration("100us"), 100us);
  EXPECT_EQ(parse_duration("2m"), 2min);
  EXPECT_EQ(parse_duration("1h"), 1h);
  EXPECT_EQ(parse_duration("0"), 0us);
  EXPECT_EQ(parse_duration("10"), std::nullopt);
  EXPECT_EQ(parse_duration("-1s"), std::nullopt);
  EXPECT_EQ(parse_duration("soon"), std::nullopt);
}

TEST(Percentages, GoFromZeroToHundred) {
  EXPECT_EQ(parse_percent("90%"), 90);
  EXPECT_EQ(parse_percent("12.5"), 12.5);
  EXPECT_EQ(parse_percent("101%"), std::nullopt);
  EXPECT_EQ(parse_percent("%"), std::nullopt);
}

TEST(Sizes, AreWrittenInTheLargestUnitThatFits) {
  EXPECT_EQ(format_size(300), "300 B");
  EXPECT_EQ(format_size(16384), "16 KiB");
  EXPECT_EQ(format_size(1609728), "1.5 MiB");
  EXPECT_EQ(format_size(33554432), "32 MiB");
}

TEST(Durations, AreWrittenAsPeopleSayThem) {
  EXPECT_EQ(format_duration(0ns), "0 ns");
  EXPECT_EQ(format_duration(40ms), "40 ms");
  EXPECT_EQ(format_duration(999999us), "999 ms");
  EXPECT_EQ(format_duration(1250ms), "1.2 s");
  EXPECT_EQ(format_duration(200s), "3 min 20 s");
  EXPECT_EQ(format_duration(125min), "2 h 5 min");
  EXPECT_EQ(format_duration(-40ms), "-40 ms");
}

TEST(Counts, AreGroupedByThousands) {
  EXPECT_EQ(format_count(0), "0");
  EXPECT_EQ(format_count(999), "999");
  EXPECT_EQ(format_count(1000), "1,000");
  EXPECT_EQ(format_count(18446744073709551615U), "18,446,744,073,709,551,615");
}

}  // namespace
}  // namespace shmring::tools
