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

/// From now on a close() of it sends RST, not FIN.
inline void end_by_reset(int fd) {
  const linger at_once{1, 0};
  ::setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
}

/// Reads nothing, and waits until the other side, or the listener, has put an end to the connection.
inline void wait_for_hangup(int fd) {
  pollfd waiting{fd, POLLRDHUP, 0};
  while (::poll(&waiting, 1, -1) < 0) {
  }
}

inline sockaddr_in address_of(std::uint16_t port, std::uint32_t host = INADDR_LOOPBACK) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(host);
  address.sin_port = htons(port);
  return address;
}

/// -1: refused.
inline int connect_to(std::uint16_t port) {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const sockaddr_in address = address_of(port);
  const int yes = 1;
  ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
  if (::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0) return fd;
  ::close(fd);
  return -1;
}

class Listener {
 public:
  /// Serves one connection, which is closed when it returns; connections count from 1.
  using Serve = std::function<void(int fd, unsigned connection)>;

  struct Options {
    std::uint16_t port = 0;                // 0: any
    std::uint32_t host = INADDR_LOOPBACK;  // another one only in a network namespace of the test's own
  };

  explicit Listener(Serve serve, Options options)
      : serve_(std::move(serve)), fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    const int yes = 1;
    ::setsockopt(fd_, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    sockaddr_in address = address_of(options.port, options.host);
    socklen_t size = sizeof address;
    auto* const generic = reinterpret_cast<sockaddr*>(&address);
    if (::bind(fd_, generic, size) != 0 || ::listen(fd_, 64) != 0 || ::getsockname(fd_, generic, &size) != 0)
      throw std::runtime_error("no listening socket");
    port_ = ntohs(address.sin_port);
    acceptor_ = std::thread([this] { accept_all(); });
  }
  explicit Listener(Serve serve) : Listener(std::move(serve), Options{}) {}
  Listener(const Listener&) = delete;
  Listener& operator=(const Listener&) = delete;
  ~Listener() { stop(); }

  std::uint16_t port() const noexcept { return port_; }
  unsigned connections() const noexcept { return connections_; }
  bool is_ending() const noexcept { return is_ending_; }
  std::size_t open_connections() {
    const std::lock_guard lock(mutex_);
    return open_.size();
  }

  /// Cuts every connection, and waits for the threads.
  void stop() {
    if (is_ending_.exchange(true)) return;
    acceptor_.join();
    for (std::thread& thread : threads_) thread.join();
    ::close(fd_);
  }

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
