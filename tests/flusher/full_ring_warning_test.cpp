// SPDX-License-Identifier: Apache-2.0
#include "flusher/full_ring_warning.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "tests/flusher/stage.hpp"

namespace shmring::flusher {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using namespace std::chrono_literals;

/// Two destinations, and what is said of them.
struct TwoDestinations {
  std::vector<std::string> lines;
  Log log{LogLevel::kInfo, [this](std::string_view line) { lines.emplace_back(line); }};
  testing::FakeExporter otlp;
  testing::FakeExporter file;
  std::vector<Destination> destinations{{&otlp, "otlp"}, {&file, "file"}};
  Delivery delivery{destinations, {}, [](const Batch&, const BatchOutcome&) {}};
  TimePoint now = Clock::now();

  void look(double fill) { warn_of_full_ring(fill, delivery, destinations, log, now); }
};

TEST(FullRingWarning, NamesWhoIsAwayHowFullItIsSinceWhenAndWhatToDo) {
  TwoDestinations given;
  given.look(0.9);
  EXPECT_THAT(given.lines, IsEmpty()) << "all are well: a burst";
  given.delivery.note_failure(0, Signal::kTraces, given.now - 12s);
  given.delivery.note_failure(0, Signal::kTraces, given.now - 2s);
  given.delivery.note_failure(0, Signal::kLogs, given.now - 1s);
  given.look(0.49);
  EXPECT_THAT(given.lines, IsEmpty());
  given.look(0.62);
  ASSERT_EQ(given.lines.size(), 1U);
  EXPECT_THAT(
      given.lines[0],
      AllOf(HasSubstr("level=warning event=ring_fills destination=otlp ring_fill=62% failing_since=20"),
            HasSubstr("failing_for=12s"), HasSubstr("--spool DIR")));
}

TEST(FullRingWarning, ComesAtMostOnceInTenSecondsForADestination) {
  TwoDestinations given;
  given.delivery.note_failure(0, Signal::kLogs, given.now);
  for (int i = 0; i < 5; ++i) given.look(1);
  given.delivery.note_failure(1, Signal::kLogs, given.now);
  given.look(1);
  ASSERT_EQ(given.lines.size(), 2U);
  EXPECT_THAT(given.lines[1], HasSubstr("destination=file"));
  given.now += 10s;
  given.look(1);
  EXPECT_EQ(given.lines.size(), 4U);
}

TEST(FullRingWarning, EndsWhenTheDestinationTakesSomething) {
  TwoDestinations given;
  given.delivery.send({.signal = Signal::kLogs, .number = 1, .request = "request", .records = 1});
  given.delivery.note_failure(0, Signal::kLogs, given.now);
  given.otlp.answer(0);
  given.look(1);
  EXPECT_THAT(given.lines, IsEmpty());
}

TEST(FullRingWarning, IsSaidByTheProgramWithoutASpool) {
  const Stage stage({.blocks = 16});
  Backend backend;
  backend.script = [](const HttpRequest&) { return HttpReply{.status = 503}; };
  FlusherProcess flusher = stage.start(backend.arguments({"--interval", "10ms"}));
  Logger logger = stage.ring.open().logger("test");
  for (int i = 0; i < 80; ++i) logger.emit(Severity::kInfo, std::string(500, 'x'));  // 10 blocks
  EXPECT_TRUE(flusher.says("event=ring_fills destination=otlp"));
  EXPECT_THAT(flusher.log_text(), HasSubstr("--spool DIR"));
}

TEST(FullRingWarning, IsNotSaidByTheProgramWithASpoolThatIsFull) {
  const Stage stage({.blocks = 16});
  Backend backend;
  backend.script = [](const HttpRequest&) { return HttpReply{.status = 503}; };
  FlusherProcess flusher =
      stage.start(backend.arguments({"--interval", "10ms", "--batch-records", "10", "--spool-min-free",
                                     "1000000GiB", "--spool", stage.ring.folder() / "spool"}));
  Logger logger = stage.ring.open().logger("test");
  for (int i = 0; i < 80; ++i) logger.emit(Severity::kInfo, std::string(500, 'x'));
  ASSERT_TRUE(flusher.says("event=spool_refuses"));  // that says it all
  const unsigned before = backend.server.requests();
  ASSERT_TRUE(eventually([&] { return backend.server.requests() > before + 2; }));  // several ticks later
  EXPECT_THAT(flusher.log_text(), Not(HasSubstr("event=ring_fills")));
}

}  // namespace
}  // namespace shmring::flusher
