// SPDX-License-Identifier: Apache-2.0
// What status says about numbers that are made by hand.
#include "tools/status_report.hpp"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace shmring::tools {
namespace {

using namespace std::chrono_literals;

StatusReport good_report() {
  StatusReport report;
  report.path = "/dev/shm/x.ring";
  report.geometry = {.file_bytes = 5000, .block_bytes = 16384, .block_count = 100};
  report.accounting.blocks = {.total = 100, .free = 80, .open = 15, .sealed = 5};
  report.accounting.closing = Closing::kCloses;
  report.accounting.total.written = 1812;
  report.accounting.total.outcomes[0] = 1800;
  report.accounting.total.pending = 12;
  report.accounting.signals[0] = report.accounting.total;
  report.writers = {.slots = 16, .live = 6};
  report.flusher = {
      .state = FlusherState::kRunning, .pid = 4711, .epoch = 3, .heartbeat_age = 40ms, .interval = 200ms};
  return report;
}

TEST(StatusJson, HasTheNamesThatScriptsRead) {
  const auto json = nlohmann::json::parse(as_json(good_report()));
  EXPECT_EQ(json["ring"]["path"], "/dev/shm/x.ring");
  EXPECT_EQ(json["ring"]["capacity_bytes"], 1638400);
  EXPECT_EQ(json["ring"]["blocks"]["sealed"], 5);
  EXPECT_EQ(json["accounting"]["attempted"], 1812);
  EXPECT_EQ(json["accounting"]["accepted"], 1800);
  EXPECT_EQ(json["accounting"]["pending"], 12);
  EXPECT_EQ(json["accounting"]["closes"], true);
  EXPECT_EQ(json["accounting"]["duplicates_possible"], 0);
  EXPECT_EQ(json["accounting"]["dropped"].size(), kDropCauseCount);
  EXPECT_EQ(json["accounting"]["signals"]["logs"]["written"], 1812);
  EXPECT_EQ(json["accounting"]["signals"]["traces"]["written"], 0);
  EXPECT_EQ(json["writers"]["live"], 6);
  EXPECT_EQ(json["writers"]["dead"], 0);
  EXPECT_EQ(json["flusher"]["state"], "running");
  EXPECT_EQ(json["flusher"]["pid"], 4711);
  EXPECT_EQ(json["flusher"]["epoch"], 3);
  EXPECT_EQ(json["flusher"]["heartbeat_age_ms"], 40);
}

TEST(StatusJson, SaysNeitherYesNorNoWhileTheRingIsInMotion) {
  StatusReport report = good_report();
  report.accounting.closing = Closing::kInMotion;
  report.later = report.accounting;
  report.later->total.written = 1900;
  const auto json = nlohmann::json::parse(as_json(report));
  EXPECT_TRUE(json["accounting"]["closes"].is_null());
  EXPECT_EQ(json["accounting"]["in_motion"], true);
  EXPECT_EQ(json["accounting"]["bounds"]["written"], (nlohmann::json{1812, 1900}));
  EXPECT_FALSE(report.bad_news());
  EXPECT_NE(as_text(report).find("written 1,812 to 1,900"), std::string::npos);
}

TEST(StatusJson, StaysJsonWhenThePathIsNoText) {
  StatusReport report = good_report();
  report.path = "/dev/shm/\xff\x1b.ring";
  EXPECT_FALSE(nlohmann::json::parse(as_json(report)).is_null());
  EXPECT_EQ(as_text(report).find('\x1b'), std::string::npos);
}

TEST(StatusText, ShowsCausesOnlyWhereThereAreDrops) {
  StatusReport report = good_report();
  EXPECT_EQ(as_text(report).find("ring_full"), std::string::npos);
  report.accounting.total.dropped[0] = 5;
  EXPECT_NE(as_text(report).find("ring_full"), std::string::npos);
}

TEST(StatusText, NamesThoseWhomNobodyHereCanJudge) {
  StatusReport report = good_report();
  for (std::uint32_t slot = 0; slot < 10; ++slot) {
    report.writers.unknown_holders.push_back(
        {.slot = slot, .pid = 5, .thread = 7, .pid_namespace = 4711, .command = "w\x1b", .age = 40ms});
  }
  report.writers.unknown = 10;
  const std::string text = as_text(report);
  EXPECT_NE(text.find("10 of another pid namespace"), std::string::npos) << text;
  EXPECT_NE(text.find("slot 7: thread 7 of process 5 (w\\x1b) in pid namespace 4711, registered 40 ms ago"),
            std::string::npos)
      << text;
  EXPECT_EQ(text.find("slot 8"), std::string::npos) << text;
  EXPECT_NE(text.find("and 2 more (--output json)"), std::string::npos) << text;
  EXPECT_NE(text.find("--free-slot"), std::string::npos) << text;
  const auto json = nlohmann::json::parse(as_json(report));
  EXPECT_EQ(json["writers"]["unknown_holders"].size(), 10U);
  EXPECT_EQ(json["writers"]["unknown_holders"][9]["slot"], 9);
  EXPECT_EQ(json["writers"]["unknown_holders"][9]["age_ms"], 40);
  EXPECT_EQ(as_text(good_report()).find("--free-slot"), std::string::npos);
}

TEST(Status, IsBadNewsWhenSomethingWasDroppedOrTheAccountingIsOpen) {
  StatusReport report = good_report();
  EXPECT_FALSE(report.bad_news());
  report.accounting.total.dropped[2] = 1;
  EXPECT_TRUE(report.bad_news());
  report = good_report();
  report.accounting.closing = Closing::kOpen;
  EXPECT_TRUE(report.bad_news());
  EXPECT_NE(as_text(report).find("DOES NOT CLOSE"), std::string::npos);
}

TEST(Check, IsFineWithinItsThresholds) {
  const CheckResult result = check(good_report(), {});
  EXPECT_TRUE(result.fine);
  EXPECT_EQ(result.line,
            "SHMRING OK - fill 20.0%, 0 dropped, 12 pending, flusher running, heartbeat 40 ms ago | "
            "fill=20.0%;;90 drops=0c;;0 "
            "pending=12 heartbeat_age=0.040s;;5\n");
}

TEST(Check, NamesEachThresholdThatIsPassed) {
  StatusReport report = good_report();
  report.accounting.total.dropped[0] = 3;
  report.flusher.heartbeat_age = 6s;
  const CheckResult result = check(report, {.max_fill_percent = 10});
  EXPECT_FALSE(result.fine);
  EXPECT_TRUE(result.line.starts_with(
      "SHMRING CRITICAL: flusher's heartbeat too old, ring too full, records dropped - "));
  EXPECT_TRUE(check(report, {.max_heartbeat_age = 7s, .max_drops = 3}).fine);
}

TEST(Check, MissesAFlusherThatIsNotThere) {
  StatusReport report = good_report();
  report.flusher.state = FlusherState::kNone;
  EXPECT_TRUE(check(report, {}).line.starts_with("SHMRING CRITICAL: no flusher - "));
}

}  // namespace
}  // namespace shmring::tools
