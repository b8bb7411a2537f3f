// SPDX-License-Identifier: Apache-2.0
// P3 with the programs as they are shipped: shmring-flusher sends to a real HTTP server, which decodes with libprotobuf;
// killed in the middle of a request and started again, it loses nothing.
#include <gtest/gtest.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "tests/support/child.hpp"
#include "tests/support/collector.hpp"
#include "tests/support/eventually.hpp"
#include "tests/support/flusher_process.hpp"
#include "tests/support/http_server.hpp"
#include "tests/support/promise.hpp"
#include "tests/support/scale.hpp"

namespace shmring::testing {
namespace {

constexpr std::uint32_t kInFlight = 4;
constexpr std::uint32_t kBatch = 50;

class ShippedFlusher : public ::testing::Test {
 protected:
  std::unique_ptr<FlusherProcess> start() {
    return std::make_unique<FlusherProcess>(
        SHMRING_FLUSHER,
        std::vector<std::string>{"--ring", promise_.scratch().path(), "--exporter", "otlp", "--endpoint",
                                 server_.url(), "--interval", "20ms", "--max-in-flight",
                                 std::to_string(kInFlight), "--batch-records", std::to_string(kBatch),
                                 "--retry-initial", "20ms"},
        promise_.scratch().folder() / "flusher.log");
  }
  bool all_arrived() {
    return collector_.with_deliveries([this](Deliveries& d) { return d.lost(promise_.obligations()) == 0; });
  }
  void expect_all_kept(std::uint64_t duplicates) {
    collector_.with_deliveries([&](Deliveries& d) {
      EXPECT_EQ(d.lost(promise_.obligations()), 0U);
      EXPECT_EQ(d.invented(promise_.obligations()), 0U);
      EXPECT_EQ(d.mangled(), 0U);
      EXPECT_LE(d.duplicates(), duplicates);
      EXPECT_LE(d.duplicates(), promise_.accounting().total.duplicates_possible);
    });
    EXPECT_EQ(collector_.undecodable(), 0U);
    const Accounting accounting = promise_.accounting();
    EXPECT_EQ(accounting.total.written, promise_.obligations().count());
    EXPECT_EQ(outcome(accounting, Outcome::kAccepted), accounting.total.written);
    EXPECT_EQ(accounting.total.dropped_total(), 0U);
    expect_closed(promise_.file());
  }

  Promise promise_{{.blocks = 1024}};
  Collector collector_;
  HttpServer server_{[this](const HttpRequest& request) { return collector_.answer(request); }};
};

TEST_F(ShippedFlusher, DeliversByteForByteWhatChildrenOfAllKindsHaveCommitted) {
  const Logger logger = promise_.scratch().open().logger("test");
  const auto flusher = start();
  for (std::uint32_t n = 0; n < 300; ++n) {
    const Ended ended = in_child([&] {
      if (emit_many(logger, promise_.obligations(), 1 + n % 3) == 0) return 1;
      if (n % 2 == 0) ::raise(SIGKILL);
      return 0;
    });
    ASSERT_TRUE(n % 2 == 0 ? ended.by(SIGKILL) : ended.with(0)) << ended.text();
  }
  EXPECT_TRUE(eventually([&] { return all_arrived(); })) << flusher->log_text();
  EXPECT_EQ(flusher->stop(), 0) << flusher->log_text();
  expect_all_kept(0);
}

TEST_F(ShippedFlusher, KilledMidRequestAndStartedAgainLosesNothingAndRepeatsNoMoreThanWasInFlight) {
  const Logger logger = promise_.scratch().open().logger("test");
  constexpr std::uint32_t kKills = 10;
  for (std::uint32_t kill = 0; kill < kKills; ++kill) {
    ASSERT_EQ(emit_many(logger, promise_.obligations(), 300), 300U);
    collector_.hold();
    auto flusher = start();
    ASSERT_TRUE(eventually([&] { return collector_.in_hand() > 0; })) << flusher->log_text();
    flusher->signal(SIGKILL);
    EXPECT_EQ(flusher->wait(), 128 + SIGKILL);
    collector_.let_go();
    ASSERT_TRUE(eventually([&] { return collector_.in_hand() == 0; }));
  }
  ASSERT_TRUE(emit_one(logger, promise_.obligations()));
  const auto flusher = start();
  EXPECT_TRUE(eventually([&] { return all_arrived(); })) << flusher->log_text();
  EXPECT_EQ(flusher->stop(), 0) << flusher->log_text();
  expect_all_kept(kKills * kInFlight * kBatch);
  collector_.with_deliveries([](Deliveries& d) {
    EXPECT_GT(d.duplicates(), 0U) << "no kill hit a request: the fault never happened";
  });
}

}  // namespace
}  // namespace shmring::testing
