// SPDX-License-Identifier: Apache-2.0
// Reads requests to their end, looks at no byte of their bodies, answers.
#include "bench/throughput/sink.hpp"

#include <netinet/in.h>
#include <poll.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <string_view>
#include <vector>

#include "bench/rendezvous.hpp"

namespace shmring::bench {
namespace {

constexpr std::string_view kAnswer =
    "HTTP/1.1 200 OK\r\nContent-Type: application/x-protobuf\r\nContent-Length: 0\r\n\r\n";

/// 0 where it has none: then there is no body.
std::uint64_t content_length(std::string_view head) {
  constexpr std::string_view kName = "content-length:";
  while (!head.empty()) {
    const std::string_view line = head.substr(0, head.find('\n'));
    head.remove_prefix(std::min(head.size(), line.size() + 1));
    if (line.size() < kName.size() || ::strncasecmp(line.data(), kName.data(), kName.size()) != 0) continue;
    const std::size_t digits = line.find_first_of("0123456789");
    std::uint64_t length = 0;
    if (digits != std::string_view::npos)
      std::from_chars(line.data() + digits, line.data() + line.size(), length);
    return length;
  }
  return 0;
}

}  // namespace

class Sink::Server {
 public:
  Server(int listener, Page& page) : listener_(listener), page_(page), buffer_(1U << 20U) {}

  [[noreturn]] void run() {
    std::vector<pollfd> waiting;
    for (;;) {
      waiting.assign(1, {.fd = listener_, .events = POLLIN, .revents = 0});
      for (const auto& [fd, connection] : connections_)
        waiting.push_back({.fd = fd, .events = POLLIN, .revents = 0});
      ::poll(waiting.data(), waiting.size(), -1);
      for (const pollfd& each : waiting) {
        if (each.revents == 0) continue;
        if (each.fd == listener_) {
          connections_[::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC)] = {};
        } else if (!serve(each.fd)) {
          connections_.erase(each.fd);
          ::close(each.fd);
        }
      }
    }
  }

 private:
  struct Connection {
    std::string head = {};   // of the request that is being read, as far as it is there
    std::uint64_t left = 0;  // bytes of its body
  };

  /// False: the connection is at its end.
  bool serve(int fd) {
    const ssize_t received = ::recv(fd, buffer_.data(), buffer_.size(), 0);
    if (received <= 0) return false;
    std::string_view bytes(buffer_.data(), static_cast<std::size_t>(received));
    Connection& connection = connections_[fd];
    while (!bytes.empty()) {
      if (connection.left == 0 && !read_head(connection, bytes)) return true;
      const std::uint64_t body = std::min<std::uint64_t>(connection.left, bytes.size());
      bytes.remove_prefix(body);
      connection.left -= body;
      page_.body_bytes += body;
      if (connection.left > 0) continue;
      ++page_.requests;
      if (::send(fd, kAnswer.data(), kAnswer.size(), MSG_NOSIGNAL) < 0) return false;
    }
    return true;
  }

  /// False: more of it is to come.
  static bool read_head(Connection& connection, std::string_view& bytes) {
    constexpr std::string_view kEnd = "\r\n\r\n";
    const std::size_t before = connection.head.size();
    connection.head += bytes;
    const std::size_t end = connection.head.find(kEnd);
    if (end == std::string::npos) return false;
    bytes.remove_prefix(end + kEnd.size() - before);
    connection.left = content_length(std::string_view(connection.head).substr(0, end));
    connection.head.clear();
    return true;
  }

  int listener_;
  Page& page_;
  std::vector<char> buffer_;
  std::map<int, Connection> connections_;
};

Sink::Sink(int core) {
  const int listener = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  auto* const generic = reinterpret_cast<sockaddr*>(&address);
  if (::bind(listener, generic, size) != 0 || ::listen(listener, 64) != 0 ||
      ::getsockname(listener, generic, &size) != 0) {
    std::perror("shmring-throughput-bench: no port on 127.0.0.1");
    std::exit(1);
  }
  port_ = ntohs(address.sin_port);
  child_ = Child::forked([&]() -> int {
    pin_to_core(core);
    Server(listener, *page_).run();
  });
  ::close(listener);
}

}  // namespace shmring::bench
