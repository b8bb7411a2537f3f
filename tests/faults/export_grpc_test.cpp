// SPDX-License-Identifier: Apache-2.0
// FAULTS, export: gRPC's statuses, and calls that end without one.
#include <google/rpc/error_details.pb.h>
#include <google/rpc/status.pb.h>

#include "tests/faults/export_stage.hpp"
#include "tests/support/grpc_server.hpp"

namespace shmring::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::Values;
using Then = GrpcReply::Then;

class FaultExportGrpc : public ExportStage, public ::testing::WithParamInterface<int> {
 protected:
  FlusherProcess& start_grpc(const GrpcServer& server) { return start(server.url(), {"--protocol", "grpc"}); }
  GrpcServer::Answer refusing_the_first(unsigned count, GrpcReply refusal) {
    return [this, count, refusal](const GrpcRequest& request) {
      {
        const std::lock_guard lock(mutex_);
        bodies_.push_back(request.message());
        if (bodies_.size() <= count) return refusal;
      }
      arrivals_.take(request.message());
      return GrpcReply{};
    };
  }
  std::size_t times(std::size_t request) {
    const std::lock_guard lock(mutex_);
    return static_cast<std::size_t>(std::count(bodies_.begin(), bodies_.end(), bodies_.at(request)));
  }

  std::mutex mutex_;
  std::vector<std::string> bodies_;
};

class FaultExportGrpcForLater : public FaultExportGrpc {};
TEST_P(FaultExportGrpcForLater, IsRepeatedUntilItIsTaken) {
  GrpcServer server(
      refusing_the_first(3, {.then = Then::kTrailersOnly, .status = std::to_string(GetParam())}));
  emit(200);
  start_grpc(server);
  expect_kept();
  EXPECT_GT(times(0), 1U);
}
INSTANTIATE_TEST_SUITE_P(Status, FaultExportGrpcForLater, Values(1, 4, 10, 11, 14, 15));

class FaultExportGrpcForGood : public FaultExportGrpc {};
TEST_P(FaultExportGrpcForGood, IsNeverRepeatedAndCounted) {
  GrpcServer server(
      refusing_the_first(1, {.then = Then::kTrailersOnly, .status = std::to_string(GetParam())}));
  emit(200);
  start_grpc(server);
  expect_kept({.lost = kBatch, .refused = kBatch});
  EXPECT_EQ(times(0), 1U);
  EXPECT_THAT(flusher_->log_text(), HasSubstr("gRPC status"));
}
INSTANTIATE_TEST_SUITE_P(Status, FaultExportGrpcForGood, Values(2, 5, 6, 7, 8, 9, 12, 13, 16));

/// gRPC writes binary metadata as base64 without padding.
std::string base64(const std::string& bytes) {
  constexpr const char* kAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string out;
  std::uint32_t bits = 0;
  unsigned count = 0;
  for (const char c : bytes) {
    bits = bits << 8U | static_cast<std::uint8_t>(c);
    for (count += 8; count >= 6;) out += kAlphabet[bits >> (count -= 6) & 63U];
  }
  if (count > 0) out += kAlphabet[bits << (6 - count) & 63U];
  return out;
}

TEST_F(FaultExportGrpc, ResourceExhaustedWithRetryInfoIsRepeated) {
  google::rpc::RetryInfo info;
  info.mutable_retry_delay()->set_nanos(50'000'000);
  google::rpc::Status status;
  status.add_details()->PackFrom(info);
  GrpcServer server(refusing_the_first(
      2, {.status = "8", .trailers = {{"grpc-status-details-bin", base64(status.SerializeAsString())}}}));
  emit(200);
  start_grpc(server);
  expect_kept();
  EXPECT_GT(times(0), 1U);
}

TEST_F(FaultExportGrpc, InvalidArgumentBecauseOfOneRecordCostsThatRecord) {
  std::atomic<unsigned> refusals{0};
  GrpcServer server([&](const GrpcRequest& request) {
    for (const otlp::Bytes payload : payloads_of(request.message())) {
      if (id_of(payload) != 77U) continue;
      ++refusals;
      return GrpcReply{.status = "3"};
    }
    arrivals_.take(request.message());
    return GrpcReply{};
  });
  emit(200);
  start_grpc(server);
  expect_kept({.lost = 1, .refused = 1});
  EXPECT_GT(refusals, 1U);
}

TEST_F(FaultExportGrpc, AMessageOverTheServersLimitIsCutUntilItFits) {
  std::atomic<unsigned> refusals{0};
  GrpcServer server([&](const GrpcRequest& request) {
    if (request.message().size() > 4096) {
      ++refusals;
      return GrpcReply{.then = Then::kTrailersOnly,
                       .status = "8",
                       .trailers = {{"grpc-message", "grpc: received message larger than max (9 vs. 4)"}}};
    }
    arrivals_.take(request.message());
    return GrpcReply{};
  });
  emit(200);
  start_grpc(server);
  expect_kept();
  EXPECT_GT(refusals, 0U);
}

/// Ends of a call that say nothing: the batch comes again, and is counted where it may have arrived.
class FaultExportGrpcEnd : public FaultExportGrpc {};
TEST_P(FaultExportGrpcEnd, WithoutAStatusLosesNothing) {
  GrpcServer server(refusing_the_first(3, {.then = static_cast<Then>(GetParam())}));
  emit(200);
  start_grpc(server);
  expect_kept();
  EXPECT_GT(times(0), 1U);
}
INSTANTIATE_TEST_SUITE_P(Then, FaultExportGrpcEnd,
                         Values(static_cast<int>(Then::kNoTrailers), static_cast<int>(Then::kResetStream),
                                static_cast<int>(Then::kRefuseStream), static_cast<int>(Then::kGoAway),
                                static_cast<int>(Then::kCloseSilently)));

}  // namespace
}  // namespace shmring::testing
