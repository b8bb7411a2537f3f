// SPDX-License-Identifier: Apache-2.0
// P3 with the programs as they are shipped: shmring-flusher sends to a real HTTP server, which decodes with libprotobuf;
// killed in the middle of a request and started again, it loses nothing.
#include <gtest/gtest.h>

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <thread>
#include <vector>

#include "libshmring/otlp/wire.hpp"
#include "opentelemetry/proto/collector/logs/v1/logs_service.pb.h"
#include "tests/support/child.hpp"
#include "tests/support/eventually.hpp"
#include "tests/support/flusher_process.hpp"
#include "tests/support/http_server.hpp"
#include "tests/support/promise.hpp"
#include "tests/support/scale.hpp"

namespace shmring::testing {
namespace {

constexpr std::uint32_t kInFlight = 4;
constexpr std::uint32_t kBatch = 50;

/// Hands the content of each field of that number to `use`.
template <typename Use>
void for_each_field(otlp::Bytes message, std::uint32_t number, Use&& use) {
  otlp::WireReader reader(message);
  for (otlp::Tag tag; reader.read_tag(tag) == otlp::Reason::kNone;) {
    otlp::Bytes content;
    if (tag.number != number) {
      if (reader.skip(tag.type) != otlp::Reason::kNone) return;
    } else if (reader.read_bytes(content) == otlp::Reason::kNone) {
      use(content);
    }
  }
}

/// The payloads of a logs request, as they lie in it.
std::vector<otlp::Bytes> payloads_of(const std::string& body) {
  std::vector<otlp::Bytes> payloads;
  for_each_field(std::as_bytes(std::span(body)), 1, [&](otlp::Bytes resource_logs) {
    for_each_field(resource_logs, 2, [&](otlp::Bytes scope_logs) {
      for_each_field(scope_logs, 2, [&](otlp::Bytes record) { payloads.push_back(record); });
    });
  });
  return payloads;
}

int records_of(const opentelemetry::proto::collector::logs::v1::ExportLogsServiceRequest& request) {
  int records = 0;
  for (const auto& resource : request.resource_logs()) {
    for (const auto& scope : resource.scope_logs()) records += scope.log_records_size();
  }
  return records;
}

/// A collector that can hold back its answers: then it has the records, and the flusher does not know.
class Collector {
 public:
  HttpReply answer(const HttpRequest& request) {
    take(request.body);
    ++in_hand_;
    const bool waited = eventually([this] { return !holding_.load(); });
    --in_hand_;
    return {.status = waited ? 200 : 500};
  }
  void hold() { holding_ = true; }
  void let_go() { holding_ = false; }
  std::uint32_t in_hand() const { return in_hand_.load(); }
  std::uint32_t undecodable() const { return undecodable_.load(); }

  /// Works on what has arrived so far.
  template <typename Use>
  auto with_deliveries(Use&& use) {
    const std::lock_guard lock(mutex_);
    return use(deliveries_);
  }

 private:
  void take(const std::string& body) {
    opentelemetry::proto::collector::logs::v1::ExportLogsServiceRequest request;
    const std::vector<otlp::Bytes> payloads = payloads_of(body);
    if (!request.ParseFromString(body) || records_of(request) != static_cast<int>(payloads.size()))
      ++undecodable_;
    const std::lock_guard lock(mutex_);
    for (const otlp::Bytes payload : payloads) deliveries_.record(payload);
  }

  std::mutex mutex_;
  Deliveries deliveries_;
  std::atomic<bool> holding_{false};
  std::atomic<std::uint32_t> in_hand_{0};
  std::atomic<std::uint32_t> undecodable_{0};
};

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
