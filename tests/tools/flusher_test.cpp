// SPDX-License-Identifier: Apache-2.0
// shmring flusher pid|stop|evict against a process that holds the lease.
#include <gtest/gtest.h>
#include <signal.h>

#include <nlohmann/json.hpp>

#include "libshmring/ring_file.hpp"
#include "program.hpp"

namespace shmring::tools::test {
namespace {

class FlusherVerb : public testing::Test {
 protected:
  void hold(const std::string& how) {
    holder_.emplace(std::vector<std::string>{LEASE_HOLDER_PROGRAM, ring_.path(), how});
    ASSERT_TRUE(eventually([&] { return holder_->out_so_far() == "ready\n"; }));
  }
  std::string state() const {
    return nlohmann::json::parse(
        shmring({"status", ring_.path(), "--output", "json"}).out)["flusher"]["state"];
  }
  Ended flusher(const std::string& what, std::vector<std::string> options = {}) const {
    options.insert(options.begin(), {"flusher", what, ring_.path()});
    return shmring(options);
  }

  TestRing ring_;
  std::optional<Program> holder_;
};

TEST_F(FlusherVerb, SaysThatThereIsNone) {
  for (const char* what : {"pid", "stop", "evict"}) {
    const Ended ended = flusher(what);
    EXPECT_EQ(ended.exit_code, 1);
    EXPECT_EQ(ended.out, "");
    EXPECT_NE(ended.err.find("no flusher holds the lease"), std::string::npos) << ended.err;
  }
}

TEST_F(FlusherVerb, PidIsThatOfTheHolder) {
  hold("fresh");
  const Ended ended = flusher("pid");
  EXPECT_EQ(ended.exit_code, 0);
  EXPECT_EQ(ended.out, std::to_string(holder_->pid()) + "\n");
  EXPECT_EQ(state(), "running");
}

TEST_F(FlusherVerb, StopEndsItInOrder) {
  hold("fresh");
  const Ended ended = flusher("stop");
  EXPECT_EQ(ended.exit_code, 0) << ended.err;
  EXPECT_EQ(holder_->wait().exit_code, 0);
  EXPECT_EQ(state(), "none");
}

TEST_F(FlusherVerb, StopGivesUpOnOneThatDoesNotHear) {
  hold("hung");
  const Ended ended = flusher("stop", {"--timeout", "50ms"});
  EXPECT_EQ(ended.exit_code, 1);
  EXPECT_NE(ended.err.find("flusher evict"), std::string::npos) << ended.err;
}

TEST_F(FlusherVerb, EvictEndsAHungOne) {
  hold("hung");
  ASSERT_TRUE(eventually([&] { return state() == "stale"; }));
  const Ended ended = flusher("evict");
  EXPECT_EQ(ended.exit_code, 0) << ended.err;
  EXPECT_EQ(holder_->wait().exit_code, 128 + SIGKILL);
  EXPECT_EQ(state(), "none");
}

TEST_F(FlusherVerb, EvictEndsAStoppedOne) {
  hold("hung");
  holder_->signal(SIGSTOP);
  ASSERT_TRUE(eventually([&] { return state() == "stale"; }));
  EXPECT_EQ(flusher("evict").exit_code, 0);
  EXPECT_EQ(holder_->wait().exit_code, 128 + SIGKILL);
}

TEST_F(FlusherVerb, EvictLeavesAHealthyOneAloneUnlessForced) {
  hold("fresh");
  const Ended refused = flusher("evict");
  EXPECT_EQ(refused.exit_code, 1);
  EXPECT_NE(refused.err.find("flusher stop"), std::string::npos) << refused.err;
  EXPECT_EQ(state(), "running");
  EXPECT_EQ(flusher("evict", {"--force"}).exit_code, 0);
  EXPECT_EQ(holder_->wait().exit_code, 128 + SIGKILL);
}

TEST_F(FlusherVerb, SignalsNobodyWhoIsNotTheHolder) {
  hold("fresh");
  const auto ring = RingFile::attach(ring_.path());
  ASSERT_TRUE(ring);
  // A bystander whose pid got into the header: it lives, but it does not hold the lock.
  Program bystander({"/bin/sleep", "3600"});
  RingHeader& header = ring->header();
  const auto real_start = header.flusher_started_ns.load();
  header.flusher_pid.store(static_cast<std::uint32_t>(bystander.pid()));
  header.flusher_started_ns.store(real_start + 3'600'000'000'000);
  Ended ended = flusher("stop");
  EXPECT_EQ(ended.exit_code, 1);
  EXPECT_NE(ended.err.find("does not hold the lock"), std::string::npos) << ended.err;

  header.flusher_started_ns.store(1);
  ended = flusher("evict", {"--force"});
  EXPECT_EQ(ended.exit_code, 1);
  EXPECT_NE(ended.err.find("began after the lease was taken"), std::string::npos) << ended.err;

  header.flusher_started_ns.store(real_start);
  header.flusher_pid_namespace.fetch_add(1);
  ended = flusher("stop");
  EXPECT_EQ(ended.exit_code, 1);
  EXPECT_NE(ended.err.find("another pid namespace"), std::string::npos) << ended.err;
  EXPECT_EQ(::kill(bystander.pid(), 0), 0);
  EXPECT_EQ(state(), "running");
}

}  // namespace
}  // namespace shmring::tools::test
