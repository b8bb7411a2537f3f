// SPDX-License-Identifier: Apache-2.0
// SIGHUP: the configuration is read again. What can change does, without a loss; what cannot, or is wrong, changes nothing.

#include "flusher/configuration.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <fstream>
#include <string>

#include "tests/flusher/scrape.hpp"
#include "tests/flusher/stage.hpp"

namespace shmring::flusher {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

/// A flusher whose configuration lies in a file.
struct Reloaded {
  const Stage stage;
  std::filesystem::path file = stage.ring.folder() / "flusher.conf";
  std::optional<FlusherProcess> flusher;

  void start(const std::string& text, const std::vector<std::string>& more = {}) {
    std::ofstream(file) << text;
    std::vector<std::string> arguments{"--ring", stage.ring.path(), "--config", file};
    arguments.insert(arguments.end(), more.begin(), more.end());
    flusher.emplace(SHMRING_FLUSHER, arguments, stage.log);
    ASSERT_TRUE(flusher->says("event=started"));  // before that a SIGHUP ends it, as any program
  }
  std::size_t times(const std::string& text) const {
    const std::string log = flusher->log_text();
    std::size_t count = 0;
    for (std::size_t at = log.find(text); at != std::string::npos; at = log.find(text, at + 1)) ++count;
    return count;
  }
  /// And waits until it has been dealt with.
  void reload() {
    const std::size_t before = times("event=files_reopened");
    flusher->signal(SIGHUP);
    ASSERT_TRUE(eventually([&] { return times("event=files_reopened") > before; }));
  }
  void reload(const std::string& text) {
    std::ofstream(file) << text;
    reload();
  }
};

std::string otlp(const Backend& backend, const std::string& more = "") {
  return "exporter = otlp\ninterval = 10ms\nretry-initial = 5ms\nretry-longest = 20ms\nendpoint = " +
         backend.server.url() + "\n" + more;
}

TEST(Reload, AnotherEndpointGetsWhatTheFirstDidNotTake) {
  Reloaded given;
  Backend first;
  Backend second;
  first.script = [](const HttpRequest&) { return HttpReply{.status = 503}; };
  given.stage.emit(0, 100);
  given.start(otlp(first, "batch-records = 10\n"));
  ASSERT_TRUE(eventually([&] { return first.server.requests() > 5; }));
  given.reload(otlp(second, "batch-records = 10\n"));
  ASSERT_TRUE(given.stage.reaches(Outcome::kAccepted, 100));
  EXPECT_EQ(second.received(), numbers(100));
  EXPECT_THAT(given.flusher->log_text(),
              HasSubstr("event=reloaded changed=logs-endpoint,traces-endpoint,metrics-endpoint"));
  given.stage.emit(100, 100);
  EXPECT_EQ(given.flusher->stop(), 0);
  EXPECT_EQ(second.received(), numbers(200));
  const Accounting accounting = given.stage.accounting();
  EXPECT_EQ(accounting.closing, Closing::kCloses);
  EXPECT_EQ(accounting.total.duplicates_possible, 0U);
  EXPECT_EQ(given.times("event=started"), 1U);  // it never gave up its lease
}

TEST(Reload, WhatIsUnderWayGetsItsAnswerAndIsNotSentAgain) {
  Reloaded given;
  Backend first;
  Backend second;
  first.script = [&](const HttpRequest&) {
    first.hold();
    return HttpReply{};
  };
  given.stage.emit(0, 10);
  given.start(otlp(first));
  ASSERT_TRUE(eventually([&] { return first.server.requests() == 1; }));
  std::ofstream(given.file) << otlp(second);
  given.flusher->signal(SIGHUP);
  ASSERT_TRUE(given.flusher->says("event=reloaded"));
  given.stage.emit(10, 10);
  EXPECT_EQ(given.stage.outcome(Outcome::kAccepted), 0U);
  first.let_go();
  ASSERT_TRUE(given.stage.reaches(Outcome::kAccepted, 20));
  EXPECT_EQ(first.received(), numbers(10));
  EXPECT_EQ(second.received().size(), 10U);
  EXPECT_EQ(given.stage.accounting().total.duplicates_possible, 0U);
}

TEST(Reload, WhatOneDestinationHadTakenAlreadyIsCountedWhenItGetsItAgain) {
  Reloaded given;
  Backend first;
  Backend second;
  first.script = [](const HttpRequest&) { return HttpReply{.status = 503}; };
  const std::vector<std::string> to_both{"--exporter", "otlp,file", "--file", given.stage.out};
  given.stage.emit(0, 10);
  given.start(otlp(first), to_both);
  ASSERT_TRUE(eventually([&] { return given.stage.bodies_in_file().size() == 10; }));
  given.reload(otlp(second));
  ASSERT_TRUE(given.stage.reaches(Outcome::kAccepted, 10));
  EXPECT_EQ(second.received(), numbers(10));
  EXPECT_EQ(given.stage.bodies_in_file().size(), 20U);
  EXPECT_EQ(given.stage.accounting().total.duplicates_possible, 10U);
}

TEST(Reload, WhatIsNeverAnsweredIsSentAgainAndCounted) {
  Reloaded given;
  Backend first;
  Backend second;
  first.script = [&](const HttpRequest&) { return first.hold(); };
  given.stage.emit(0, 10);
  given.start(otlp(first, "shutdown-timeout = 50ms\n"));
  ASSERT_TRUE(eventually([&] { return first.server.requests() == 1; }));
  given.reload(otlp(second));
  ASSERT_TRUE(given.stage.reaches(Outcome::kAccepted, 10));
  EXPECT_EQ(second.received(), numbers(10));
  EXPECT_EQ(given.stage.accounting().total.duplicates_possible, 10U);
}

TEST(Reload, HeadersCompressionAndBatchLimitsHoldFromTheNextRequestOn) {
  Reloaded given;
  Backend backend;
  std::mutex mutex;
  std::vector<HttpRequest> requests;
  backend.script = [&](const HttpRequest& request) {
    const std::lock_guard lock(mutex);
    requests.push_back(request);
    return HttpReply{.then = HttpReply::Then::kClose};  // the backend looks into none of them
  };
  const auto taken = [&] {
    const std::lock_guard lock(mutex);
    return std::exchange(requests, {});
  };
  given.start(otlp(backend, "headers = key=old\n"));
  given.stage.emit(0, 10);
  ASSERT_TRUE(given.stage.reaches(Outcome::kAccepted, 10));
  for (const HttpRequest& request : taken()) {
    EXPECT_EQ(request.header("key"), "old");
    EXPECT_FALSE(request.has("content-encoding"));
  }
  given.reload(otlp(backend, "headers = key=new\ncompression = gzip\nbatch-records = 1\n"));
  given.stage.emit(10, 10);
  ASSERT_TRUE(given.stage.reaches(Outcome::kAccepted, 20));
  const std::vector<HttpRequest> later = taken();
  EXPECT_EQ(later.size(), 10U);
  for (const HttpRequest& request : later) {
    EXPECT_EQ(request.header("key"), "new");
    EXPECT_EQ(request.header("content-encoding"), "gzip");
  }
  EXPECT_THAT(given.flusher->log_text(), HasSubstr("logs-headers"));
  EXPECT_THAT(given.flusher->log_text(), Not(HasSubstr("key")));  // a secret
}

TEST(Reload, IntervalAndTimeoutAndRetryLimitsChange) {
  Reloaded given;
  Backend backend;
  std::atomic<int> requests{0};
  backend.script = [&](const HttpRequest&) {
    switch (requests++) {
      case 0:
        return HttpReply{.status = 503};  // and the next attempt in an hour
      case 1:
        return backend.hold();  // until the timeout
      default:
        return HttpReply{};
    }
  };
  const std::string to_backend = "exporter = otlp\nendpoint = " + backend.server.url() + "\n";
  given.stage.emit(0, 10);
  given.start(to_backend + "interval = 10ms\nretry-initial = 1h\nretry-longest = 1h\ntimeout = 1h\n");
  ASSERT_TRUE(given.flusher->says("event=export_delayed"));
  given.reload(to_backend + "interval = 10ms\nretry-initial = 5ms\nretry-longest = 5ms\ntimeout = 50ms\n");
  ASSERT_TRUE(given.stage.reaches(Outcome::kAccepted, 10));
  given.reload(to_backend + "interval = 1h\n");
  given.stage.emit(10, 10);
  given.reload(to_backend + "interval = 20ms\n");
  ASSERT_TRUE(given.stage.reaches(Outcome::kAccepted, 20));
}

TEST(Reload, ExportersAndLogLevelChange) {
  Reloaded given;
  Backend backend;
  const std::string file = "file = " + given.stage.out.string() + "\ninterval = 10ms\n";
  given.start(file + "exporter = file\n");
  given.stage.emit(0, 10);
  ASSERT_TRUE(given.stage.reaches(Outcome::kAccepted, 10));
  EXPECT_EQ(given.times("level=debug"), 0U);
  given.reload(file + "exporter = file,otlp\nlog-level = debug\nendpoint = " + backend.server.url() + "\n");
  given.stage.emit(10, 10);
  ASSERT_TRUE(given.stage.reaches(Outcome::kAccepted, 20));
  EXPECT_EQ(given.stage.bodies_in_file(), numbers(20));
  EXPECT_EQ(backend.received().size(), 10U);
  EXPECT_TRUE(given.flusher->says("level=debug event=drained"));
}

TEST(Reload, TheSpoolGoesOnWithWhatIsInIt) {
  Reloaded given;
  Backend first;
  Backend second;
  first.script = [](const HttpRequest&) { return HttpReply{.status = 503}; };
  const std::string spool =
      "batch-records = 10\nspool-min-free = 0\nspool = " + (given.stage.ring.folder() / "spool").string() +
      "\n";
  given.start(otlp(first, spool));
  given.stage.emit(0, 200);
  ASSERT_TRUE(given.stage.reaches(Outcome::kSpooled, 100));
  given.reload(otlp(second, spool));
  given.stage.emit(200, 50);
  ASSERT_TRUE(eventually([&] { return second.received() == numbers(250); }));
  EXPECT_EQ(given.flusher->stop(), 0);
  EXPECT_EQ(given.stage.accounting().total.pending, 0U);
}

TEST(Reload, ABadConfigurationIsAnErrorAndTheOldOneStays) {
  Reloaded given;
  Backend backend;
  const std::string good = otlp(backend);
  given.start(good, {"--metrics-listen", "0"});
  int emitted = 0;
  const auto refuses = [&](const std::string& text, const std::string& why) {
    const std::size_t before = given.times("event=reload_refused");
    given.reload(text);
    EXPECT_EQ(given.times("event=reload_refused"), before + 1) << text;
    EXPECT_THAT(given.flusher->log_text(), HasSubstr(why));
    given.stage.emit(emitted, 10);
    emitted += 10;
    ASSERT_TRUE(given.stage.reaches(Outcome::kAccepted, static_cast<std::uint64_t>(emitted)));
  };
  refuses("intervall = 1s\n", "flusher.conf:1: unknown key 'intervall'");
  refuses(good + "batch-records = 0\n", "'0' is not from 1 to 8192");
  refuses(good + "ring = /dev/shm/other.ring\nspool = /nowhere\n", "restart it: spool");
  refuses("exporter = file\nfile = /not/here/x.jsonl\n", "there is no folder /not/here");
  std::ofstream(given.stage.ring.folder() / "no-folder") << "a file";
  const std::size_t undone = given.times("event=reload_undone");
  given.reload(good + "dead-letter = " + (given.stage.ring.folder() / "no-folder").string() + "\n");
  EXPECT_TRUE(eventually([&] { return given.times("event=reload_undone") > undone; }));
  given.stage.emit(emitted, 10);
  emitted += 10;
  ASSERT_TRUE(given.stage.reaches(Outcome::kAccepted, static_cast<std::uint64_t>(emitted)));
  std::filesystem::remove(given.file);
  given.reload();
  EXPECT_TRUE(given.flusher->says("flusher.conf"));
  EXPECT_EQ(backend.received(), numbers(emitted));
  const auto url = testing::metrics_url(*given.flusher);
  EXPECT_THAT(testing::scrape(url)["shmring_reloads_total{result=\"refused\"}"], ::testing::Optional(5));
  EXPECT_EQ(given.flusher->stop(), 0);
}

TEST(Configuration, WhatOnlyARestartChangesIsNamed) {
  const Config running;
  Config other;
  EXPECT_THAT(fixed_differences(running, other), IsEmpty());
  other.ring = "/x";
  other.once = Once::kYes;
  other.replay_dead_letters = Once::kYes;
  other.spool = "/y";
  other.metrics_listen = "1";
  EXPECT_THAT(fixed_differences(running, other),
              ElementsAre("ring", "once", "replay-dead-letters", "spool", "metrics-listen"));
}

TEST(Configuration, DifferencesAreNamedWithoutTheirValues) {
  const Config running;
  Config other;
  EXPECT_THAT(differences(running, other), IsEmpty());
  other.memory_limit *= 2;
  other.otlp[1].headers = {{"key", "secret"}};
  EXPECT_THAT(differences(running, other), ElementsAre("memory-limit", "traces-headers"));
  Config third = other;
  third.otlp[1].headers = {{"key", "another"}};
  EXPECT_THAT(differences(other, third), ElementsAre("traces-headers"));
}

}  // namespace
}  // namespace shmring::flusher
