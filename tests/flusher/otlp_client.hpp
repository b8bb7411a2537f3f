// SPDX-License-Identifier: Apache-2.0
// An OTLP exporter with an event loop of its own, for tests: sends a batch and turns the loop until its result is there.
#pragma once

#include <gtest/gtest.h>

#include <array>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <memory>
#include <string>
#include <vector>

#include "flusher/endpoint.hpp"
#include "flusher/otlp_exporter.hpp"
#include "tests/support/eventually.hpp"

namespace shmring::testing {

struct OtlpClient {
  flusher::EventLoop loop;
  std::array<flusher::OtlpTarget, kSignalCount> targets;
  std::unique_ptr<flusher::OtlpExporter> exporter;
  std::vector<flusher::SendResult> results;

  OtlpClient() {
    setenv("no_proxy", "127.0.0.1,localhost", 1);
    std::signal(SIGPIPE, SIG_IGN);  // as the flusher does: OpenSSL writes without MSG_NOSIGNAL
  }

  void speak_grpc_to(const std::string& endpoint) {
    for (std::size_t i = 0; i < kSignalCount; ++i) {
      targets[i].url = *flusher::grpc_url(endpoint, static_cast<Signal>(i), flusher::Insecure::kNo);
      targets[i].protocol = flusher::Protocol::kGrpc;
    }
  }
  void speak_http_to(const std::string& endpoint) {
    for (std::size_t i = 0; i < kSignalCount; ++i)
      targets[i].url = *flusher::url_below(endpoint, static_cast<Signal>(i));
  }

  /// The exporter is made by the first one: with the targets as they are then.
  void submit(const std::string& body, Signal signal = Signal::kLogs) {
    if (!exporter) exporter = std::make_unique<flusher::OtlpExporter>(loop, targets);
    exporter->submit(std::make_shared<const flusher::Batch>(
                         flusher::Batch{.signal = signal, .request = body, .records = 1}),
                     [this](const flusher::SendResult& result) { results.push_back(result); });
  }
  [[nodiscard]] bool wait_for(std::size_t count) {
    return eventually([&] {
      loop.turn(flusher::Clock::now() + std::chrono::milliseconds(100));
      return results.size() >= count;
    });
  }
  flusher::SendResult send(const std::string& body = "payload", Signal signal = Signal::kLogs) {
    const std::size_t before = results.size();
    submit(body, signal);
    EXPECT_TRUE(wait_for(before + 1));
    return results.back();
  }
};

}  // namespace shmring::testing
