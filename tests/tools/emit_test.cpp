// SPDX-License-Identifier: Apache-2.0
// shmring emit: what it writes comes out as it went in.
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "program.hpp"
#include "tools/record.hpp"

namespace shmring::tools::test {
namespace {

using Json = nlohmann::json;

/// All log records that `shmring dump` shows.
std::vector<Json> dumped(const std::string& ring) {
  std::vector<Json> records;
  for (const std::string& line : lines(shmring({"dump", ring}).out)) {
    const Json request = Json::parse(line);
    for (const Json& resource : request["resourceLogs"]) {
      for (const Json& scope : resource["scopeLogs"]) {
        for (const Json& record : scope["logRecords"]) records.push_back(record);
      }
    }
  }
  return records;
}

TEST(Emit, WritesOneRecordWithAllThatWasSaid) {
  const TestRing ring;
  const Ended ended = shmring({"emit", ring.path(), "--body", "backup done", "--severity", "warn", "--attr",
                               "host=db1", "--attr", "took:=4.5", "--attr", "ok:=true", "--event-name",
                               "backup", "--scope", "nightly", "--service", "cron"});
  ASSERT_EQ(ended.exit_code, 0) << ended.err;
  EXPECT_EQ(ended.out + ended.err, "");
  const auto records = dumped(ring.path());
  ASSERT_EQ(records.size(), 1U);
  EXPECT_EQ(records[0]["body"]["stringValue"], "backup done");
  EXPECT_EQ(records[0]["severityNumber"], 13);
  EXPECT_EQ(records[0]["eventName"], "backup");
  EXPECT_EQ(records[0]["attributes"], Json::parse(R"([{"key":"host","value":{"stringValue":"db1"}},
    {"key":"took","value":{"doubleValue":4.5}},{"key":"ok","value":{"boolValue":true}}])"));
  const Json request = Json::parse(shmring({"dump", ring.path()}).out);
  EXPECT_EQ(request["resourceLogs"][0]["scopeLogs"][0]["scope"]["name"], "nightly");
  EXPECT_NE(request.dump().find("\"cron\""), std::string::npos) << request;
}

TEST(Emit, WritesARecordPerLine) {
  const TestRing ring;
  ASSERT_EQ(shmring({"emit", ring.path()}, "one\n\nthree").exit_code, 0);
  const auto records = dumped(ring.path());
  ASSERT_EQ(records.size(), 3U);
  EXPECT_EQ(records[0]["body"]["stringValue"], "one");
  EXPECT_EQ(records[1]["body"]["stringValue"], "");
  EXPECT_EQ(records[2]["body"]["stringValue"], "three");
}

TEST(Emit, SplitsALineThatFitsIntoNoRecord) {
  const TestRing ring({"--size", "1MiB", "--writers", "4", "--max-record", "8KiB"});
  std::string line;
  for (int i = 0; line.size() < 50000; ++i) line += std::to_string(i) + " ";
  ASSERT_EQ(
      shmring({"emit", ring.path(), "--attr", "a=" + std::string(500, 'x')}, line + "\nshort\n").exit_code,
      0);
  const auto records = dumped(ring.path());
  ASSERT_GT(records.size(), 3U);
  std::string together;
  for (std::size_t i = 0; i + 1 < records.size(); ++i)
    together += records[i]["body"]["stringValue"].get<std::string>();
  EXPECT_EQ(together, line);
  EXPECT_EQ(records.back()["body"]["stringValue"], "short");
}

TEST(Emit, SaysHowManyWereDroppedAndWhy) {
  const TestRing ring({"--size", "64KiB", "--writers", "4"});
  std::string input;
  for (int i = 0; i < 2000; ++i) input += std::string(100, 'x') + "\n";
  const Ended ended = shmring({"emit", ring.path()}, input);
  EXPECT_EQ(ended.exit_code, 1);
  EXPECT_NE(ended.err.find("of 2,000 records did not get into the ring"), std::string::npos) << ended.err;
  const Json status = Json::parse(shmring({"status", ring.path(), "--output", "json"}).out);
  EXPECT_EQ(status["accounting"]["attempted"], 2000);
  EXPECT_GT(status["accounting"]["dropped"]["ring_full"], 0);
  EXPECT_EQ(status["accounting"]["closes"], true);
}

TEST(Emit, MakesTheDefaultRingButNoOther) {
  const Folder folder;
  const std::string path = folder / "default.ring";
  EXPECT_EQ(shmring({"emit", path, "--body", "x"}).exit_code, 3) << "a path that was typed may be mistyped";
  Program emit({"/usr/bin/env", "SHMRING_PATH=" + path, SHMRING_PROGRAM, "emit", "--body", "x"});
  const Ended ended = emit.wait();
  EXPECT_EQ(ended.exit_code, 0) << ended.err;
  EXPECT_EQ(dumped(path).size(), 1U);
}

TEST(Emit, RefusesWhatIsNoAttributeOrSeverity) {
  const TestRing ring;
  EXPECT_EQ(shmring({"emit", ring.path(), "--body", "x", "--attr", "novalue"}).exit_code, 2);
  EXPECT_EQ(shmring({"emit", ring.path(), "--body", "x", "--attr", "n:=oops"}).exit_code, 2);
  EXPECT_EQ(shmring({"emit", ring.path(), "--body", "x", "--severity", "loud"}).exit_code, 2);
  EXPECT_TRUE(dumped(ring.path()).empty());
}

}  // namespace
}  // namespace shmring::tools::test
