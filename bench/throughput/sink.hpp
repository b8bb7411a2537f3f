// SPDX-License-Identifier: Apache-2.0
// A server that only reads and answers, in a process of its own: HTTP/1.1 on 127.0.0.1, 200 to everything, whatever it says.
#pragma once

#include <atomic>
#include <cstdint>
#include <string>

#include "bench/processes/children.hpp"

namespace shmring::bench {

class Sink {
 public:
  /// Runs on the core with that index until this object goes away. Ends the program when it cannot.
  explicit Sink(int core);

  std::string url() const { return "http://127.0.0.1:" + std::to_string(port_); }
  std::uint64_t requests() const noexcept { return page_->requests.load(); }
  std::uint64_t body_bytes() const noexcept { return page_->body_bytes.load(); }

 private:
  struct Page {
    std::atomic<std::uint64_t> requests{0};
    std::atomic<std::uint64_t> body_bytes{0};
  };
  class Server;

  Shared<Page> page_;
  std::uint16_t port_ = 0;
  Child child_;
};

}  // namespace shmring::bench
