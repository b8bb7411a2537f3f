// SPDX-License-Identifier: Apache-2.0
// A network that misbehaves, between a client and a server of a test: takes connections on 127.0.0.1, and hands on what they say,
// late, slowly, in part, or not at all.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <mutex>
#include <string>
#include <thread>

#include "tests/support/listener.hpp"
#include "tests/support/splitmix.hpp"

namespace shmring::testing {

class FaultProxy {
 public:
  /// Of connections that begin from now on, but for the last one, which holds at once.
  struct Faults {
    std::chrono::milliseconds delay{0};  // before each piece that is handed on
    std::uint64_t bytes_per_second = 0;  // 0: as fast as they come
    unsigned percent_lost = 0;           // connections that are cut by RST somewhere in their first 64 KiB
    std::uint64_t cut_after = 0;         // bytes of both directions, then RST; 0: never
    bool swallows = false;               // everything: the other side never hears of it
  };

  explicit FaultProxy(std::uint16_t backend)
      : backend_(backend), listener_([this](int fd, unsigned number) { serve(fd, number); }) {}

  std::uint16_t port() const noexcept { return listener_.port(); }
  std::string url() const { return "http://127.0.0.1:" + std::to_string(port()); }
  unsigned connections() const noexcept { return listener_.connections(); }
  /// Connections that it cut.
  unsigned cut() const noexcept { return cut_; }
  std::uint64_t swallowed_bytes() const noexcept { return swallowed_; }

  void set(const Faults& faults) {
    const std::lock_guard lock(mutex_);
    faults_ = faults;
    swallows_ = faults.swallows;
  }

 private:
  void serve(int client, unsigned number) {
    Faults faults;
    {
      const std::lock_guard lock(mutex_);
      faults = faults_;
    }
    SplitMix random(number);
    if (random.below(100) < faults.percent_lost) faults.cut_after = 1 + random.below(65536);
    const int server = connect_to(backend_);
    if (server < 0) return end_by_reset(client);
    std::uint64_t left = faults.cut_after == 0 ? UINT64_MAX : faults.cut_after;
    while (left > 0 && pump(client, server, faults, left)) {
    }
    if (left == 0) {
      ++cut_;
      end_by_reset(client);
      end_by_reset(server);
    }
    ::close(server);
  }

  bool pump(int client, int server, Faults& faults, std::uint64_t& left) {
    pollfd both[] = {{client, POLLIN, 0}, {server, POLLIN, 0}};
    if (::poll(both, 2, 50) < 0 || listener_.is_ending()) return false;
    return (both[0].revents == 0 || hand_on(client, server, faults, left)) &&
           (both[1].revents == 0 || hand_on(server, client, faults, left));
  }

  bool hand_on(int from, int to, Faults& faults, std::uint64_t& left) {
    char buffer[16384];
    const std::size_t most = std::min<std::uint64_t>(sizeof buffer, left);
    const ssize_t count = ::recv(from, buffer, most, 0);
    if (count <= 0) return false;
    const auto bytes = static_cast<std::size_t>(count);
    left -= bytes;
    faults.swallows = faults.swallows || swallows_;  // what has lost a part makes no sense any more
    if (faults.swallows) {
      swallowed_ += bytes;
      return true;
    }
    std::this_thread::sleep_for(faults.delay);  // the fault itself
    if (faults.bytes_per_second > 0)
      std::this_thread::sleep_for(std::chrono::microseconds(bytes * 1'000'000 / faults.bytes_per_second));
    return send_all(to, {buffer, bytes});
  }

  std::uint16_t backend_;
  std::mutex mutex_;
  Faults faults_;
  std::atomic<bool> swallows_{false};
  std::atomic<unsigned> cut_{0};
  std::atomic<std::uint64_t> swallowed_{0};
  Listener listener_;  // goes first
};

}  // namespace shmring::testing
