// SPDX-License-Identifier: Apache-2.0
// What a program logs by spdlog arrives as it was said, also from children and by several threads.
#include "shmring/sinks/spdlog.hpp"

#include <gtest/gtest.h>
#include <spdlog/logger.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <memory>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "tests/libshmring/encode/ring_contents.hpp"

namespace shmring::test {
namespace {

class SpdlogSinkOnARing : public WithRing {
 protected:
  spdlog::logger logger(const std::string& name, sinks::SpdlogSink::CurrentTrace trace = nullptr) const {
    spdlog::logger log(name, std::make_shared<sinks::SpdlogSink>(open(), trace));
    log.set_level(spdlog::level::trace);
    return log;
  }
};

TraceContext current_trace() noexcept {
  return *parse_traceparent("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01");
}

TEST_F(SpdlogSinkOnARing, WritesTextLevelScopeAndPlace) {
  auto log = logger("shop.orders", current_trace);
  log.log(spdlog::source_loc{"orders.cpp", 17, "place"}, spdlog::level::warn, "order {} is late", 4711);
  const auto found = logs();
  ASSERT_EQ(found.size(), 1U);
  const auto& record = found[0].message;
  EXPECT_EQ(found[0].scope.name(), "shop.orders");
  EXPECT_EQ(record.body().string_value(), "order 4711 is late");
  EXPECT_EQ(static_cast<int>(record.severity_number()), 13);
  EXPECT_EQ(record.severity_text(), "warning");
  EXPECT_GT(record.time_unix_nano(), 1'700'000'000'000'000'000U);
  EXPECT_EQ(record.time_unix_nano(), record.observed_time_unix_nano());
  EXPECT_EQ(record.trace_id().size(), 16U);
  ASSERT_EQ(record.attributes_size(), 4);
  EXPECT_EQ(record.attributes(0).key(), "thread.id");
  EXPECT_EQ(record.attributes(0).value().int_value(), ::gettid());
  EXPECT_EQ(record.attributes(1).value().string_value(), "orders.cpp");
  EXPECT_EQ(record.attributes(2).value().int_value(), 17);
  EXPECT_EQ(record.attributes(3).value().string_value(), "place");
}

TEST_F(SpdlogSinkOnARing, MapsEveryLevel) {
  auto log = logger("levels");
  log.trace("t");
  log.debug("d");
  log.info("i");
  log.warn("w");
  log.error("e");
  log.critical("c");
  std::vector<int> severities;
  for (const auto& each : logs()) severities.push_back(static_cast<int>(each.message.severity_number()));
  EXPECT_EQ(severities, (std::vector<int>{1, 5, 9, 13, 17, 21}));
  EXPECT_EQ(logs()[0].message.attributes_size(), 1) << "a message without a place has none";
}

TEST_F(SpdlogSinkOnARing, ServesSeveralLoggersAndThreads) {
  const auto sink = std::make_shared<sinks::SpdlogSink>(open());
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&sink, i] {
      spdlog::logger log("scope." + std::to_string(i % 2), sink);
      for (int n = 0; n < 100; ++n) log.info("{} {}", i, n);
    });
  }
  for (auto& thread : threads) thread.join();
  std::set<std::string> bodies;
  for (const auto& each : logs()) {
    const std::string& body = each.message.body().string_value();
    bodies.insert(body);
    EXPECT_EQ(each.scope.name(), (body[0] - '0') % 2 == 0 ? "scope.0" : "scope.1");
  }
  EXPECT_EQ(bodies.size(), 400U);
}

TEST_F(SpdlogSinkOnARing, KeepsTheLastWordsOfAChildThatIsKilled) {
  auto log = logger("workers");
  for (int i = 0; i < 20; ++i) {
    const pid_t child = ::fork();
    if (child == 0) {
      log.info("child {}", i);
      ::raise(SIGKILL);
    }
    ASSERT_EQ(::waitpid(child, nullptr, 0), child);
  }
  EXPECT_EQ(logs().size(), 20U);
}

}  // namespace
}  // namespace shmring::test
