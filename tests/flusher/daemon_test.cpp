// SPDX-License-Identifier: Apache-2.0
// The program itself: on real rings, against real files and a real server, killed and started again.

#include "flusher/daemon.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <set>

#include "shmring/shmring.hpp"
#include "tests/flusher/stage.hpp"
#include "tests/support/scale.hpp"
#include "tests/support/scratch_ring.hpp"

namespace shmring::flusher {
namespace {

using ::testing::HasSubstr;

TEST(Flusher, OnceExportsWhatIsThereAndEnds) {
  const Stage stage;
  stage.emit(0, 100);
  EXPECT_EQ(stage.start({"--once"}).wait(), 0);
  EXPECT_EQ(stage.bodies_in_file(), numbers(100));
  const Accounting accounting = stage.accounting();
  EXPECT_EQ(accounting.closing, Closing::kCloses);
  EXPECT_EQ(accounting.total.outcomes[static_cast<std::size_t>(Outcome::kAccepted)], 100U);
  EXPECT_EQ(accounting.total.pending, 0U);
}

TEST(Flusher, OnceSaysWhenSomethingWasRefused) {
  const Stage stage;
  Backend backend;
  backend.script = [](const HttpRequest&) { return HttpReply{.status = 400, .body = "no"}; };
  stage.emit(0, 10);
  FlusherProcess flusher = stage.start(backend.arguments({"--once"}));
  EXPECT_EQ(flusher.wait(), 1);
  EXPECT_EQ(backend.server.requests(), 3U) << "the batch and its halves";
  EXPECT_EQ(stage.outcome(Outcome::kRejected), 10U);
  EXPECT_THAT(flusher.log_text(), HasSubstr("HTTP status 400: no"));
}

TEST(Flusher, OnceLeavesInTheRingWhatCannotBeDelivered) {
  const Stage stage;
  stage.emit(0, 10);
  {
    Backend gone;
    gone.server.stop();
    FlusherProcess flusher = stage.start(gone.arguments({"--once", "--shutdown-timeout", "100ms"}));
    EXPECT_EQ(flusher.wait(), 1);
    EXPECT_THAT(flusher.log_text(), HasSubstr("left_in_ring"));
  }
  EXPECT_EQ(stage.accounting().total.pending, 10U);
  EXPECT_EQ(stage.start({"--once"}).wait(), 0);
  EXPECT_EQ(stage.bodies_in_file(), numbers(10));
}

TEST(Flusher, DrainsOnItsScheduleAndOnceMoreAtSigterm) {
  const Stage stage;
  FlusherProcess flusher = stage.start({"--interval", "20ms"});
  stage.emit(0, 10);
  ASSERT_TRUE(stage.reaches(Outcome::kAccepted, 10));
  flusher.signal(SIGSTOP);
  stage.emit(10, 10);
  flusher.signal(SIGTERM);
  flusher.signal(SIGCONT);
  EXPECT_EQ(flusher.wait(), 0);
  EXPECT_EQ(stage.bodies_in_file(), numbers(20));
}

TEST(Flusher, IsWokenAheadOfItsScheduleWhenTheRingFills) {
  const Stage stage({.blocks = 32});
  FlusherProcess flusher = stage.start({"--interval", "1h"});
  ASSERT_TRUE(flusher.says("event=started"));
  Logger logger = stage.ring.open().logger("test");
  int count = 0;
  ASSERT_TRUE(eventually([&] {
    if (logger.emit(Severity::kInfo, std::string(200, 'x'))) ++count;
    return stage.outcome(Outcome::kAccepted) > 0;
  }));
  EXPECT_EQ(flusher.stop(), 0);
  EXPECT_EQ(stage.bodies_in_file().size(), static_cast<std::size_t>(count));
}

TEST(Flusher, MakesTheRingWhereThereIsNone) {
  const testing::ScratchFolder folder;
  const std::string ring = folder.path() / "new.ring";
  FlusherProcess flusher(SHMRING_FLUSHER,
                         {"--ring", ring, "--size", "1MiB", "--block-size", "4KiB", "--file",
                          folder.path() / "o.jsonl", "--once"},
                         folder.path() / "log");
  EXPECT_EQ(flusher.wait(), 0);
  const auto file = RingFile::attach(ring, Access::kReadOnly);
  ASSERT_TRUE(file);
  EXPECT_EQ(file->geometry().capacity_bytes(), 1U << 20U);
  EXPECT_EQ(file->geometry().block_bytes, 4096U);
}

TEST(Flusher, EndsWithACodeOfItsOwnForEachKindOfMistake) {
  const testing::ScratchFolder folder;
  std::ofstream(folder.path() / "garbage") << "this is no ring";
  const auto code = [&](const std::vector<std::string>& arguments) {
    return FlusherProcess(SHMRING_FLUSHER, arguments, folder.path() / "log").wait();
  };
  EXPECT_EQ(code({"--version"}), 0);
  EXPECT_EQ(code({"--check"}), 0);
  EXPECT_EQ(code({"--check", "--exporter", "otlp", "--endpoint", "http://127.0.0.1:1"}), 1);
  EXPECT_EQ(code({"--no-such-option"}), 2);
  EXPECT_EQ(code({"--exporter", "otlp", "--protocol", "smoke"}), 2);
  EXPECT_EQ(code({"--ring", folder.path() / "garbage"}), 3);
  EXPECT_EQ(code({"--ring", folder.path() / "r", "--file", "/nonexistent/x.jsonl"}), 3);
}

TEST(Flusher, RetriesUntilTheServerTakesIt) {
  const Stage stage;
  Backend backend;
  std::atomic<int> refusals{5};
  backend.script = [&](const HttpRequest&) { return HttpReply{.status = refusals-- > 0 ? 503 : 200}; };
  stage.emit(0, 50);
  EXPECT_EQ(stage.start(backend.arguments({"--once", "--batch-records", "10"})).wait(), 0);
  EXPECT_EQ(backend.received(), numbers(50));
  EXPECT_EQ(stage.outcome(Outcome::kAccepted), 50U);
  EXPECT_EQ(stage.accounting().total.duplicates_possible, 0U);
}

TEST(Flusher, KilledMidRequestLosesNothingAndRepeatsNoMoreThanWasUnderWay) {
  constexpr int kRecords = 500;
  constexpr unsigned kInFlight = 3;
  constexpr unsigned kBatch = 20;
  const Stage stage;
  const std::vector<std::string> limits{"--max-in-flight", "3",    "--batch-records", "20",
                                        "--interval",      "10ms", "--timeout",       "5m"};
  Backend backend;
  // Takes the first seven batches, whatever the order in which they come in; then a window's worth more, about which it
  // is silent: nobody knows whether those arrived.
  std::multiset<std::string> unanswered;
  backend.script = [&](const HttpRequest& request) {
    const std::vector<std::string> bodies = testing::bodies_of(request.body);
    if (std::stoul(bodies.front()) < 7 * kBatch) return HttpReply{};
    {
      const std::lock_guard lock(backend.mutex);
      unanswered.insert(bodies.begin(), bodies.end());
    }
    return backend.hold();
  };
  stage.emit(0, kRecords);
  {
    FlusherProcess flusher = stage.start(backend.arguments(limits));
    ASSERT_TRUE(eventually([&] { return backend.server.requests() == 7 + kInFlight; }));
    EXPECT_EQ(flusher.stop(SIGKILL), 128 + SIGKILL);
  }
  EXPECT_EQ(stage.accounting().closing, Closing::kCloses);
  const std::multiset<std::string> before = backend.received();
  Backend second;
  FlusherProcess successor = stage.start(second.arguments(limits));
  ASSERT_TRUE(stage.reaches(Outcome::kAccepted, kRecords));
  EXPECT_EQ(successor.stop(), 0);
  std::multiset<std::string> all = second.received();
  all.insert(before.begin(), before.end());
  all.insert(unanswered.begin(), unanswered.end());
  std::set<std::string> distinct(all.begin(), all.end());
  EXPECT_EQ(distinct.size(), static_cast<std::size_t>(kRecords));
  EXPECT_LE(all.size() - distinct.size(), kInFlight * kBatch);
  EXPECT_GT(all.size(), distinct.size());  // the fault happened
  EXPECT_GE(stage.accounting().total.duplicates_possible, all.size() - distinct.size());
  EXPECT_EQ(stage.accounting().closing, Closing::kCloses);
}

TEST(Flusher, AnAnswerThatIsLostIsCountedAsAPossibleDuplicate) {
  const Stage stage;
  Backend backend;
  std::atomic<bool> is_first{true};
  backend.script = [&](const HttpRequest&) {
    return HttpReply{.then = is_first.exchange(false) ? HttpReply::Then::kReset : HttpReply::Then::kKeepOpen};
  };
  stage.emit(0, 10);
  EXPECT_EQ(stage.start(backend.arguments({"--once"})).wait(), 0);
  EXPECT_EQ(backend.received(), numbers(10));
  EXPECT_EQ(stage.accounting().total.duplicates_possible, 10U);
}

TEST(Flusher, ADeadTraceBackendHoldsUpNoLogs) {
  const Stage stage;
  Backend backend;
  stage.emit_span();
  FlusherProcess flusher =
      stage.start(backend.arguments({"--interval", "10ms", "--traces-endpoint", "http://127.0.0.1:1/"}));
  for (int i = 0; i < 5; ++i) {
    stage.emit(i * 10, 10);
    stage.emit_span();
    ASSERT_TRUE(stage.reaches(Outcome::kAccepted, static_cast<std::uint64_t>(i + 1) * 10));
  }
  EXPECT_EQ(backend.received(), numbers(50));
  EXPECT_EQ(stage.accounting().signals[static_cast<std::size_t>(Signal::kTraces)].pending, 6U);
}

TEST(Flusher, AStandbyTakesOverWhenTheHolderIsKilled) {
  const Stage stage;
  FlusherProcess holder = stage.start({"--interval", "10ms"});
  stage.emit(0, 10);
  ASSERT_TRUE(stage.reaches(Outcome::kAccepted, 10));
  FlusherProcess standby(SHMRING_FLUSHER, stage.arguments({"--interval", "10ms"}),
                         stage.ring.folder() / "standby.log");
  ASSERT_TRUE(standby.says("event=standing_by"));
  EXPECT_EQ(stage.start({"--once"}).wait(), 3);  // nobody stands by for one drain
  holder.signal(SIGSTOP);                        // a stopped holder keeps its lease
  stage.emit(10, 10);
  EXPECT_EQ(stage.outcome(Outcome::kAccepted), 10U);
  holder.signal(SIGKILL);
  ASSERT_TRUE(stage.reaches(Outcome::kAccepted, 20));
  EXPECT_EQ(standby.stop(), 0);
  EXPECT_EQ(stage.bodies_in_file(), numbers(20));
}

TEST(Flusher, AStandbyCanBeStopped) {
  const Stage stage;
  const FlusherProcess holder = stage.start({});
  ASSERT_TRUE(holder.says("event=started"));
  FlusherProcess standby(SHMRING_FLUSHER, stage.arguments({}), stage.ring.folder() / "standby.log");
  ASSERT_TRUE(standby.says("event=standing_by"));
  EXPECT_EQ(standby.stop(), 0);
}

TEST(Flusher, StoppedDuringAnOutageItLeavesEverythingToItsSuccessor) {
  const Stage stage;
  Backend backend;
  backend.script = [](const HttpRequest&) { return HttpReply{.status = 503}; };
  FlusherProcess flusher =
      stage.start(backend.arguments({"--interval", "10ms", "--shutdown-timeout", "50ms"}));
  stage.emit(0, 10);
  ASSERT_TRUE(eventually([&] { return backend.server.requests() > 2; }));
  EXPECT_EQ(flusher.stop(), 1);
  EXPECT_EQ(stage.accounting().total.pending, 10U);
  EXPECT_EQ(stage.accounting().blocks.pinned, 0U);
  EXPECT_EQ(stage.start({"--once"}).wait(), 0);
  EXPECT_EQ(stage.bodies_in_file(), numbers(10));
  EXPECT_EQ(stage.accounting().total.duplicates_possible, 0U);
}

TEST(Flusher, SendsEachBatchToEveryExporter) {
  const Stage stage;
  Backend backend;
  stage.emit(0, 30);
  EXPECT_EQ(stage.start(backend.arguments({"--once", "--exporter", "file", "--exporter", "console"})).wait(),
            0);
  EXPECT_EQ(backend.received(), numbers(30));
  EXPECT_EQ(stage.bodies_in_file(), numbers(30));
  EXPECT_EQ(stage.outcome(Outcome::kAccepted), 30U);
}

TEST(Flusher, ReopensItsFilesAtSighup) {
  const Stage stage;
  FlusherProcess flusher = stage.start({"--interval", "10ms"});
  stage.emit(0, 10);
  ASSERT_TRUE(stage.reaches(Outcome::kAccepted, 10));
  std::filesystem::rename(stage.logs, stage.ring.folder() / "rotated");
  flusher.signal(SIGHUP);
  ASSERT_TRUE(flusher.says("event=files_reopened"));
  stage.emit(10, 10);
  ASSERT_TRUE(stage.reaches(Outcome::kAccepted, 20));
  EXPECT_EQ(flusher.stop(), 0);
  EXPECT_EQ(stage.bodies_in_file().size(), 10U);
}

TEST(Flusher, KeepsItsMemoryLimitWhenNothingCanBeDelivered) {
  if (testing::kSlowdown > 1) GTEST_SKIP() << "a sanitizer's memory is not the program's";
  const Stage stage({.blocks = 8192, .block_bytes = 16384});  // 128 MiB
  Logger logger = stage.ring.open().logger("test");
  int count = 0;
  const std::string body(1000, 'x');
  while (logger.emit(Severity::kInfo, body)) ++count;
  FlusherProcess flusher =
      stage.start({"--exporter", "otlp", "--endpoint", "http://127.0.0.1:1", "--interval", "10ms",
                   "--memory-limit", "48MiB", "--compression", "gzip"});
  ASSERT_TRUE(flusher.says("event=export_delayed"));
  const auto used_kib = [&] {
    std::ifstream status("/proc/" + std::to_string(flusher.pid()) + "/status");
    std::uint64_t anonymous = 0;
    for (std::string line; std::getline(status, line);) {
      if (line.rfind("RssAnon:", 0) == 0) anonymous = std::stoull(line.substr(8));
    }
    return anonymous;
  };
  for (int look = 0; look < 50; ++look) {
    EXPECT_LT(used_kib(), 48U << 10U);
    const std::uint64_t beat = stage.ring.attach(Access::kReadOnly).header().heartbeat_ns.load();
    ASSERT_TRUE(eventually(
        [&] { return stage.ring.attach(Access::kReadOnly).header().heartbeat_ns.load() != beat; }));
  }
  EXPECT_EQ(stage.accounting().total.pending, static_cast<std::uint64_t>(count));
}

TEST(Daemon, EachSignalHasItsOwnSchedule) {
  const Stage stage;
  FlusherProcess flusher = stage.start({"--logs-interval", "1h", "--traces-interval", "10ms"});
  ASSERT_TRUE(flusher.says("started"));
  stage.emit(0, 3);
  stage.emit_span();
  ASSERT_TRUE(stage.reaches(Outcome::kAccepted, 1));
  EXPECT_EQ(stage.outcome(Outcome::kAccepted), 1U);  // the span; the logs' time has not come
  EXPECT_EQ(flusher.stop(), 0);
  EXPECT_EQ(stage.bodies_in_file(), numbers(3));
}

TEST(Daemon, ARingThatItMakesHasThePolicyOfTheConfiguration) {
  const testing::ScratchFolder folder;
  const std::string ring = folder.path() / "new.ring";
  FlusherProcess flusher(
      SHMRING_FLUSHER, {"--ring", ring, "--size", "1MiB", "--file", folder.path() / "o.jsonl", "--once"},
      folder.path() / "log", {"OTEL_BSP_ON_QUEUE_FULL=drop-oldest", "OTEL_BSP_SCHEDULE_DELAY=x"});
  EXPECT_EQ(flusher.wait(), 0);
  const auto made = RingFile::attach(ring, Access::kReadOnly);
  ASSERT_TRUE(made);
  EXPECT_EQ(made->header().on_full.load(), static_cast<std::uint32_t>(FullPolicy::kDropOldest));
  EXPECT_THAT(flusher.log_text(), HasSubstr("OTEL_BSP_SCHEDULE_DELAY"));
}

}  // namespace
}  // namespace shmring::flusher
