// SPDX-License-Identifier: Apache-2.0
// shmring dump: all that the ring holds, whatever it is.
#include <gtest/gtest.h>

#include <cstring>
#include <map>
#include <nlohmann/json.hpp>

#include "program.hpp"
#include "shmring/logger.hpp"
#include "shmring/ring.hpp"

namespace shmring::tools::test {
namespace {

void write_raw(const std::string& path, RecordKind kind, const std::string& payload) {
  const auto ring = Ring::open(path);
  ASSERT_TRUE(ring);
  auto slot = ring->writer().try_reserve(kind, payload.size());
  ASSERT_TRUE(slot);
  std::memcpy(slot.payload().data(), payload.data(), payload.size());
  ASSERT_TRUE(std::move(slot).commit());
}

TEST(Dump, TakesNothingAway) {
  const TestRing ring;
  ASSERT_EQ(shmring({"emit", ring.path()}, "one\ntwo\n").exit_code, 0);
  const Ended first = shmring({"dump", ring.path()});
  EXPECT_EQ(first.exit_code, 0);
  EXPECT_EQ(first.out, shmring({"dump", ring.path()}).out);
  EXPECT_EQ(lines(first.out).size(), 1U) << "one block, one signal, one request";
  EXPECT_EQ(lines(shmring({"dump", ring.path(), "--format", "pretty"}).out).size(), 2U);
}

TEST(Dump, KeepsSignalsApart) {
  const TestRing ring;
  const std::string span = std::string("\x0a\x10") + std::string(16, '\x01') + "\x12\x08" +
                           std::string(8, '\x02') + "\x2a\x04work";
  write_raw(ring.path(), RecordKind::kSpan, span);
  ASSERT_EQ(shmring({"emit", ring.path(), "--body", "a log"}).exit_code, 0);
  EXPECT_EQ(lines(shmring({"dump", ring.path()}).out).size(), 2U);
  const Ended traces = shmring({"dump", ring.path(), "--signal", "traces"});
  const auto json = nlohmann::json::parse(traces.out);
  EXPECT_EQ(json["resourceSpans"][0]["scopeSpans"][0]["spans"][0]["name"], "work");
  EXPECT_EQ(shmring({"dump", ring.path(), "--signal", "smoke"}).exit_code, 2);
}

TEST(Dump, ShowsAllThatAScopeAndAResourceSay) {
  const TestRing ring;
  {
    const auto opened = Ring::open(
        ring.path(),
        {.attributes = {{"host.cores", 4}, {"zones", Values{"a", "b"}}}, .schema_url = "resource:url"});
    ASSERT_TRUE(opened);
    const Logger logger = opened->logger(ScopeOptions{
        .name = "scope", .version = "1", .attributes = {{"truth", true}}, .schema_url = "scope:url"});
    ASSERT_TRUE(logger.emit({.body = "a"}));
    ASSERT_TRUE(opened->logger("scope", "1").emit({.body = "b"}));
  }
  const auto json = nlohmann::json::parse(shmring({"dump", ring.path()}).out);
  const auto& resource = json["resourceLogs"][0];
  EXPECT_EQ(resource["schemaUrl"], "resource:url");
  std::map<std::string, nlohmann::json> attributes;
  for (const auto& each : resource["resource"]["attributes"]) attributes[each["key"]] = each["value"];
  EXPECT_EQ(attributes["host.cores"], nlohmann::json::parse(R"({"intValue":"4"})"));
  EXPECT_EQ(attributes["zones"],
            nlohmann::json::parse(R"({"arrayValue":{"values":[{"stringValue":"a"},{"stringValue":"b"}]}})"));
  ASSERT_EQ(resource["scopeLogs"].size(), 2U);
  const auto& scope = resource["scopeLogs"][0];
  EXPECT_EQ(scope["schemaUrl"], "scope:url");
  EXPECT_EQ(
      scope["scope"],
      nlohmann::json::parse(
          R"({"name":"scope","version":"1","attributes":[{"key":"truth","value":{"boolValue":true}}]})"));
  EXPECT_FALSE(resource["scopeLogs"][1].contains("schemaUrl"));
  EXPECT_NE(shmring({"dump", ring.path(), "--format", "pretty"}).out.find("scope"), std::string::npos);
}

TEST(Dump, SaysWhatIsNoOtlpAndShowsTheRest) {
  const TestRing ring;
  write_raw(ring.path(), RecordKind::kLog, "\xff\xff\xff");
  ASSERT_EQ(shmring({"emit", ring.path(), "--body", "sound"}).exit_code, 0);
  const Ended ended = shmring({"dump", ring.path(), "--format", "pretty"});
  EXPECT_EQ(ended.exit_code, 1);
  EXPECT_NE(ended.err.find("1 records are no valid OTLP"), std::string::npos) << ended.err;
  EXPECT_NE(ended.out.find("sound"), std::string::npos);
}

TEST(Dump, LetsNoControlCharacterThrough) {
  const TestRing ring;
  ASSERT_EQ(shmring({"emit", ring.path(), "--body",
                     "\x1b[2J\r\xc2\x9b"
                     "1A\x7f",
                     "--attr", "k\x1b=v\x07"})
                .exit_code,
            0);
  for (const char* format : {"json", "pretty"}) {
    const std::string out = shmring({"dump", ring.path(), "--format", format}).out;
    EXPECT_EQ(out.find_first_of("\x1b\r\x07\x7f"), std::string::npos) << out;
    EXPECT_EQ(out.find("\xc2\x9b"), std::string::npos) << out;
  }
}

}  // namespace
}  // namespace shmring::tools::test
