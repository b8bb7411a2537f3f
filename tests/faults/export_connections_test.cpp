// SPDX-License-Identifier: Apache-2.0
// FAULTS, export: connections that a server closes, resets, half-closes or leaves idle, at each instant of a request.
#include "tests/faults/export_stage.hpp"

namespace shmring::testing {
namespace {

enum class Use : std::uint8_t { kFresh, kReused };
enum class End : std::uint8_t { kFin, kRst };
enum class When : std::uint8_t { kBeforeReading, kInTheMiddle, kAfterReading };

struct Cut {
  const char* name;
  Use use;
  End end;
  When when;
};
void PrintTo(const Cut& each, std::ostream* out) { *out << each.name; }

class FaultExportConnection : public ExportStage, public ::testing::WithParamInterface<Cut> {
 protected:
  static constexpr unsigned kTimes = 3;

  bool fires(unsigned on_connection) {
    return (on_connection > 0) == (GetParam().use == Use::kReused) && fired_ < kTimes;
  }
  HttpIntake intake(unsigned on_connection) {
    if (GetParam().when == When::kAfterReading || !fires(on_connection)) return {};
    ++fired_;
    return {.does = GetParam().end == End::kFin ? HttpIntake::Does::kClose : HttpIntake::Does::kReset,
            .after_bytes = GetParam().when == When::kInTheMiddle ? 2000U : 0U};
  }
  HttpReply answer(unsigned on_connection) {
    if (GetParam().when != When::kAfterReading || !fires(on_connection)) return {};
    ++fired_;
    return {.then = GetParam().end == End::kFin ? HttpReply::Then::kCloseSilently : HttpReply::Then::kReset};
  }

  std::atomic<unsigned> fired_{0};
};

TEST_P(FaultExportConnection, EndedByTheServerLosesNothingAndRepeatsNoMoreThanItsBatch) {
  HttpServer server(taking([this](const HttpRequest& request) { return answer(request.on_connection); }), {},
                    [this](unsigned, unsigned on_connection) { return intake(on_connection); });
  emit(1000);
  start(server.url());
  ASSERT_TRUE(eventually([&] { return fired_ >= kTimes && is_settled(); })) << flusher_->log_text();
  expect_kept({.most_duplicates = GetParam().when == When::kAfterReading ? kTimes * kBatch : 0});
}

INSTANTIATE_TEST_SUITE_P(
    Cuts, FaultExportConnection,
    ::testing::Values(Cut{"FreshByFinBeforeReading", Use::kFresh, End::kFin, When::kBeforeReading},
                      Cut{"FreshByRstBeforeReading", Use::kFresh, End::kRst, When::kBeforeReading},
                      Cut{"FreshByFinInTheMiddle", Use::kFresh, End::kFin, When::kInTheMiddle},
                      Cut{"FreshByRstInTheMiddle", Use::kFresh, End::kRst, When::kInTheMiddle},
                      Cut{"FreshByFinAfterReading", Use::kFresh, End::kFin, When::kAfterReading},
                      Cut{"FreshByRstAfterReading", Use::kFresh, End::kRst, When::kAfterReading},
                      Cut{"ReusedByFinBeforeReading", Use::kReused, End::kFin, When::kBeforeReading},
                      Cut{"ReusedByRstBeforeReading", Use::kReused, End::kRst, When::kBeforeReading},
                      Cut{"ReusedByFinInTheMiddle", Use::kReused, End::kFin, When::kInTheMiddle},
                      Cut{"ReusedByRstInTheMiddle", Use::kReused, End::kRst, When::kInTheMiddle},
                      Cut{"ReusedByFinAfterReading", Use::kReused, End::kFin, When::kAfterReading},
                      Cut{"ReusedByRstAfterReading", Use::kReused, End::kRst, When::kAfterReading}),
    [](const auto& each) { return each.param.name; });

class FaultExportConnections : public ExportStage {};

/// Each answer is followed by the end of its connection, of which the client hears while it is idle.
void expect_idle_end_costs_nothing(HttpReply::Then then, HttpServer& server, std::atomic<unsigned>& requests,
                                   const std::function<void()>& emit_one_batch) {
  for (unsigned tick = 1; tick <= 5; ++tick) {
    emit_one_batch();
    ASSERT_TRUE(eventually([&] { return requests >= tick; }));
    if (then == HttpReply::Then::kClose) {
      ASSERT_TRUE(eventually([&] { return server.open_connections() == 0; }));
    }
  }
}

TEST_F(FaultExportConnections, IdleOnesThatTheServerClosedBetweenTicksCostNothing) {
  for (const auto then : {HttpReply::Then::kClose, HttpReply::Then::kHalfClose}) {
    std::atomic<unsigned> requests{0};
    HttpServer server(taking([&](const HttpRequest&) {
      ++requests;
      return HttpReply{.then = then};
    }));
    start(server.url());
    expect_idle_end_costs_nothing(then, server, requests, [this] { emit(10); });
    ASSERT_TRUE(eventually([&] { return is_settled(); }));
    EXPECT_EQ(server.connections(), server.requests());
    expect_kept();
    EXPECT_EQ(promise_.accounting().total.duplicates_possible, 0U);
  }
}

TEST_F(FaultExportConnections, AThreeMebibytePostIsNotHeldUpByAServerThatIgnoresExpect) {
  Promise large({.blocks = 2048});
  std::atomic<std::size_t> largest{0};
  std::atomic<unsigned> asked{0};
  HttpServer server([&](const HttpRequest& request) {
    largest = std::max(largest.load(), request.body.size());
    if (request.has("expect")) ++asked;
    arrivals_.take(request.body);
    return HttpReply{};
  });
  ASSERT_EQ(emit_many(large.scratch().open().logger("test"), large.obligations(), 15'000), 15'000U);
  FlusherProcess flusher(SHMRING_FLUSHER,
                         {"--ring", large.scratch().path(), "--exporter", "otlp", "--endpoint", server.url(),
                          "--batch-records", "8192", "--once"},
                         log());
  EXPECT_EQ(flusher.wait(), 0) << flusher.log_text();
  EXPECT_GT(largest, 2U << 20U);
  EXPECT_EQ(asked, 0U);
  EXPECT_EQ(arrivals_.with_deliveries([&](Deliveries& d) { return d.lost(large.obligations()); }), 0U);
}

}  // namespace
}  // namespace shmring::testing
