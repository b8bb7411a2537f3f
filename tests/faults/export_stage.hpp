// SPDX-License-Identifier: Apache-2.0
// The stage of the export part of FAULTS: a ring, the program shmring-flusher, servers that fail as a script says, and the oracle. An id
// becomes an obligation when its emit has returned success; at the end, with the faults gone, each has arrived or is among those
// that were refused and counted, and a fresh record gets through.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <fstream>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "shmring/shmring.hpp"
#include "tests/support/collector.hpp"
#include "tests/support/eventually.hpp"
#include "tests/support/flusher_process.hpp"
#include "tests/support/http_server.hpp"
#include "tests/support/promise.hpp"

namespace shmring::testing {

/// The records that a server took.
class Arrivals {
 public:
  /// An encoded ExportLogsServiceRequest.
  void take(const std::string& request) {
    const std::lock_guard lock(mutex_);
    for (const otlp::Bytes payload : payloads_of(request)) {
      const auto id = id_of(payload);
      if (!id) {
        ++strangers_;
      } else if (is_payload_of(*id, payload, Large::kYes)) {
        deliveries_.add(*id, 1);
      } else {
        deliveries_.record(payload);
      }
    }
  }
  template <typename Use>
  auto with_deliveries(Use&& use) {
    const std::lock_guard lock(mutex_);
    return use(deliveries_);
  }
  /// Records that no oracle knows.
  std::uint64_t strangers() {
    const std::lock_guard lock(mutex_);
    return strangers_;
  }

 private:
  std::mutex mutex_;
  Deliveries deliveries_;
  std::uint64_t strangers_ = 0;
};

/// What is to be when the faults are gone.
struct Expected {
  std::uint64_t lost = 0;                    // obligations that did not arrive
  std::uint64_t refused = 0;                 // in the books: rejected and dead-lettered
  std::uint64_t invalid = 0;                 // in the books
  std::uint64_t most_duplicates = 0;         // arrivals of a record beyond its first
  std::uint64_t most_memory_kib = 96 << 10;  // of the flusher's own
};

class ExportStage : public ::testing::Test {
 protected:
  static constexpr std::uint32_t kBatch = 50;

  using Script = std::function<HttpReply(const HttpRequest&)>;

  /// A server takes a request exactly where its script answers with success, told or not.
  HttpServer::Answer taking(Script script) {
    return [this, script = std::move(script)](const HttpRequest& request) {
      HttpReply reply = script(request);
      if (reply.status >= 200 && reply.status <= 299 && request.path == "/v1/logs")
        arrivals_.take(request.body);
      return reply;
    };
  }
  HttpServer::Answer taking() {
    return taking([](const HttpRequest&) { return HttpReply{}; });
  }

  FlusherProcess& start(const std::string& endpoint, const std::vector<std::string>& more = {}) {
    std::vector<std::string> arguments{"--ring",          promise_.scratch().path(),
                                       "--exporter",      "otlp",
                                       "--endpoint",      endpoint,
                                       "--interval",      "10ms",
                                       "--batch-records", std::to_string(kBatch),
                                       "--retry-initial", "5ms",
                                       "--retry-longest", "20ms"};
    for (std::size_t i = 0; i < more.size(); ++i) {  // each option once
      const auto given = std::find(arguments.begin(), arguments.end(), more[i]);
      if (more[i].rfind("--", 0) == 0 && given != arguments.end() && more[i] != "--exporter") {
        *(given + 1) = more[++i];
      } else {
        arguments.push_back(more[i]);
      }
    }
    std::vector<std::string> variables = variables_;
    variables.emplace_back("no_proxy=*");
    flusher_ = std::make_unique<FlusherProcess>(SHMRING_FLUSHER, arguments, log(), variables);
    return *flusher_;
  }
  std::filesystem::path log() const { return promise_.scratch().folder() / "flusher.log"; }

  /// Each must be committed.
  void emit(std::uint32_t count) {
    ASSERT_EQ(emit_many(promise_.scratch().open().logger("test"), promise_.obligations(), count), count);
  }
  void emit_span() { promise_.scratch().open().tracer("test").start("span").end(); }
  std::uint64_t accepted(Signal signal) {
    const Accounting books = promise_.accounting();
    return books.signals[static_cast<std::size_t>(signal)]
        .outcomes[static_cast<std::size_t>(Outcome::kAccepted)];
  }
  bool is_settled() const { return promise_.accounting().total.pending == 0; }
  std::uint64_t lost() {
    return arrivals_.with_deliveries([this](Deliveries& d) { return d.lost(promise_.obligations()); });
  }
  std::uint64_t memory_kib() const {
    std::ifstream status("/proc/" + std::to_string(flusher_->pid()) + "/status");
    for (std::string line; std::getline(status, line);) {
      if (line.rfind("RssAnon:", 0) == 0) return std::stoull(line.substr(8));
    }
    return 0;
  }

  /// REQUIRES: the faults are gone, and the flusher runs.
  void expect_kept(const Expected& expected = {}) {
    ASSERT_TRUE(eventually([&] { return is_settled() && lost() <= expected.lost; })) << lost() << " lost\n"
                                                                                     << flusher_->log_text();
    EXPECT_LT(memory_kib(), expected.most_memory_kib);
    emit(1);
    EXPECT_TRUE(eventually([&] { return is_settled(); })) << "a fresh record does not get through";
    EXPECT_EQ(flusher_->stop(), 0) << flusher_->log_text();
    const Accounting books = promise_.accounting();
    arrivals_.with_deliveries([&](Deliveries& d) {
      EXPECT_EQ(d.lost(promise_.obligations()), expected.lost);
      EXPECT_TRUE(d.arrived(promise_.obligations().issued - 1)) << "the fresh record";
      EXPECT_EQ(d.invented(promise_.obligations()), 0U);
      EXPECT_EQ(d.mangled(), 0U);
      EXPECT_LE(d.duplicates(), expected.most_duplicates);
      EXPECT_LE(d.repeated(), books.total.duplicates_possible);
    });
    EXPECT_EQ(outcome(books, Outcome::kRejected) + outcome(books, Outcome::kDeadLettered), expected.refused);
    EXPECT_EQ(outcome(books, Outcome::kInvalid), expected.invalid);
    EXPECT_EQ(outcome(books, Outcome::kAccepted), books.total.written - expected.refused - expected.invalid);
    expect_closed(promise_.file());
  }

  Promise promise_{{.blocks = 512}};
  Arrivals arrivals_;
  std::vector<std::string> variables_;  // of the flusher's environment
  std::unique_ptr<FlusherProcess> flusher_;
};

}  // namespace shmring::testing
