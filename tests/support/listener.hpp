// SPDX-License-Identifier: Apache-2.0
// A listening socket on 127.0.0.1, and a thread for each connection that comes in.
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <functional>
#include <mutex>
#include <stdexcept>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

namespace shmring::testing {

inline bool send_all(int fd, std::string_view text) {
  while (!text.empty()) {
    const ssize_t sent = ::send(fd, text.data(), text.size(), MSG_NOSIGNAL);
    if (sent <= 0) return false;
    text.remove_prefix(static_cast<std::size_t>(sent));
  }
  return true;
}

class Listener {
 public:
  /// Serves one connection, which is closed when it returns; connections count from 1.
  using Serve = std::function<void(int fd, unsigned connection)>;

  explicit Listener(Serve serve)
      : serve_(std::move(serve)), fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    auto* const generic = reinterpret_cast<sockaddr*>(&address);
    if (::bind(fd_, generic, size) != 0 || ::listen(fd_, 64) != 0 || ::getsockname(fd_, generic, &size) != 0)
      throw std::runtime_error("no listening socket on 127.0.0.1");
    port_ = ntohs(address.sin_port);
    acceptor_ = std::thread([this] { accept_all(); });
  }
  Listener(const Listener&) = delete;
  Listener& operator=(const Listener&) = delete;
  ~Listener() {
    is_ending_ = true;
    acceptor_.join();
    for (std::thread& thread : threads_) thread.join();
    ::close(fd_);
  }

  std::uint16_t port() const noexcept { return port_; }
  unsigned connections() const noexcept { return connections_; }

 private:
  void accept_all() {
    while (!is_ending_) {
      pollfd waiting{fd_, POLLIN, 0};
      if (::poll(&waiting, 1, 20) <= 0) continue;
      const int fd = ::accept4(fd_, nullptr, nullptr, SOCK_CLOEXEC);
      if (fd < 0) continue;
      const int yes = 1;
      ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
      const std::lock_guard lock(mutex_);
      open_.push_back(fd);
      threads_.emplace_back([this, fd, number = ++connections_] {
        serve_(fd, number);
        const std::lock_guard closing(mutex_);
        open_.erase(std::find(open_.begin(), open_.end(), fd));
        ::close(fd);
      });
    }
    const std::lock_guard lock(mutex_);
    for (const int fd : open_) ::shutdown(fd, SHUT_RDWR);
  }

  Serve serve_;
  int fd_;
  std::uint16_t port_ = 0;
  std::atomic<bool> is_ending_{false};
  std::atomic<unsigned> connections_{0};
  std::mutex mutex_;
  std::vector<int> open_;
  std::vector<std::thread> threads_;  // grows in the acceptor only
  std::thread acceptor_;
};

}  // namespace shmring::testing
