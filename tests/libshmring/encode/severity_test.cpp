// SPDX-License-Identifier: Apache-2.0
#include "shmring/severity.hpp"

#include <gtest/gtest.h>

#include "opentelemetry/proto/logs/v1/logs.pb.h"

namespace shmring::test {
namespace {

namespace logs = opentelemetry::proto::logs::v1;

TEST(Severity, HasTheNumbersAndNamesOfTheProtocol) {
  for (int number = 1; number <= 24; ++number) {
    const std::string full = logs::SeverityNumber_Name(static_cast<logs::SeverityNumber>(number));
    EXPECT_EQ("SEVERITY_NUMBER_" + std::string(to_string(static_cast<Severity>(number))), full);
  }
  EXPECT_EQ(static_cast<int>(Severity::kInfo), 9);
  EXPECT_EQ(static_cast<int>(Severity::kFatal4), 24);
}

TEST(Severity, HasNoNameForWhatTheModelDoesNotHave) {
  EXPECT_EQ(to_string(Severity::kUnspecified), "");
  EXPECT_EQ(to_string(static_cast<Severity>(25)), "");
  EXPECT_EQ(to_string(static_cast<Severity>(255)), "");
}

}  // namespace
}  // namespace shmring::test
