// SPDX-License-Identifier: Apache-2.0
// Answers GET /metrics, /healthz and /readyz, on the event loop: what hangs does not answer, and needs no lock.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "flusher/event_loop.hpp"
#include "flusher/metrics.hpp"
#include "shmring/result.hpp"

namespace shmring::flusher {

class MetricsServer {
 public:
  /// `address`: ADDR:PORT, [ADDR]:PORT, or a PORT of 127.0.0.1; port 0: any free one. REQUIRES: loop and metrics live longer.
  static Result<std::unique_ptr<MetricsServer>> listen(const std::string& address, EventLoop& loop,
                                                       Metrics& metrics);
  MetricsServer(const MetricsServer&) = delete;
  MetricsServer& operator=(const MetricsServer&) = delete;
  ~MetricsServer();

  /// With the port that it got.
  const std::string& address() const noexcept { return address_; }

 private:
  struct Connection {
    int fd = -1;
    std::uint64_t number = 0;
    std::string in;
    std::string out;
    std::size_t sent = 0;
  };

  MetricsServer(int fd, std::string address, EventLoop& loop, Metrics& metrics);
  void accept_one();
  void read_some(Connection& connection);
  void write_some(Connection& connection);
  void close(int fd);
  std::string answer(std::string_view head) const;

  int fd_;
  std::string address_;
  EventLoop& loop_;
  Metrics& metrics_;
  std::map<int, Connection> connections_;
  std::uint64_t accepted_ = 0;
  std::shared_ptr<MetricsServer*> self_ = std::make_shared<MetricsServer*>(this);  // timers outlive us
};

}  // namespace shmring::flusher
