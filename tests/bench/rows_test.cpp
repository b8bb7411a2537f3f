// SPDX-License-Identifier: Apache-2.0
// Our own rows and the machine's: each can be measured, and what is written about it can be read again.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <set>

#include "bench/harness/result_json.hpp"
#include "bench/harness/run.hpp"

namespace shmring::bench {
namespace {

using std::chrono::milliseconds;

TEST(BenchRows, EveryNameIsOfItsOwnAndFitForACommandLine) {
  Rows rows;
  add_shmring_rows(rows);
  add_floor_rows(rows);
  std::set<std::string> ids;
  for (const auto& row : rows) {
    EXPECT_TRUE(ids.insert(row->id()).second) << row->id();
    EXPECT_EQ(row->about().name.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789_"), std::string::npos)
        << row->id();
  }
  EXPECT_TRUE(ids.contains("clock_memcpy"));  // what all others are compared with
}

TEST(BenchRows, OfOneProducerAllAreMeasuredAndWrittenDown) {
  Rows rows;
  add_shmring_rows(rows);
  add_floor_rows(rows);
  Subjects subjects;
  const auto results = run(rows, subjects,
                           {.repetitions = 1,
                            .visit = milliseconds(1),
                            .visit_stamped = milliseconds(1),
                            .filter = std::regex("^[^/]*$")});
  ASSERT_TRUE(results) << results.error().message;
  const auto json = nlohmann::json::parse(to_json(*results));
  EXPECT_GT(json.at("context").at("cores"), 0);
  ASSERT_EQ(json.at("rows").size(), results->size());
  for (const auto& row : json.at("rows")) {
    ASSERT_EQ(row.at("ns").size(), 1U) << row;
    std::uint64_t operations = 0;
    for (const auto& bucket : row.at("latency")) operations += bucket.at(1).get<std::uint64_t>();
    EXPECT_GE(operations, 1U) << row.at("name");
  }
}

TEST(BenchRows, WhatIsCopiedIsARecordLikeTheOneThatIsEmitted) {
  const SampleRecords samples;
  EXPECT_NE(samples.encoded(0), samples.encoded(1));
  EXPECT_EQ(samples.encoded(0), samples.encoded(64));
}

}  // namespace
}  // namespace shmring::bench
