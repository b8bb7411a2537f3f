// SPDX-License-Identifier: Apache-2.0
// One thread's waiting: HTTP transfers, timers, file descriptors and a wake-up from other threads, on curl_multi_poll.
#pragma once

#include <curl/curl.h>

#include <cstdint>
#include <functional>
#include <map>
#include <vector>

#include "flusher/schedule.hpp"
#include "flusher/timers.hpp"

namespace shmring::flusher {

enum class Readiness : std::uint8_t { kToRead, kToWrite };

class EventLoop final : public Timers {
 public:
  explicit EventLoop(long kept_connections = 16);
  EventLoop(const EventLoop&) = delete;
  EventLoop& operator=(const EventLoop&) = delete;
  ~EventLoop() override;

  void keep_connections(long most);

  void after(Clock::duration delay, std::function<void()> action) override;

  /// Runs a transfer. REQUIRES: the handle lives until `done` was called or stop() was.
  void start(CURL* transfer, std::function<void(CURLcode)> done);
  void stop(CURL* transfer);

  /// Calls `ready` while there is something to read from `fd`, or room to write. One watch for each descriptor.
  void watch(int fd, std::function<void()> ready, Readiness readiness = Readiness::kToRead);
  void unwatch(int fd);

  /// Ends a turn() at once. From any thread.
  void wake();

  /// Waits for the first thing that happens, until `until` at most, and handles all that did.
  void turn(TimePoint until);

 private:
  struct Watched {
    std::function<void()> ready;
    Readiness readiness;
  };

  bool finish_transfers();
  void run_timers();

  CURLM* multi_;
  std::map<CURL*, std::function<void(CURLcode)>> transfers_;
  std::multimap<TimePoint, std::function<void()>> timers_;
  std::map<int, Watched> watched_;
};

}  // namespace shmring::flusher
