// SPDX-License-Identifier: Apache-2.0
// What each destination took and refused, by itself, and in the program from one flusher to the next.

#include "flusher/destination_ledger.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <fstream>
#include <string>

#include "tests/flusher/scrape.hpp"
#include "tests/flusher/stage.hpp"

namespace shmring::flusher {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

TEST(Ledger, CountsFatesBySignal) {
  DestinationLedger ledger;
  ledger.on_settled("otlp", Signal::kLogs, 10, {.rejected = 3, .dead_lettered = 2});
  ledger.on_settled("otlp", Signal::kTraces, 4, {.outcome = SendOutcome::kRejected});
  ASSERT_EQ(ledger.books().size(), 1U);
  const spool::DestinationBooks& books = ledger.books()[0];
  EXPECT_EQ(books.lanes[0].accepted, 5U);
  EXPECT_EQ(books.lanes[0].rejected, 3U);
  EXPECT_EQ(books.lanes[0].dead_lettered, 2U);
  EXPECT_GT(books.lanes[0].last_success_ms, 0);
  EXPECT_EQ(books.lanes[1].rejected, 4U);
  EXPECT_EQ(books.lanes[1].last_success_ms, 0);
}

TEST(Ledger, KeepsTheLastErrorAndItsBeginningOnly) {
  DestinationLedger ledger;
  const auto fails = [&](const SendResult& result) {
    ledger.on_attempt_ended("otlp", Signal::kMetrics, result);
  };
  fails({.outcome = SendOutcome::kRetryable, .reason = "refused"});
  fails({});  // a success is no error, and does not undo one
  fails({.outcome = SendOutcome::kRetryable, .reason = "the flusher ends", .is_given_up = true});
  ASSERT_TRUE(ledger.books()[0].last_error);
  EXPECT_EQ(ledger.books()[0].last_error->text, "refused");
  EXPECT_EQ(ledger.books()[0].last_error->signal, Signal::kMetrics);
  std::string umlauts;
  for (int i = 0; i < 200; ++i) umlauts += "\u00e4";
  fails({.outcome = SendOutcome::kRejected, .reason = "x" + umlauts});
  EXPECT_EQ(ledger.books()[0].last_error->text, "x" + umlauts.substr(0, 198) + "...");
  fails({.rejected = 1, .reason = "one of them"});
  EXPECT_EQ(ledger.books()[0].last_error->text, "one of them");
}

TEST(Ledger, IsNotedAtMostOnceASecondAndAtTheEnd) {
  const testing::ScratchRing ring;
  const RingFile file = ring.attach();
  const auto accepted = [&] { return spool::destinations_of(file).at(0).lanes[0].accepted; };
  DestinationLedger ledger;
  ledger.begin(file, {"otlp"});
  const TimePoint now = Clock::now();
  ASSERT_TRUE(ledger.note(file, now));
  EXPECT_EQ(accepted(), 0U);
  ledger.on_settled("otlp", Signal::kLogs, 10, {});
  ASSERT_TRUE(ledger.note(file, now + std::chrono::milliseconds(999)));
  EXPECT_EQ(accepted(), 0U);
  ASSERT_TRUE(ledger.note(file, now + std::chrono::seconds(1)));
  EXPECT_EQ(accepted(), 10U);
  ledger.on_settled("otlp", Signal::kLogs, 10, {});
  ASSERT_TRUE(ledger.note_now(file));
  EXPECT_EQ(accepted(), 20U);
}

TEST(Ledger, GoesOnFromOneFlusherToTheNext) {
  const Stage stage;
  Backend backend;
  std::atomic<int> status{401};
  backend.script = [&](const HttpRequest&) { return HttpReply{.status = status}; };
  const auto books = [&] {
    for (const auto& each : spool::destinations_of(stage.ring.attach(Access::kReadOnly)))
      if (each.name == "otlp") return each;
    return spool::DestinationBooks{};
  };
  const std::vector<std::string> arguments =
      backend.arguments({"--interval", "10ms", "--headers", "key=hush", "--metrics-listen", "0"});
  {
    FlusherProcess flusher = stage.start(arguments);
    stage.emit(0, 10);
    ASSERT_TRUE(stage.reaches(Outcome::kRejected, 10));
    status = 200;
    stage.emit(10, 20);
    ASSERT_TRUE(eventually([&] { return books().total().accepted == 20; }));
    const std::string scraped = testing::http_get(testing::metrics_url(flusher) + "/metrics").body;
    EXPECT_THAT(scraped, HasSubstr("shmring_last_error_timestamp_seconds{destination=\"otlp\"} 1"));
    EXPECT_THAT(scraped, ::testing::ContainsRegex(
                             "shmring_last_error_info.destination=\"otlp\",signal=\"logs\",error=\".*401"));
    EXPECT_EQ(flusher.stop(SIGKILL), 128 + SIGKILL);
  }
  FlusherProcess next(SHMRING_FLUSHER, stage.arguments(arguments), stage.ring.folder() / "next.log");
  ASSERT_TRUE(next.says("event=started"));
  stage.emit(30, 5);
  ASSERT_TRUE(stage.reaches(Outcome::kAccepted, 25));
  EXPECT_EQ(next.stop(), 0);
  EXPECT_EQ(books().total().accepted, 25U);
  EXPECT_EQ(books().total().rejected, 10U);
  EXPECT_GT(books().total().last_success_ms, 1'700'000'000'000);
  ASSERT_TRUE(books().last_error);
  EXPECT_THAT(books().last_error->text, HasSubstr("401"));
  std::ifstream in(spool::destinations_path(stage.ring.path()));
  EXPECT_THAT(std::string((std::istreambuf_iterator<char>(in)), {}), Not(HasSubstr("hush")));
}

}  // namespace
}  // namespace shmring::flusher
