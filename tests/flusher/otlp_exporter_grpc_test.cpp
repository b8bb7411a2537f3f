// SPDX-License-Identifier: Apache-2.0
// gRPC against a real HTTP/2 server on a real socket.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <opentelemetry/proto/collector/logs/v1/logs_service.pb.h>
#include <zlib.h>

#include <condition_variable>
#include <mutex>

#include "flusher/grpc_text.hpp"
#include "flusher/gzip.hpp"
#include "tests/flusher/otlp_client.hpp"
#include "tests/support/grpc_server.hpp"
#include "tests/support/http_server.hpp"

namespace shmring::flusher {
namespace {

using testing::GrpcReply;
using testing::GrpcRequest;
using testing::GrpcServer;
using ::testing::HasSubstr;
using ::testing::StartsWith;
using Then = GrpcReply::Then;

/// One exporter, one server.
struct GrpcExchange : testing::OtlpClient {
  std::mutex mutex;
  std::vector<GrpcRequest> requests;
  GrpcServer server;

  explicit GrpcExchange(const GrpcServer::Answer& answer)
      : server([this, answer](const GrpcRequest& request) {
          {
            const std::lock_guard lock(mutex);
            requests.push_back(request);
          }
          return answer(request);
        }) {
    speak_grpc_to(server.url());
  }
};

GrpcReply ok(const GrpcRequest&) { return {}; }
GrpcServer::Answer always(Then then) {
  return [then](const GrpcRequest&) { return GrpcReply{.then = then}; };
}

TEST(OtlpExporterGrpc, CallsTheMethodOfTheSignalWithTheRightHeaders) {
  GrpcExchange exchange(ok);
  exchange.targets[0].headers = {{"api-key", "secret"}};
  exchange.targets[0].timeout = std::chrono::seconds(7);
  EXPECT_EQ(exchange.send("the bytes").outcome, SendOutcome::kAccepted);
  ASSERT_EQ(exchange.requests.size(), 1U);
  const GrpcRequest& request = exchange.requests[0];
  EXPECT_EQ(request.header(":method"), "POST");
  EXPECT_EQ(request.header(":scheme"), "http");
  EXPECT_EQ(request.header(":path"), "/opentelemetry.proto.collector.logs.v1.LogsService/Export");
  EXPECT_EQ(request.header("content-type"), "application/grpc");
  EXPECT_EQ(request.header("te"), "trailers");
  EXPECT_EQ(request.header("grpc-timeout"), "7000m");
  EXPECT_EQ(request.header("grpc-encoding"), "");
  EXPECT_EQ(request.header("api-key"), "secret");
  EXPECT_THAT(request.header("user-agent"), StartsWith("shmring-flusher/"));
  EXPECT_EQ(request.headers.count("expect"), 0U);
  EXPECT_EQ(request.body.substr(0, 5), std::string("\0\0\0\0\x09", 5));
  EXPECT_EQ(request.message(), "the bytes");

  exchange.send("x", Signal::kTraces);
  exchange.send("x", Signal::kMetrics);
  EXPECT_EQ(exchange.requests[1].header(":path"),
            "/opentelemetry.proto.collector.trace.v1.TraceService/Export");
  EXPECT_EQ(exchange.requests[2].header(":path"),
            "/opentelemetry.proto.collector.metrics.v1.MetricsService/Export");
}

TEST(OtlpExporterGrpc, ALargeMessageArrivesWhole) {
  GrpcExchange exchange(ok);
  const std::string body(3U << 20U, 'x');
  EXPECT_EQ(exchange.send(body).outcome, SendOutcome::kAccepted);
  EXPECT_EQ(exchange.requests[0].message(), body);
  EXPECT_EQ(exchange.requests[0].header("content-length"), std::to_string(body.size() + 5));
}

TEST(OtlpExporterGrpc, CompressesMessagesWhenTold) {
  GrpcExchange exchange(ok);
  exchange.targets[0].compression = Compression::kGzip;
  const std::string body(100'000, 'x');
  exchange.send(body);
  const GrpcRequest& request = exchange.requests[0];
  EXPECT_EQ(request.header("grpc-encoding"), "gzip");
  EXPECT_EQ(request.header("content-encoding"), "");
  EXPECT_EQ(request.body[0], '\1');
  const std::string message = request.message();
  EXPECT_LT(message.size(), 2000U);
  std::string plain(body.size() + 1, '\0');
  z_stream stream{};
  ASSERT_EQ(inflateInit2(&stream, 15 + 16), Z_OK);
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(message.data()));
  stream.avail_in = static_cast<uInt>(message.size());
  stream.next_out = reinterpret_cast<Bytef*>(plain.data());
  stream.avail_out = static_cast<uInt>(plain.size());
  EXPECT_EQ(inflate(&stream, Z_FINISH), Z_STREAM_END);
  plain.resize(stream.total_out);
  inflateEnd(&stream);
  EXPECT_EQ(plain, body);
}

TEST(OtlpExporterGrpc, SeveralCallsAreUnderWayAtTheSameTimeEachOnItsConnection) {
  std::mutex mutex;
  std::condition_variable all_here;
  int waiting = 0;
  GrpcExchange exchange([&](const GrpcRequest&) {
    std::unique_lock lock(mutex);
    ++waiting;
    all_here.notify_all();
    const bool met = all_here.wait_for(lock, testing::kLongEnough, [&] { return waiting == 4; });
    return GrpcReply{.status = met ? "0" : "13"};
  });
  for (int i = 0; i < 4; ++i) exchange.submit("x");
  ASSERT_TRUE(exchange.wait_for(4));
  for (const SendResult& result : exchange.results) EXPECT_EQ(result.outcome, SendOutcome::kAccepted);
  EXPECT_EQ(exchange.server.connections(), 4U);
}

TEST(OtlpExporterGrpc, ReadsTrailersAndTrailersInPlaceOfHeaders) {
  for (const Then then : {Then::kAnswer, Then::kTrailersOnly}) {
    GrpcExchange exchange([&](const GrpcRequest&) {
      return GrpcReply{.then = then, .status = "14", .trailers = {{"grpc-message", "come%20back"}}};
    });
    const SendResult result = exchange.send();
    EXPECT_EQ(result.outcome, SendOutcome::kRetryable);
    EXPECT_EQ(result.reason, "gRPC status UNAVAILABLE: come back");
    EXPECT_FALSE(result.may_have_arrived);
  }
}

TEST(OtlpExporterGrpc, ReadsAPartialSuccess) {
  opentelemetry::proto::collector::logs::v1::ExportLogsServiceResponse response;
  response.mutable_partial_success()->set_rejected_log_records(2);
  GrpcExchange exchange(
      [&](const GrpcRequest&) { return GrpcReply{.message = response.SerializeAsString()}; });
  const SendResult result = exchange.send();
  EXPECT_EQ(result.outcome, SendOutcome::kAccepted);
  EXPECT_EQ(result.rejected, 2U);
}

TEST(OtlpExporterGrpc, ReadsACompressedAnswerAsServersGiveItToACompressedCall) {
  opentelemetry::proto::collector::logs::v1::ExportLogsServiceResponse response;
  response.mutable_partial_success()->set_rejected_log_records(2);
  const std::string packed = *gzip(response.SerializeAsString());
  GrpcExchange exchange([&](const GrpcRequest& request) {
    return GrpcReply{.body = grpc_frame_header(IsCompressed::kYes, packed.size()) + packed,
                     .headers = {{"grpc-encoding", request.header("grpc-encoding")}}};
  });
  exchange.targets[0].compression = Compression::kGzip;
  const SendResult result = exchange.send();
  EXPECT_EQ(result.outcome, SendOutcome::kAccepted);
  EXPECT_EQ(result.rejected, 2U);
  EXPECT_EQ(result.reason, "");
}

TEST(OtlpExporterGrpc, AnAnswerWithoutAStatusIsNone) {
  for (const Then then : {Then::kNoTrailers, Then::kResetStream}) {
    GrpcExchange exchange(always(then));
    const SendResult result = exchange.send();
    EXPECT_EQ(result.outcome, SendOutcome::kRetryable);
    EXPECT_TRUE(result.may_have_arrived);
    EXPECT_EQ(exchange.server.requests(), 1U);
  }
}

TEST(OtlpExporterGrpc, InClearTextAConnectionIsKeptWhereLibcurlCanUseItAgain) {
  GrpcExchange exchange(ok);
  for (int i = 0; i < 5; ++i) EXPECT_EQ(exchange.send().outcome, SendOutcome::kAccepted);
  const bool can_be_kept = curl_version_info(CURLVERSION_NOW)->version_num >= 0x080000;
  EXPECT_EQ(exchange.server.connections(), can_be_kept ? 1U : 5U);
}

/// libcurl alone would call a second time on a new connection and tell nobody.
TEST(OtlpExporterGrpc, AStreamThatIsRefusedOnAFreshConnectionCausesNoSecondCall) {
  for (const Then then : {Then::kRefuseStream, Then::kGoAway, Then::kCloseSilently}) {
    GrpcExchange exchange(always(then));
    EXPECT_EQ(exchange.send().outcome, SendOutcome::kRetryable);
    EXPECT_EQ(exchange.server.requests(), 1U) << static_cast<int>(then);
  }
}

TEST(OtlpExporterGrpc, ACallWithoutAnAnswerEndsWithItsTimeout) {
  std::mutex mutex;
  std::condition_variable changed;
  bool is_over = false;
  GrpcExchange exchange([&](const GrpcRequest&) {
    std::unique_lock lock(mutex);
    changed.wait_for(lock, testing::kLongEnough, [&] { return is_over; });
    return GrpcReply{};
  });
  exchange.targets[0].timeout = std::chrono::milliseconds(200);
  const SendResult result = exchange.send();
  EXPECT_EQ(result.outcome, SendOutcome::kRetryable);
  EXPECT_TRUE(result.may_have_arrived);
  const std::lock_guard lock(mutex);
  is_over = true;
  changed.notify_all();
}

TEST(OtlpExporterGrpc, AServerOfHttp1IsNoneAndTheBatchIsKept) {
  GrpcExchange exchange(ok);
  testing::HttpServer plain([](const testing::HttpRequest&) { return testing::HttpReply{.status = 404}; });
  exchange.speak_grpc_to(plain.url());
  EXPECT_EQ(exchange.send().outcome, SendOutcome::kRetryable);
}

}  // namespace
}  // namespace shmring::flusher
