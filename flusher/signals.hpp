// SPDX-License-Identifier: Apache-2.0
// SIGTERM, SIGINT and SIGHUP as something to wait for; SIGPIPE ignored; SIGBUS explained.
#pragma once

#include <optional>

#include "shmring/result.hpp"

namespace shmring::flusher {

class Signals {
 public:
  /// Blocks the signals for this thread and all that it starts. REQUIRES: no other thread runs yet.
  static Result<Signals> block();

  Signals(Signals&& other) noexcept;
  Signals& operator=(Signals&&) = delete;
  ~Signals();

  int fd() const noexcept { return fd_; }  // readable: something came
  std::optional<int> next() const noexcept;

 private:
  explicit Signals(int fd) : fd_(fd) {}
  int fd_;
};

}  // namespace shmring::flusher
