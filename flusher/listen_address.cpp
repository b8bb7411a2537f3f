// SPDX-License-Identifier: Apache-2.0
// Where to listen.

#include "flusher/listen_address.hpp"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "flusher/units.hpp"

namespace shmring::flusher {
namespace {

Error bad_address(const std::string& text) {
  return {ErrorCode::kInvalidArgument,
          fmt::format("'{}' is no address to listen on; write PORT (of 127.0.0.1), 0.0.0.0:PORT or [::]:PORT",
                      text)};
}

struct SocketAddress {
  sockaddr_storage storage{};
  socklen_t size = 0;
};

/// False: the host is no numeric address.
bool fill(const HostAndPort& where, SocketAddress& out) {
  auto* const four = reinterpret_cast<sockaddr_in*>(&out.storage);
  if (inet_pton(AF_INET, where.host.c_str(), &four->sin_addr) == 1) {
    four->sin_family = AF_INET;
    four->sin_port = htons(where.port);
    out.size = sizeof *four;
    return true;
  }
  auto* const six = reinterpret_cast<sockaddr_in6*>(&out.storage);
  if (inet_pton(AF_INET6, where.host.c_str(), &six->sin6_addr) != 1) return false;
  six->sin6_family = AF_INET6;
  six->sin6_port = htons(where.port);
  out.size = sizeof *six;
  return true;
}

std::uint16_t port_of(int fd) {
  SocketAddress got;
  got.size = sizeof got.storage;
  getsockname(fd, reinterpret_cast<sockaddr*>(&got.storage), &got.size);
  return ntohs(got.storage.ss_family == AF_INET6 ? reinterpret_cast<sockaddr_in6*>(&got.storage)->sin6_port
                                                 : reinterpret_cast<sockaddr_in*>(&got.storage)->sin_port);
}

std::string text_of(const HostAndPort& where) {
  const bool is_six = where.host.find(':') != std::string::npos;
  return fmt::format("{}{}{}:{}", is_six ? "[" : "", where.host, is_six ? "]" : "", where.port);
}

}  // namespace

Result<HostAndPort> parse_listen_address(const std::string& text) {
  const std::size_t colon = text.rfind(':');
  HostAndPort out{.host = colon == std::string::npos ? "127.0.0.1" : text.substr(0, colon)};
  const bool has_brackets = out.host.size() > 2 && out.host.front() == '[' && out.host.back() == ']';
  if (has_brackets) out.host = out.host.substr(1, out.host.size() - 2);
  const auto port = parse_count(colon == std::string::npos ? text : text.substr(colon + 1));
  if (!port || *port > UINT16_MAX) return bad_address(text);
  out.port = static_cast<std::uint16_t>(*port);
  SocketAddress scratch;
  const bool is_six = out.host.find(':') != std::string::npos;
  if (!fill(out, scratch) || is_six != has_brackets) return bad_address(text);
  return out;
}

Result<Listening> listen_on(const std::string& address) {
  auto where = parse_listen_address(address);
  if (!where) return where.error();
  SocketAddress socket_address;
  fill(*where, socket_address);
  const int fd = socket(socket_address.storage.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  const int yes = 1;
  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
  constexpr int kBacklog = 16;
  if (fd < 0 ||
      bind(fd, reinterpret_cast<const sockaddr*>(&socket_address.storage), socket_address.size) != 0 ||
      listen(fd, kBacklog) != 0) {
    const int why = errno;
    if (fd >= 0) close(fd);
    return Error{
        ErrorCode::kSystem,
        fmt::format("cannot listen on {} for metrics: {}{}", text_of(*where), std::strerror(why),
                    why == EADDRINUSE ? "; give this flusher a port of its own with --metrics-listen" : "")};
  }
  where->port = port_of(fd);
  return Listening{fd, text_of(*where)};
}

}  // namespace shmring::flusher
