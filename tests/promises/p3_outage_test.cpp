// SPDX-License-Identifier: Apache-2.0
// P3 through an outage: the backend is away, the flusher spools, and is killed at instants that nobody has chosen. When the
// backend is back everything arrives, and the books of ring and spool close together.
#include <gtest/gtest.h>

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "spool/joint_accounting.hpp"
#include "tests/support/child.hpp"
#include "tests/support/collector.hpp"
#include "tests/support/eventually.hpp"
#include "tests/support/flusher_process.hpp"
#include "tests/support/http_server.hpp"
#include "tests/support/promise.hpp"
#include "tests/support/scale.hpp"
#include "tests/support/splitmix.hpp"

namespace shmring::testing {
namespace {

constexpr std::uint32_t kInFlight = 4;
constexpr std::uint32_t kBatch = 50;

class Outage : public ::testing::Test {
 protected:
  std::unique_ptr<FlusherProcess> start(const std::vector<std::string>& more = {}) {
    std::vector<std::string> arguments{"--ring",
                                       promise_.scratch().path(),
                                       "--exporter",
                                       "otlp",
                                       "--endpoint",
                                       server_.url(),
                                       "--interval",
                                       "5ms",
                                       "--max-in-flight",
                                       std::to_string(kInFlight),
                                       "--batch-records",
                                       std::to_string(kBatch),
                                       "--retry-initial",
                                       "5ms",
                                       "--retry-longest",
                                       "20ms",
                                       "--spool",
                                       spool(),
                                       "--spool-min-free",
                                       "0",
                                       "--shutdown-timeout",
                                       "1s"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return std::make_unique<FlusherProcess>(SHMRING_FLUSHER, arguments,
                                            promise_.scratch().folder() / "flusher.log");
  }
  std::filesystem::path spool() const { return promise_.scratch().folder() / "spool"; }
  std::uint64_t in_spool() {
    const auto joint = spool::account_with_spools(promise_.file());
    return joint.pending_in_spool[static_cast<std::size_t>(Signal::kLogs)];
  }
  bool all_arrived() {
    return collector_.with_deliveries([this](Deliveries& d) { return d.lost(promise_.obligations()) == 0; });
  }
  void expect_all_kept() {
    collector_.with_deliveries([&](Deliveries& d) {
      EXPECT_EQ(d.lost(promise_.obligations()), 0U);
      EXPECT_EQ(d.invented(promise_.obligations()), 0U);
      EXPECT_EQ(d.mangled(), 0U);
      EXPECT_LE(d.duplicates(), promise_.accounting().total.duplicates_possible);
    });
    EXPECT_EQ(collector_.undecodable(), 0U);
    const Accounting joint = spool::account_with_spools(promise_.file()).accounting;
    EXPECT_EQ(joint.closing, Closing::kCloses);
    EXPECT_EQ(joint.total.written, promise_.obligations().count());
    EXPECT_EQ(outcome(joint, Outcome::kAccepted), joint.total.written);
    EXPECT_EQ(joint.total.pending, 0U);
    EXPECT_EQ(joint.total.dropped_total(), 0U);
    expect_closed(promise_.file());
  }
  /// The ring's and the spool's books close together, whoever was killed where.
  void expect_books_close() {
    const Accounting joint = spool::account_with_spools(promise_.file()).accounting;
    EXPECT_EQ(joint.closing, Closing::kCloses);
    EXPECT_EQ(joint.total.written, joint.total.fates());
  }

  Promise promise_{{.blocks = 1024}};
  Collector collector_;
  std::atomic<bool> is_away_{false};
  HttpServer server_{[this](const HttpRequest& request) {
    if (is_away_) return HttpReply{.status = 503};
    return collector_.answer(request);
  }};
};

TEST_F(Outage, WhatABackendThatIsAwayCannotTakeIsSpooledAndArrivesLater) {
  const Logger logger = promise_.scratch().open().logger("test");
  is_away_ = true;
  auto flusher = start();
  ASSERT_EQ(emit_many(logger, promise_.obligations(), 5000), 5000U);
  ASSERT_TRUE(eventually([&] { return in_spool() == 5000; })) << flusher->log_text();
  expect_books_close();
  EXPECT_TRUE(eventually([&] { return promise_.accounting().total.pending == 0; }))
      << "the ring is empty while the backend is away";
  is_away_ = false;
  ASSERT_EQ(emit_many(logger, promise_.obligations(), 500), 500U);
  EXPECT_TRUE(eventually([&] { return all_arrived() && in_spool() == 0; })) << flusher->log_text();
  EXPECT_EQ(flusher->stop(), 0) << flusher->log_text();
  expect_all_kept();
}

TEST_F(Outage, KilledAtAnyInstantOfItTheFlusherLosesNothing) {
  const Logger logger = promise_.scratch().open().logger("test");
  SplitMix random(7);
  is_away_ = true;
  std::uint32_t killed_with_spool = 0;
  for (std::uint32_t kill = 0; kill < 20; ++kill) {
    auto flusher = start();
    // What the kills before left in the ring: on a slow machine it would fill up.
    ASSERT_TRUE(eventually([&] { return promise_.accounting().total.pending < 3000; }))
        << flusher->log_text();
    const std::uint64_t before = in_spool();
    ASSERT_EQ(emit_many(logger, promise_.obligations(), 1000), 1000U);
    // Until something moves, then an instant of any length; every other time so short that the rest is still on its way.
    ASSERT_TRUE(eventually([&] { return in_spool() != before; })) << flusher->log_text();
    spin(random.below(kill % 2 == 0 ? 3'000'000 : 20'000));
    flusher->signal(SIGKILL);
    ASSERT_EQ(flusher->wait(), 128 + SIGKILL);
    expect_books_close();
    killed_with_spool += promise_.accounting().total.pending > 0 ? 1 : 0;
  }
  EXPECT_GT(killed_with_spool, 0U) << "no kill came while records were on their way to the spool";
  is_away_ = false;
  const auto flusher = start();
  ASSERT_TRUE(emit_one(logger, promise_.obligations()));
  EXPECT_TRUE(eventually([&] { return all_arrived() && in_spool() == 0; })) << flusher->log_text();
  EXPECT_EQ(flusher->stop(), 0) << flusher->log_text();
  expect_all_kept();
}

TEST_F(Outage, KilledWhileItReplaysTheFlusherRepeatsNoMoreThanItsWindow) {
  const Logger logger = promise_.scratch().open().logger("test");
  is_away_ = true;
  auto flusher = start();
  for (std::uint32_t sum = 2000; sum <= 20'000; sum += 2000) {
    ASSERT_EQ(emit_many(logger, promise_.obligations(), 2000), 2000U);
    ASSERT_TRUE(eventually([&] { return in_spool() == sum; })) << flusher->log_text();
  }
  is_away_ = false;
  std::uint32_t kills = 0;
  for (; kills < 10 && in_spool() > 1000; ++kills) {
    const std::uint64_t before = in_spool();
    ASSERT_TRUE(eventually([&] { return in_spool() < before; })) << flusher->log_text();
    flusher->signal(SIGKILL);
    ASSERT_EQ(flusher->wait(), 128 + SIGKILL);
    expect_books_close();
    flusher = start();
  }
  EXPECT_GT(kills, 2U);
  EXPECT_TRUE(eventually([&] { return all_arrived() && in_spool() == 0; })) << flusher->log_text();
  EXPECT_EQ(flusher->stop(), 0) << flusher->log_text();
  expect_all_kept();
  collector_.with_deliveries([&](Deliveries& d) { EXPECT_LE(d.duplicates(), kills * kInFlight * kBatch); });
}

TEST_F(Outage, AnOrderlyEndLeavesWhatNobodyTookInTheSpool) {
  const Logger logger = promise_.scratch().open().logger("test");
  is_away_ = true;
  auto flusher = start();
  ASSERT_EQ(emit_many(logger, promise_.obligations(), 20),
            20U);  // less than a window: a failure alone spools nothing
  ASSERT_TRUE(flusher->says("export_delayed")) << flusher->log_text();
  EXPECT_EQ(in_spool(), 0U);
  EXPECT_EQ(flusher->stop(), 0) << flusher->log_text();
  EXPECT_EQ(in_spool(), 20U);
  EXPECT_EQ(promise_.accounting().total.pending, 0U);
  expect_books_close();
  is_away_ = false;
  flusher = start({"--once"});
  EXPECT_EQ(flusher->wait(), 0) << flusher->log_text();
  EXPECT_TRUE(all_arrived());
  expect_all_kept();
}

TEST_F(Outage, ADamagedSpoolIsSetAsideAndWhatCannotBeReadIsCounted) {
  const Logger logger = promise_.scratch().open().logger("test");
  is_away_ = true;
  auto flusher = start();
  ASSERT_EQ(emit_many(logger, promise_.obligations(), 2000), 2000U);
  ASSERT_TRUE(eventually([&] { return in_spool() == 2000; })) << flusher->log_text();
  EXPECT_EQ(flusher->stop(), 0);
  const std::filesystem::path database = spool() / spool::SpoolFile::kFileName;
  const std::uint64_t size = std::filesystem::file_size(database);
  std::fstream file(database, std::ios::in | std::ios::out | std::ios::binary);
  file.seekp(static_cast<std::streamoff>(size / 2 / 4096 * 4096));
  file << std::string(8192, '\xA5');
  file.close();
  is_away_ = false;
  flusher = start();
  ASSERT_TRUE(emit_one(logger, promise_.obligations()));
  const auto lost_and_counted = [&] {
    const Accounting joint = spool::account_with_spools(promise_.file()).accounting;
    return joint.closing == Closing::kCloses && joint.total.pending == 0;
  };
  EXPECT_TRUE(eventually(lost_and_counted)) << flusher->log_text();
  EXPECT_EQ(flusher->stop(), 0) << flusher->log_text();
  const Accounting joint = spool::account_with_spools(promise_.file()).accounting;
  EXPECT_EQ(joint.closing, Closing::kCloses);
  const std::uint64_t lost =
      collector_.with_deliveries([this](Deliveries& d) { return d.lost(promise_.obligations()); });
  EXPECT_EQ(outcome(joint, Outcome::kCorrupt), lost) << "lost is exactly what is counted";
  EXPECT_GT(lost, 0U);
  EXPECT_LT(lost, 1500U);
}

}  // namespace
}  // namespace shmring::testing
