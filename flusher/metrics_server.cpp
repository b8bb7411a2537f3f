// SPDX-License-Identifier: Apache-2.0
// HTTP for scrapers and probes: one GET a connection, small, bounded in bytes, connections and time.

#include "flusher/metrics_server.hpp"

#include <fmt/format.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "flusher/listen_address.hpp"

namespace shmring::flusher {
namespace {

constexpr std::size_t kMostConnections = 16;
constexpr std::size_t kLongestHead = 8U << 10U;          // bytes
constexpr auto kLongestTime = std::chrono::seconds(10);  // of a connection, whatever it does

struct Page {
  int status = 200;
  std::string body;
  const char* type = "text/plain; charset=utf-8";
};

std::string_view word_of(int status) {
  switch (status) {
    case 200:
      return "OK";
    case 400:
      return "Bad Request";
    case 404:
      return "Not Found";
    case 405:
      return "Method Not Allowed";
    default:
      return "Service Unavailable";
  }
}

Page page_of(const Verdict& verdict) { return {verdict.is_good ? 200 : 503, verdict.words}; }

Page page(std::string_view path, Metrics& metrics) {
  if (path == "/metrics") return {200, metrics.text(), "text/plain; version=0.0.4; charset=utf-8"};
  if (path == "/healthz") return page_of(metrics.health().alive(Clock::now()));
  if (path == "/readyz") return page_of(metrics.health().ready(Clock::now()));
  return {404, "there are /metrics, /healthz and /readyz\n"};
}

}  // namespace

Result<std::unique_ptr<MetricsServer>> MetricsServer::listen(const std::string& address, EventLoop& loop,
                                                             Metrics& metrics) {
  auto listening = listen_on(address);
  if (!listening) return listening.error();
  return std::unique_ptr<MetricsServer>(
      new MetricsServer(listening->fd, std::move(listening->address), loop, metrics));
}

MetricsServer::MetricsServer(int fd, std::string address, EventLoop& loop, Metrics& metrics)
    : fd_(fd), address_(std::move(address)), loop_(loop), metrics_(metrics) {
  loop_.watch(fd_, [this] { accept_one(); });
}

MetricsServer::~MetricsServer() {
  while (!connections_.empty()) close(connections_.begin()->first);
  loop_.unwatch(fd_);
  ::close(fd_);
}

void MetricsServer::accept_one() {
  const int fd = accept4(fd_, nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK);
  if (fd < 0) return;
  if (connections_.size() >= kMostConnections)
    close(connections_.begin()->first);  // whoever it is: a scrape is short
  Connection& connection = connections_[fd];
  connection.fd = fd;
  connection.number = ++accepted_;
  loop_.watch(fd, [this, &connection] { read_some(connection); });
  loop_.after(kLongestTime, [this, fd, number = accepted_, self = std::weak_ptr(self_)] {
    if (self.expired()) return;
    const auto found = connections_.find(fd);
    if (found != connections_.end() && found->second.number == number) close(fd);
  });
}

void MetricsServer::read_some(Connection& connection) {
  char chunk[4096];
  const ssize_t count = recv(connection.fd, chunk, sizeof chunk, 0);
  if (count < 0 && (errno == EAGAIN || errno == EINTR)) return;
  if (count <= 0) return close(connection.fd);
  connection.in.append(chunk, static_cast<std::size_t>(count));
  if (connection.in.find("\r\n\r\n") == std::string::npos) {
    if (connection.in.size() > kLongestHead) close(connection.fd);
    return;
  }
  connection.out = answer(connection.in);
  loop_.watch(
      connection.fd, [this, &connection] { write_some(connection); }, Readiness::kToWrite);
  write_some(connection);
}

void MetricsServer::write_some(Connection& connection) {
  const std::string_view rest = std::string_view(connection.out).substr(connection.sent);
  const ssize_t count = send(connection.fd, rest.data(), rest.size(), MSG_NOSIGNAL);
  if (count < 0 && (errno == EAGAIN || errno == EINTR)) return;
  if (count < 0) return close(connection.fd);
  connection.sent += static_cast<std::size_t>(count);
  if (connection.sent < connection.out.size()) return;
  shutdown(connection.fd, SHUT_WR);
  close(connection.fd);
}

void MetricsServer::close(int fd) {
  loop_.unwatch(fd);
  connections_.erase(fd);
  ::close(fd);
}

std::string MetricsServer::answer(std::string_view head) const {
  const std::string_view line = head.substr(0, head.find("\r\n"));
  const std::size_t first = line.find(' ');
  const std::size_t second = line.find(' ', first + 1);
  Page out;
  const std::string_view method = line.substr(0, first);
  if (first == std::string_view::npos || second == std::string_view::npos) {
    out = {400, "that is no HTTP request\n"};
  } else if (method != "GET" && method != "HEAD") {
    out = {405, "GET and HEAD only\n"};
  } else {
    std::string_view path = line.substr(first + 1, second - first - 1);
    path = path.substr(0, path.find('?'));
    out = page(path, metrics_);
  }
  return fmt::format(
      "HTTP/1.1 {} {}\r\nContent-Type: {}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{}", out.status,
      word_of(out.status), out.type, out.body.size(), method == "HEAD" ? "" : out.body);
}

}  // namespace shmring::flusher
