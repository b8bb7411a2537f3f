// SPDX-License-Identifier: Apache-2.0
// Against a real server on a real socket.

#include "flusher/otlp_exporter.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <opentelemetry/proto/collector/logs/v1/logs_service.pb.h>
#include <zlib.h>

#include <condition_variable>
#include <mutex>
#include <nlohmann/json.hpp>

#include "tests/support/eventually.hpp"
#include "tests/support/http_server.hpp"

namespace shmring::flusher {
namespace {

namespace collector = opentelemetry::proto::collector;
using ::testing::HasSubstr;
using testing::HttpReply;
using testing::HttpRequest;
using testing::HttpServer;
using ::testing::StartsWith;
using namespace std::string_literals;

/// One exporter, one server; turns the loop until an answer is there.
struct Exchange {
  EventLoop loop;
  HttpServer server;
  std::array<OtlpTarget, kSignalCount> targets;
  std::unique_ptr<OtlpExporter> exporter;
  std::vector<SendResult> results;
  std::mutex mutex;
  std::vector<HttpRequest> requests;

  explicit Exchange(HttpServer::Answer answer)
      : server([this, answer](const HttpRequest& request) {
          {
            const std::lock_guard lock(mutex);
            requests.push_back(request);
          }
          return answer(request);
        }) {
    setenv("no_proxy", "127.0.0.1", 1);
    for (OtlpTarget& target : targets) target.url = server.url() + "/v1/logs";
    make();
  }
  void make() { exporter = std::make_unique<OtlpExporter>(loop, targets); }

  void submit(const std::string& body = "payload") {
    exporter->submit(std::make_shared<const Batch>(Batch{.request = body, .records = 1}),
                     [this](const SendResult& result) { results.push_back(result); });
  }
  [[nodiscard]] bool wait_for(std::size_t count) {
    return testing::eventually([&] {
      loop.turn(Clock::now() + std::chrono::milliseconds(100));
      return results.size() >= count;
    });
  }
  SendResult send(const std::string& body = "payload") {
    const std::size_t before = results.size();
    submit(body);
    EXPECT_TRUE(wait_for(before + 1));
    return results.back();
  }
};

std::string inflated(const std::string& compressed) {
  std::string plain(1U << 20U, '\0');
  z_stream stream{};
  EXPECT_EQ(inflateInit2(&stream, 15 + 16), Z_OK);
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(compressed.data()));
  stream.avail_in = static_cast<uInt>(compressed.size());
  stream.next_out = reinterpret_cast<Bytef*>(plain.data());
  stream.avail_out = static_cast<uInt>(plain.size());
  EXPECT_EQ(inflate(&stream, Z_FINISH), Z_STREAM_END);
  plain.resize(stream.total_out);
  inflateEnd(&stream);
  return plain;
}

HttpReply ok(const HttpRequest&) { return {}; }

TEST(OtlpExporter, SendsThePayloadWithTheRightHeaders) {
  Exchange exchange(ok);
  exchange.targets[0].headers = {{"Api-Key", "secret"}, {"X-Empty", ""}};
  exchange.make();
  EXPECT_EQ(exchange.send("the bytes\n\0"s.append("after")).outcome, SendOutcome::kAccepted);
  ASSERT_EQ(exchange.requests.size(), 1U);
  const HttpRequest& request = exchange.requests[0];
  EXPECT_EQ(request.method, "POST");
  EXPECT_EQ(request.path, "/v1/logs");
  EXPECT_EQ(request.header("content-type"), "application/x-protobuf");
  EXPECT_EQ(request.header("api-key"), "secret");
  EXPECT_TRUE(request.has("x-empty"));
  EXPECT_THAT(request.header("user-agent"), StartsWith("shmring-flusher/0."));
  EXPECT_EQ(request.body, "the bytes\n\0"s.append("after"));
}

TEST(OtlpExporter, KeepsTheConnection) {
  Exchange exchange(ok);
  for (int i = 0; i < 5; ++i) EXPECT_EQ(exchange.send().outcome, SendOutcome::kAccepted);
  EXPECT_EQ(exchange.server.connections(), 1U);
}

TEST(OtlpExporter, SeveralRequestsAreUnderWayAtTheSameTime) {
  std::mutex mutex;
  std::condition_variable all_here;
  int waiting = 0;
  Exchange exchange([&](const HttpRequest&) {
    std::unique_lock lock(mutex);
    ++waiting;
    all_here.notify_all();
    const bool met = all_here.wait_for(lock, testing::kLongEnough, [&] { return waiting == 4; });
    return HttpReply{.status = met ? 200 : 500};
  });
  for (int i = 0; i < 4; ++i) exchange.submit();
  ASSERT_TRUE(exchange.wait_for(4));
  for (const SendResult& result : exchange.results) EXPECT_EQ(result.outcome, SendOutcome::kAccepted);
}

TEST(OtlpExporter, ALargeBodyIsSentWithoutAskingFirst) {
  Exchange exchange(ok);
  const std::string body(3U << 20U, 'x');
  EXPECT_EQ(exchange.send(body).outcome, SendOutcome::kAccepted);
  EXPECT_FALSE(exchange.requests[0].has("expect"));
  EXPECT_EQ(exchange.requests[0].body, body);
}

TEST(OtlpExporter, CompressesWhenTold) {
  Exchange exchange(ok);
  exchange.targets[0].compression = Compression::kGzip;
  exchange.make();
  const std::string body(100'000, 'x');
  EXPECT_EQ(exchange.send(body).outcome, SendOutcome::kAccepted);
  const HttpRequest& request = exchange.requests[0];
  EXPECT_EQ(request.header("content-encoding"), "gzip");
  EXPECT_LT(request.body.size(), 2000U);
  EXPECT_EQ(inflated(request.body), body);
}

/// A log record and a span: ids, a 64-bit number, an enum.
std::string log_request() {
  collector::logs::v1::ExportLogsServiceRequest request;
  auto* const record = request.add_resource_logs()->add_scope_logs()->add_log_records();
  record->set_time_unix_nano(1'700'000'000'123'456'789);
  record->set_severity_number(opentelemetry::proto::logs::v1::SEVERITY_NUMBER_ERROR);
  record->set_trace_id("\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a\x0b\x0c\x0d\x0e\x0f\x10");
  record->mutable_body()->set_string_value("hello");
  return request.SerializeAsString();
}

TEST(OtlpExporter, SpeaksJson) {
  Exchange exchange([](const HttpRequest&) {
    return HttpReply{.body = R"({"partialSuccess":{"rejectedLogRecords":"1"}})",
                     .headers = {{"Content-Type", "application/json"}}};
  });
  exchange.targets[0].protocol = Protocol::kHttpJson;
  exchange.make();
  EXPECT_EQ(exchange.send(log_request()).rejected, 1U);
  const HttpRequest& request = exchange.requests[0];
  EXPECT_EQ(request.header("content-type"), "application/json");
  const auto json = nlohmann::json::parse(request.body);
  const auto& record = json["resourceLogs"][0]["scopeLogs"][0]["logRecords"][0];
  EXPECT_EQ(record["timeUnixNano"], "1700000000123456789");
  EXPECT_EQ(record["severityNumber"], 17);
  EXPECT_EQ(record["traceId"], "0102030405060708090a0b0c0d0e0f10");
  EXPECT_EQ(record["body"]["stringValue"], "hello");
}

TEST(OtlpExporter, AnEmptyRequestIsAnEmptyJsonObject) {
  Exchange exchange(ok);
  exchange.targets[0].protocol = Protocol::kHttpJson;
  exchange.make();
  exchange.send("");
  EXPECT_EQ(exchange.requests[0].body, "{}");
}

TEST(OtlpExporter, CompressesJson) {
  Exchange exchange(ok);
  exchange.targets[0].protocol = Protocol::kHttpJson;
  exchange.targets[0].compression = Compression::kGzip;
  exchange.make();
  exchange.send(log_request());
  const HttpRequest& request = exchange.requests[0];
  EXPECT_EQ(request.header("content-type"), "application/json");
  EXPECT_EQ(request.header("content-encoding"), "gzip");
  EXPECT_EQ(nlohmann::json::parse(inflated(request.body)).count("resourceLogs"), 1U);
}

TEST(OtlpExporter, ReadsRetryAfter) {
  Exchange exchange([](const HttpRequest&) {
    return HttpReply{.status = 503, .headers = {{"Retry-After", "7"}}};
  });
  const SendResult result = exchange.send();
  EXPECT_EQ(result.outcome, SendOutcome::kRetryable);
  EXPECT_EQ(result.retry_after, std::chrono::seconds(7));
  EXPECT_FALSE(result.may_have_arrived);
}

TEST(OtlpExporter, NonsenseInRetryAfterIsNoReasonToWait) {
  for (const char* text : {"-5", "soon", "", "1.5e"}) {
    Exchange exchange([&](const HttpRequest&) {
      return HttpReply{.status = 429, .headers = {{"Retry-After", text}}};
    });
    const SendResult result = exchange.send();
    EXPECT_EQ(result.outcome, SendOutcome::kRetryable);
    EXPECT_LE(result.retry_after.value_or(std::chrono::seconds(0)), std::chrono::seconds(1)) << text;
  }
}

TEST(OtlpExporter, DoesNotFollowARedirection) {
  Exchange exchange([](const HttpRequest&) {
    return HttpReply{.status = 307, .headers = {{"Location", "/elsewhere"}}};
  });
  EXPECT_EQ(exchange.send().outcome, SendOutcome::kRejected);
  EXPECT_EQ(exchange.requests.size(), 1U);
}

/// The server reads the second request of a connection and closes it without an answer: libcurl alone would send the
/// request again on a new connection and tell nobody.
void expect_no_second_post(HttpReply::Then then, std::size_t bytes) {
  Exchange exchange([&](const HttpRequest& request) {
    return HttpReply{.then = request.on_connection == 0 ? HttpReply::Then::kKeepOpen : then};
  });
  EXPECT_EQ(exchange.send().outcome, SendOutcome::kAccepted);
  const SendResult result = exchange.send(std::string(bytes, 'x'));
  EXPECT_EQ(result.outcome, SendOutcome::kRetryable);
  EXPECT_TRUE(result.may_have_arrived);
  EXPECT_EQ(exchange.server.requests(), 2U);
  EXPECT_EQ(exchange.send().outcome, SendOutcome::kAccepted);  // on a fresh connection
}

TEST(OtlpExporter, AReusedConnectionThatIsClosedCausesNoSecondPost) {
  expect_no_second_post(HttpReply::Then::kCloseSilently, 100);
  expect_no_second_post(HttpReply::Then::kCloseSilently, 3U << 20U);
}

TEST(OtlpExporter, AReusedConnectionThatIsResetCausesNoSecondPost) {
  expect_no_second_post(HttpReply::Then::kReset, 100);
  expect_no_second_post(HttpReply::Then::kReset, 3U << 20U);
}

TEST(OtlpExporter, AFreshConnectionThatIsClosedWithoutAnAnswerMayHaveDelivered) {
  Exchange exchange([](const HttpRequest&) { return HttpReply{.then = HttpReply::Then::kCloseSilently}; });
  const SendResult result = exchange.send();
  EXPECT_EQ(result.outcome, SendOutcome::kRetryable);
  EXPECT_TRUE(result.may_have_arrived);
  EXPECT_EQ(exchange.server.requests(), 1U);
}

TEST(OtlpExporter, AnIdleConnectionThatTheServerClosedCausesNeitherLossNorDuplicate) {
  Exchange exchange([](const HttpRequest&) { return HttpReply{.then = HttpReply::Then::kClose}; });
  for (int i = 0; i < 5; ++i) {
    EXPECT_EQ(exchange.send().outcome, SendOutcome::kAccepted);
    ASSERT_TRUE(testing::eventually([&] { return exchange.server.open_connections() == 0; }));
  }
  EXPECT_EQ(exchange.server.requests(), 5U);
}

TEST(OtlpExporter, ARefusedConnectionDeliveredNothing) {
  Exchange exchange(ok);
  exchange.server.stop();
  const SendResult result = exchange.send();
  EXPECT_EQ(result.outcome, SendOutcome::kRetryable);
  EXPECT_FALSE(result.may_have_arrived);
  EXPECT_THAT(result.reason, HasSubstr("127.0.0.1"));
}

TEST(OtlpExporter, ARequestWithoutAnAnswerEndsWithItsTimeout) {
  std::mutex mutex;
  std::condition_variable changed;
  bool is_over = false;
  Exchange exchange([&](const HttpRequest&) {
    std::unique_lock lock(mutex);
    changed.wait_for(lock, testing::kLongEnough, [&] { return is_over; });
    return HttpReply{};
  });
  exchange.targets[0].timeout = std::chrono::milliseconds(200);
  exchange.make();
  const SendResult result = exchange.send();
  EXPECT_EQ(result.outcome, SendOutcome::kRetryable);
  EXPECT_TRUE(result.may_have_arrived);
  const std::lock_guard lock(mutex);
  is_over = true;
  changed.notify_all();
}

TEST(OtlpExporter, AnEndlessAnswerIsCutAndItsStatusCounts) {
  Exchange exchange([](const HttpRequest&) {
    std::string chunks = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
    for (int i = 0; i < 80; ++i)
      chunks += "10000\r\n" + std::string(0x10000, 'x') + "\r\n";  // 5 MiB, and no end
    return HttpReply{.raw = chunks};
  });
  EXPECT_EQ(exchange.send().outcome, SendOutcome::kAccepted);
}

TEST(OtlpExporter, WhatIsNoHttpIsRetried) {
  Exchange exchange([](const HttpRequest&) {
    return HttpReply{.then = HttpReply::Then::kClose, .raw = "SSH-2.0-OpenSSH\r\n"};
  });
  EXPECT_EQ(exchange.send().outcome, SendOutcome::kRetryable);
}

TEST(OtlpExporter, WhatIsGivenUpSaysWhetherItMayHaveArrived) {
  std::mutex mutex;
  std::condition_variable changed;
  bool is_over = false;
  Exchange exchange([&](const HttpRequest&) {
    std::unique_lock lock(mutex);
    changed.wait_for(lock, testing::kLongEnough, [&] { return is_over; });
    return HttpReply{};
  });
  exchange.submit();
  ASSERT_TRUE(testing::eventually([&] {
    exchange.loop.turn(Clock::now() + std::chrono::milliseconds(10));
    return exchange.server.requests() == 1;
  }));
  exchange.submit();  // never gets to send anything
  exchange.exporter->abandon_all();
  ASSERT_EQ(exchange.results.size(), 2U);
  EXPECT_NE(exchange.results[0].may_have_arrived, exchange.results[1].may_have_arrived);
  const std::lock_guard lock(mutex);
  is_over = true;
  changed.notify_all();
}

TEST(OtlpExporter, EndsInOrderWithRequestsUnderWay) {
  Exchange exchange(ok);
  exchange.submit();
  exchange.loop.turn(Clock::now());
  exchange.exporter.reset();
  EXPECT_TRUE(exchange.results.empty());
}

}  // namespace
}  // namespace shmring::flusher
