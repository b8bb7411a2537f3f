// SPDX-License-Identifier: Apache-2.0
// Severities by name and by number.
#include "tools/cli.hpp"

#include <gtest/gtest.h>

namespace shmring::tools {
namespace {

TEST(Severities, AreReadByNameAndByNumber) {
  EXPECT_EQ(parse_severity("trace"), 1U);
  EXPECT_EQ(parse_severity("info"), 9U);
  EXPECT_EQ(parse_severity("Info2"), 10U);
  EXPECT_EQ(parse_severity("WARN"), 13U);
  EXPECT_EQ(parse_severity("fatal4"), 24U);
  EXPECT_EQ(parse_severity("24"), 24U);
  for (const char* text : {"", "0", "25", "info5", "info1", "loud", "-1"})
    EXPECT_EQ(parse_severity(text), 0U) << text;
}

TEST(Severities, AreNamed) {
  EXPECT_EQ(severity_name(0), "");
  EXPECT_EQ(severity_name(9), "INFO");
  EXPECT_EQ(severity_name(24), "FATAL4");
  EXPECT_EQ(severity_name(99), "SEVERITY99");
}

}  // namespace
}  // namespace shmring::tools
