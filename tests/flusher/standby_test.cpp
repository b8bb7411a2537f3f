// SPDX-License-Identifier: Apache-2.0
// Two flushers and one ring: the second takes over from one that is killed, and from one that is stopped and evicted, which can
// acknowledge nothing any more.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <memory>
#include <string>

#include "tests/flusher/stage.hpp"

namespace shmring::flusher {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

struct Standby {
  const Stage stage;
  std::filesystem::path standby_log = stage.ring.folder() / "standby.log";

  FlusherProcess start_standby(const std::vector<std::string>& more) const {
    return {SHMRING_FLUSHER, stage.arguments(more), standby_log};
  }
};

TEST(Standby, TakesOverLongBeforeOneIntervalHasPassed) {
  const Standby pair;
  FlusherProcess holder = pair.stage.start({"--interval", "1h"});
  ASSERT_TRUE(holder.says("event=started"));
  FlusherProcess standby = pair.start_standby({"--interval", "1h"});
  ASSERT_TRUE(standby.says("event=standing_by"));
  pair.stage.emit(0, 10);
  EXPECT_THAT(standby.log_text(), Not(HasSubstr("event=started")));
  EXPECT_EQ(holder.stop(SIGKILL), 128 + SIGKILL);
  ASSERT_TRUE(standby.says("event=started"));  // an hour is longer than any test
  EXPECT_EQ(standby.stop(), 0);
  EXPECT_EQ(pair.stage.bodies_in_file(), numbers(10));
}

TEST(Standby, ManyInARowLoseNothing) {
  const Standby pair;
  constexpr int kRounds = 8;
  auto holder = std::make_unique<FlusherProcess>(SHMRING_FLUSHER, pair.stage.arguments({"--interval", "5ms"}),
                                                 pair.stage.log);
  ASSERT_TRUE(holder->says("event=started"));
  for (int round = 0; round < kRounds; ++round) {
    const std::filesystem::path log = pair.stage.ring.folder() / ("log" + std::to_string(round));
    auto next =
        std::make_unique<FlusherProcess>(SHMRING_FLUSHER, pair.stage.arguments({"--interval", "5ms"}), log);
    ASSERT_TRUE(next->says("event=standing_by"));
    pair.stage.emit(round * 100, 100);
    EXPECT_EQ(holder->stop(SIGKILL), 128 + SIGKILL);
    ASSERT_TRUE(next->says("event=started"));
    holder = std::move(next);
  }
  EXPECT_EQ(holder->stop(), 0);
  const auto bodies = pair.stage.bodies_in_file();
  EXPECT_EQ(std::set<std::string>(bodies.begin(), bodies.end()).size(), kRounds * 100U);
  EXPECT_EQ(pair.stage.accounting().total.pending, 0U);
  EXPECT_EQ(pair.stage.accounting().closing, Closing::kCloses);
}

#ifdef SHMRING_CLI
/// The holder stands still with an answer in its socket that entitles it to acknowledge; its successor has the batch by then.
TEST(Standby, AStoppedHolderThatIsEvictedAcknowledgesNothingAnyMore) {
  const Standby pair;
  Backend backend;
  backend.script = [&](const HttpRequest&) {
    backend.hold();
    return HttpReply{};
  };
  Backend second;
  pair.stage.emit(0, 10);
  FlusherProcess holder = pair.stage.start(backend.arguments({"--interval", "10ms", "--timeout", "5m"}));
  ASSERT_TRUE(eventually([&] { return backend.server.requests() == 1; }));
  FlusherProcess standby = pair.start_standby(second.arguments({"--interval", "10ms"}));
  ASSERT_TRUE(standby.says("event=standing_by"));
  holder.signal(SIGSTOP);
  backend.let_go();
  ASSERT_TRUE(eventually([&] { return backend.received() == numbers(10); }));
  EXPECT_EQ(pair.stage.outcome(Outcome::kAccepted), 0U);
  EXPECT_EQ(second.server.requests(), 0U);

  const std::string evict =
      std::string(SHMRING_CLI) + " flusher evict --force " + pair.stage.ring.path().string() + " >/dev/null";
  EXPECT_EQ(std::system(evict.c_str()), 0);  // NOLINT: a command of our own
  holder.signal(SIGCONT);
  EXPECT_EQ(holder.wait(), 128 + SIGKILL);
  ASSERT_TRUE(pair.stage.reaches(Outcome::kAccepted, 10));
  EXPECT_EQ(second.received(), numbers(10));
  pair.stage.emit(10, 10);
  ASSERT_TRUE(pair.stage.reaches(Outcome::kAccepted, 20));
  EXPECT_EQ(standby.stop(), 0);
  EXPECT_EQ(second.received(), numbers(20));
  const Accounting accounting = pair.stage.accounting();
  EXPECT_EQ(accounting.closing, Closing::kCloses);
  EXPECT_EQ(accounting.total.outcomes[static_cast<std::size_t>(Outcome::kAccepted)], 20U);
  EXPECT_EQ(accounting.total.duplicates_possible, 10U);  // the first backend has them too
  EXPECT_EQ(accounting.total.pending, 0U);
}
#endif

}  // namespace
}  // namespace shmring::flusher
