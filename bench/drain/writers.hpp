// SPDX-License-Identifier: Apache-2.0
// Writers by the hundred, who write one after the other: threads that stay, and children that are gone.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <semaphore>
#include <thread>
#include <vector>

namespace shmring::bench {

/// What one writer does in a round; false: something was dropped.
using Share = std::function<bool(std::size_t writer)>;

/// Threads that live from round to round and keep their blocks.
class LiveWriters {
 public:
  LiveWriters(std::size_t count, Share share);
  ~LiveWriters();
  LiveWriters(const LiveWriters&) = delete;
  LiveWriters& operator=(const LiveWriters&) = delete;

  /// Every writer's share, one writer after the other.
  bool round();

 private:
  struct Writer {
    std::binary_semaphore begin{0};
    std::binary_semaphore done{0};
    bool is_told_to_end = false;
    bool is_fine = true;
    std::thread thread;
  };

  std::vector<std::unique_ptr<Writer>> writers_;
};

/// Forked children, one after the other; each is gone, by _exit, before the next one begins.
bool round_of_children(std::size_t count, const Share& share);

}  // namespace shmring::bench
