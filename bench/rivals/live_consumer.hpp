// SPDX-License-Identifier: Apache-2.0
// A consumer that works while producers push, on the last core; one thread, from construction to destruction.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <thread>
#include <utility>

#include "bench/rendezvous.hpp"

namespace shmring::bench {

class LiveConsumer {
 public:
  /// `take()` waits for something, takes it out, and says how many records it was; 0 ends the thread.
  explicit LiveConsumer(std::function<std::uint64_t()> take)
      : thread_([this, take = std::move(take)] {
          pin_to_core(core_count() - 1);
          while (const std::uint64_t taken = take()) taken_.fetch_add(taken, std::memory_order_release);
        }) {}
  /// REQUIRES: take() has returned 0 or will.
  ~LiveConsumer() { thread_.join(); }
  LiveConsumer(const LiveConsumer&) = delete;
  LiveConsumer& operator=(const LiveConsumer&) = delete;

  /// Waits until that many more records were taken than at the last call.
  std::uint64_t wait_for(std::uint64_t pushed) {
    expected_ += pushed;
    while (taken_.load(std::memory_order_acquire) < expected_) std::this_thread::yield();
    return pushed;
  }

 private:
  std::atomic<std::uint64_t> taken_ = 0;
  std::uint64_t expected_ = 0;
  std::thread thread_;  // last: it uses what stands above
};

}  // namespace shmring::bench
