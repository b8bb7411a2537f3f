// SPDX-License-Identifier: Apache-2.0
// The one thread beside the main one: sleeps on the ring's wake word and ends the event loop's wait when a writer asks
// for an early drain.
#pragma once

#include <atomic>
#include <functional>
#include <semaphore>
#include <thread>

#include "libshmring/reader.hpp"

namespace shmring::flusher {

class WakeThread {
 public:
  /// REQUIRES: reader lives longer; `on_wake` may be called from any thread.
  WakeThread(Reader& reader, std::function<void()> on_wake);
  WakeThread(const WakeThread&) = delete;
  WakeThread& operator=(const WakeThread&) = delete;
  ~WakeThread();

  /// Somebody asked and was not answered yet.
  bool is_asked() const noexcept { return asked_.load(std::memory_order_acquire); }

  /// The wake word was cleared: waits for the next one.
  void rearm();

 private:
  void run();

  Reader& reader_;
  std::function<void()> on_wake_;
  std::atomic<bool> asked_{false};
  std::atomic<bool> is_ending_{false};
  std::binary_semaphore answered_{0};
  std::thread thread_;
};

}  // namespace shmring::flusher
