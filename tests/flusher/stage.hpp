// SPDX-License-Identifier: Apache-2.0
// What tests of the whole program stand on: a ring with files beside it, and a backend that answers as its script says.
#pragma once

#include <gtest/gtest.h>

#include <condition_variable>
#include <fstream>
#include <functional>
#include <mutex>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <vector>

#include "libshmring/accounting.hpp"
#include "shmring/shmring.hpp"
#include "tests/flusher/fakes.hpp"
#include "tests/support/eventually.hpp"
#include "tests/support/flusher_process.hpp"
#include "tests/support/http_server.hpp"
#include "tests/support/scratch_ring.hpp"

namespace shmring::flusher {

using testing::eventually;
using testing::FlusherProcess;
using testing::HttpReply;
using testing::HttpRequest;
using testing::HttpServer;

/// A ring, a folder for what comes out of it, and the arguments that every flusher here gets.
struct Stage {
  testing::ScratchRing ring;
  std::filesystem::path log = ring.folder() / "flusher.log";
  std::filesystem::path out = ring.folder() / "out.jsonl";
  std::filesystem::path logs = ring.folder() / "out.logs.jsonl";

  explicit Stage(const testing::RingShape& shape = {.blocks = 256}) : ring(shape) {}

  std::vector<std::string> arguments(std::vector<std::string> more) const {
    std::vector<std::string> all{"--ring", ring.path(),       "--file", out,           "--retry-initial",
                                 "5ms",    "--retry-longest", "20ms",   "--log-level", "debug"};
    all.insert(all.end(), more.begin(), more.end());
    return all;
  }
  FlusherProcess start(const std::vector<std::string>& more) const {
    return {SHMRING_FLUSHER, arguments(more), log};
  }

  /// Emits bodies first .. first + count - 1. Each must be committed.
  void emit(int first, int count) const {
    Logger logger = ring.open().logger("test");
    for (int i = first; i < first + count; ++i) ASSERT_TRUE(logger.emit(Severity::kInfo, std::to_string(i)));
  }
  void emit_span() const {
    Span span = ring.open().tracer("test").start("span");
    span.end();
  }
  Accounting accounting() const {
    const RingFile file = ring.attach(Access::kReadOnly);
    return account(file);
  }
  std::uint64_t outcome(Outcome outcome) const {
    return accounting().total.outcomes[static_cast<std::size_t>(outcome)];
  }
  [[nodiscard]] bool reaches(Outcome which, std::uint64_t count) const {
    return eventually([&] { return outcome(which) >= count; });
  }
  std::multiset<std::string> bodies_in_file() const {
    std::multiset<std::string> bodies;
    std::ifstream in(logs);
    for (std::string line; std::getline(in, line);) {
      const nlohmann::json request = nlohmann::json::parse(line);
      for (const auto& resource : request["resourceLogs"]) {
        for (const auto& scope : resource["scopeLogs"]) {
          for (const auto& record : scope["logRecords"]) bodies.insert(record["body"]["stringValue"]);
        }
      }
    }
    return bodies;
  }
};

inline std::multiset<std::string> numbers(int count) {
  std::multiset<std::string> out;
  for (int i = 0; i < count; ++i) out.insert(std::to_string(i));
  return out;
}

/// Takes log requests, and answers as its script says.
struct Backend {
  std::mutex mutex;
  std::condition_variable changed;
  std::multiset<std::string> bodies;  // of requests that were answered with success
  std::function<HttpReply(const HttpRequest&)> script = [](const HttpRequest&) { return HttpReply{}; };
  bool is_over = false;
  HttpServer server{[this](const HttpRequest& request) {
    const HttpReply reply = script(request);
    if (reply.status == 200 && reply.then == HttpReply::Then::kKeepOpen) {
      const std::lock_guard lock(mutex);
      for (const std::string& body : testing::bodies_of(request.body)) bodies.insert(body);
    }
    return reply;
  }};

  ~Backend() {
    let_go();
    server.stop();
  }
  /// For a script that never answers: until the test is over.
  HttpReply hold() {
    std::unique_lock lock(mutex);
    changed.wait(lock, [&] { return is_over; });
    return {.status = 500, .then = HttpReply::Then::kCloseSilently};
  }
  void let_go() {
    const std::lock_guard lock(mutex);
    is_over = true;
    changed.notify_all();
  }
  std::multiset<std::string> received() {
    const std::lock_guard lock(mutex);
    return bodies;
  }
  std::vector<std::string> arguments(std::vector<std::string> more = {}) const {
    more.insert(more.end(), {"--exporter", "otlp", "--endpoint", server.url()});
    return more;
  }
};

}  // namespace shmring::flusher
