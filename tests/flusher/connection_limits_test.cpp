// SPDX-License-Identifier: Apache-2.0
// Connections are used again, but neither idle nor old ones: seen from a server. A second is the smallest limit there is.

#include "flusher/connection_limits.hpp"

#include <gtest/gtest.h>

#include "tests/flusher/otlp_client.hpp"
#include "tests/support/http_server.hpp"

namespace shmring::flusher {
namespace {

using testing::eventually;
using testing::HttpReply;
using testing::HttpRequest;
using testing::HttpServer;
using namespace std::chrono_literals;

// The Collector closes connections that were idle for 60 s; most balancers do so at 60 s, too.
static_assert(ConnectionLimits{}.idle < 60s && ConnectionLimits{}.lifetime > ConnectionLimits{}.idle);

struct Limited {
  HttpServer server{[](const HttpRequest&) { return HttpReply{}; }};
  testing::OtlpClient client;

  explicit Limited(const ConnectionLimits& limits) {
    client.speak_http_to(server.url());
    client.exporter = std::make_unique<OtlpExporter>(client.loop, client.targets, limits);
    EXPECT_EQ(client.send().connection, Connection::kOpened);
    EXPECT_EQ(client.send().connection, Connection::kReused);
  }
  void let_pass(Clock::duration time) {
    for (const TimePoint until = Clock::now() + time; Clock::now() < until;) client.loop.turn(until);
  }
};

TEST(ConnectionLimits, AnIdleConnectionIsNotUsedAgain) {
  Limited given({.idle = 1s, .lifetime = 1h});
  Clock::duration pause = 500ms;  // doubled, since each request makes it young again
  EXPECT_TRUE(eventually([&] {
    given.let_pass(pause);
    pause *= 2;
    return given.client.send().connection == Connection::kOpened;
  }));
  EXPECT_EQ(given.server.connections(), 2U);
}

TEST(ConnectionLimits, AnOldConnectionIsNotUsedAgainHoweverBusy) {
  Limited given({.idle = 1h, .lifetime = 1s});
  EXPECT_TRUE(eventually([&] {
    given.let_pass(20ms);
    return given.client.send().connection == Connection::kOpened;
  }));
  EXPECT_EQ(given.server.connections(), 2U);
  EXPECT_EQ(given.client.send().connection, Connection::kReused);  // the new one
}

}  // namespace
}  // namespace shmring::flusher
