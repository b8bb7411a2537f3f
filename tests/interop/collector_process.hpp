// SPDX-License-Identifier: Apache-2.0
// A real OpenTelemetry Collector as a child: takes OTLP on 127.0.0.1 and writes what it took to files, one for each signal.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

#include "tests/support/certificates.hpp"
#include "tests/support/child.hpp"
#include "tests/support/scratch_ring.hpp"

namespace shmring::interop {

class CollectorProcess {
 public:
  /// Waits until it takes connections; aborts with its log when it does not. `identity`: it speaks TLS only.
  CollectorProcess(const std::string& program, const std::optional<testing::Identity>& identity);

  std::uint16_t http_port() const noexcept { return http_port_; }
  std::uint16_t grpc_port() const noexcept { return grpc_port_; }

  /// Ends it, which completes its files. False: it did not end well.
  bool stop();
  /// Of `signal` ("logs", "traces", "metrics"), OTLP JSON lines.
  std::filesystem::path written(const std::string& signal) const {
    return folder_.path() / (signal + ".jsonl");
  }
  std::string log_text() const;

 private:
  void write_configuration(const std::optional<testing::Identity>& identity) const;
  std::filesystem::path file(const char* name) const { return folder_.path() / name; }

  testing::ScratchFolder folder_{testing::Medium::kDisk};
  std::uint16_t http_port_;
  std::uint16_t grpc_port_;
  testing::Child child_;
};

}  // namespace shmring::interop
