// SPDX-License-Identifier: Apache-2.0
// The program itself, told by OpenTelemetry's variables to speak another protocol for each signal.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <opentelemetry/proto/collector/trace/v1/trace_service.pb.h>

#include <mutex>
#include <nlohmann/json.hpp>

#include "shmring/shmring.hpp"
#include "tests/flusher/fakes.hpp"
#include "tests/support/flusher_process.hpp"
#include "tests/support/grpc_server.hpp"
#include "tests/support/http_server.hpp"
#include "tests/support/scratch_ring.hpp"

namespace shmring::flusher {
namespace {

using ::testing::ElementsAre;
using testing::GrpcReply;
using testing::GrpcRequest;
using testing::GrpcServer;
using testing::HttpReply;
using testing::HttpRequest;
using testing::HttpServer;

TEST(Protocols, EachSignalGoesByItsOwn) {
  std::mutex mutex;
  std::string over_grpc;
  nlohmann::json over_json;
  GrpcServer grpc([&](const GrpcRequest& request) {
    const std::lock_guard lock(mutex);
    over_grpc = request.message();
    return GrpcReply{};
  });
  HttpServer http([&](const HttpRequest& request) {
    const std::lock_guard lock(mutex);
    over_json = nlohmann::json::parse(request.body);
    return HttpReply{};
  });
  const testing::ScratchRing ring;
  EXPECT_TRUE(ring.open().logger("test").emit(Severity::kInfo, "hello"));
  ring.open().tracer("test").start("work").end();
  testing::FlusherProcess flusher(
      SHMRING_FLUSHER, {"--ring", ring.path(), "--exporter", "otlp", "--once"}, ring.folder() / "log",
      {"OTEL_EXPORTER_OTLP_LOGS_PROTOCOL=grpc",
       "OTEL_EXPORTER_OTLP_LOGS_ENDPOINT=127.0.0.1:" + std::to_string(grpc.port()),
       "OTEL_EXPORTER_OTLP_INSECURE=true", "OTEL_EXPORTER_OTLP_PROTOCOL=http/json",
       "OTEL_EXPORTER_OTLP_ENDPOINT=" + http.url(), "no_proxy=127.0.0.1"});
  EXPECT_EQ(flusher.wait(), 0) << flusher.log_text();
  EXPECT_THAT(testing::bodies_of(over_grpc), ElementsAre("hello"));
  EXPECT_EQ(over_json["resourceSpans"][0]["scopeSpans"][0]["spans"][0]["name"], "work");
}

}  // namespace
}  // namespace shmring::flusher
