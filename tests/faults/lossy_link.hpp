// SPDX-License-Identifier: Apache-2.0
// Network namespaces of a test's own, and in one a link that loses and delays packets: a TUN device, and a thread that is the
// wire. Needs root, and nothing of the kernel's traffic control.
#pragma once

#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <cstring>
#include <deque>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "tests/support/splitmix.hpp"

namespace shmring::testing {

/// Runs `body` on a thread in a new network namespace (and what else `flags` asks for); what it starts is there, too. False: this
/// machine does not let us, and nothing was run.
template <typename Body>
[[nodiscard]] bool in_network_namespace(Body&& body, int flags = CLONE_NEWNET) {
  bool is_permitted = false;
  std::thread([&] {
    is_permitted = ::unshare(flags) == 0;
    if (is_permitted) body();
  }).join();
  return is_permitted;
}

/// Brings an interface of this namespace up, with that address if it is not 0.
inline bool bring_up(const char* name, std::uint32_t address = 0) {
  const int fd = ::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  ifreq request{};
  std::strncpy(request.ifr_name, name, IFNAMSIZ - 1);
  bool is_fine = true;
  const auto set_address = [&](unsigned long what, std::uint32_t value) {
    sockaddr_in in{};
    in.sin_family = AF_INET;
    in.sin_addr.s_addr = htonl(value);
    std::memcpy(&request.ifr_addr, &in, sizeof in);
    is_fine = is_fine && ::ioctl(fd, what, &request) == 0;
  };
  if (address != 0) {
    set_address(SIOCSIFADDR, address);
    set_address(SIOCSIFNETMASK, 0xFFFFFF00);
  }
  request.ifr_flags = IFF_UP | IFF_RUNNING;
  is_fine = is_fine && ::ioctl(fd, SIOCSIFFLAGS, &request) == 0;
  ::close(fd);
  return is_fine;
}

/// What is sent to kFar comes back to kNear, as if kFar had sent it: so a server at kNear is reached at kFar, over this link.
class LossyLink {
 public:
  static constexpr std::uint32_t kNear = 0x0A090001;  // 10.9.0.1
  static constexpr const char* kFar = "10.9.0.2";

  /// REQUIRES: a network namespace of one's own.
  LossyLink() : fd_(::open("/dev/net/tun", O_RDWR | O_CLOEXEC)) {
    ifreq request{};
    request.ifr_flags = IFF_TUN | IFF_NO_PI;
    std::strcpy(request.ifr_name, "lossy0");
    if (fd_ < 0 || ::ioctl(fd_, TUNSETIFF, &request) != 0 || !bring_up("lossy0", kNear) || !bring_up("lo"))
      throw std::runtime_error("no TUN device");
    wire_ = std::thread([this] { carry(); });
  }
  LossyLink(const LossyLink&) = delete;
  LossyLink& operator=(const LossyLink&) = delete;
  ~LossyLink() {
    is_ending_ = true;
    wire_.join();
    ::close(fd_);
  }

  void lose(unsigned percent) { percent_ = percent; }
  /// Each way.
  void delay(std::chrono::milliseconds by) { delay_ms_ = by.count(); }
  std::uint64_t lost() const noexcept { return lost_; }
  std::uint64_t carried() const noexcept { return carried_; }

 private:
  using Clock = std::chrono::steady_clock;

  void carry() {
    SplitMix random(4711);
    std::deque<std::pair<Clock::time_point, std::vector<char>>> under_way;
    while (!is_ending_) {
      pollfd waiting{fd_, POLLIN, 0};
      if (::poll(&waiting, 1, under_way.empty() ? 20 : 1) > 0) {
        std::vector<char> packet(65536);
        const ssize_t size = ::read(fd_, packet.data(), packet.size());
        if (size < 20) continue;
        packet.resize(static_cast<std::size_t>(size));
        if (random.below(100) < percent_) {
          ++lost_;
          continue;
        }
        std::swap_ranges(packet.begin() + 12, packet.begin() + 16, packet.begin() + 16);  // who sends to whom
        under_way.emplace_back(Clock::now() + std::chrono::milliseconds(delay_ms_), std::move(packet));
      }
      while (!under_way.empty() && under_way.front().first <= Clock::now()) {
        const std::vector<char>& packet = under_way.front().second;
        carried_ += ::write(fd_, packet.data(), packet.size()) > 0 ? 1 : 0;
        under_way.pop_front();
      }
    }
  }

  int fd_;
  std::atomic<bool> is_ending_{false};
  std::atomic<unsigned> percent_{0};
  std::atomic<long> delay_ms_{0};
  std::atomic<std::uint64_t> lost_{0};
  std::atomic<std::uint64_t> carried_{0};
  std::thread wire_;
};

}  // namespace shmring::testing
