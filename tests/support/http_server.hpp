// SPDX-License-Identifier: Apache-2.0
// A scriptable HTTP/1.1 server on 127.0.0.1 for tests: one thread per connection, and a callback that answers. It
// decodes nothing: a body is bytes.
#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cctype>
#include <functional>
#include <map>
#include <mutex>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

namespace shmring::testing {

struct HttpRequest {
  std::string method;
  std::string path;
  std::map<std::string, std::string> headers;  // names in lower case
  std::string body;
  unsigned connection = 0;     // counts from 1
  unsigned on_connection = 0;  // requests of that connection before this one

  bool has(const std::string& name) const { return headers.count(name) > 0; }
  std::string header(const std::string& name) const { return has(name) ? headers.at(name) : std::string(); }
};

struct HttpReply {
  enum class Then : std::uint8_t {
    kKeepOpen,
    kClose,          // after the reply
    kCloseSilently,  // no reply at all: FIN
    kReset,          // no reply at all: RST
  };
  int status = 200;
  std::string body = {};
  std::vector<std::pair<std::string, std::string>> headers = {};  // Content-Length is added
  Then then = Then::kKeepOpen;
  std::string raw = {};  // not empty: sent in place of all of the above
};

class HttpServer {
 public:
  /// Called on the connection's thread; may block (end it before the server ends).
  using Answer = std::function<HttpReply(const HttpRequest&)>;

  explicit HttpServer(Answer answer, std::uint16_t port = 0) : answer_(std::move(answer)) { listen_on(port); }
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;
  ~HttpServer() { stop(); }

  std::uint16_t port() const noexcept { return port_; }
  std::string url() const { return "http://127.0.0.1:" + std::to_string(port_); }
  unsigned connections() const noexcept { return connections_; }
  unsigned requests() const noexcept { return requests_; }
  std::size_t open_connections() {
    const std::lock_guard lock(mutex_);
    return open_.size();
  }

  /// Cuts every connection and waits for the threads.
  void stop() {
    if (is_ending_.exchange(true)) return;
    {
      const std::lock_guard lock(mutex_);
      for (const int fd : open_) shutdown(fd, SHUT_RDWR);
    }
    acceptor_.join();
    for (std::thread& thread : threads_) thread.join();
    close(listener_);
  }

 private:
  void listen_on(std::uint16_t port) {
    listener_ = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const int yes = 1;
    setsockopt(listener_, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons(port);
    socklen_t size = sizeof address;
    auto* const generic = reinterpret_cast<sockaddr*>(&address);
    if (bind(listener_, generic, size) != 0 || listen(listener_, 64) != 0 ||
        getsockname(listener_, generic, &size) != 0) {
      throw std::runtime_error("no listening socket on 127.0.0.1");
    }
    port_ = ntohs(address.sin_port);
    acceptor_ = std::thread([this] { accept_all(); });
  }

  void accept_all() {
    while (!is_ending_) {
      pollfd waiting{listener_, POLLIN, 0};
      if (poll(&waiting, 1, 20) <= 0) continue;
      const int fd = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
      if (fd < 0) continue;
      const std::lock_guard lock(mutex_);
      open_.push_back(fd);
      threads_.emplace_back([this, fd, number = ++connections_] { serve(fd, number); });
    }
    const std::lock_guard lock(mutex_);  // one may have come in while stop() went through the list
    for (const int fd : open_) shutdown(fd, SHUT_RDWR);
  }

  void serve(int fd, unsigned number) {
    std::string buffer;
    HttpRequest request;
    for (unsigned count = 0; read_request(fd, buffer, request); ++count) {
      request.connection = number;
      request.on_connection = count;
      ++requests_;
      const HttpReply reply = answer_(request);
      if (reply.then == HttpReply::Then::kReset) {
        const linger at_once{1, 0};
        setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
      }
      if (reply.then == HttpReply::Then::kReset || reply.then == HttpReply::Then::kCloseSilently) break;
      if (!send_all(fd, reply.raw.empty() ? text_of(reply) : reply.raw) ||
          reply.then == HttpReply::Then::kClose)
        break;
    }
    const std::lock_guard lock(mutex_);
    open_.erase(std::find(open_.begin(), open_.end(), fd));
    close(fd);
  }

  static bool receive(int fd, std::string& buffer) {
    char chunk[65536];
    const ssize_t count = recv(fd, chunk, sizeof chunk, 0);
    if (count <= 0) return false;
    buffer.append(chunk, static_cast<std::size_t>(count));
    return true;
  }

  static bool read_request(int fd, std::string& buffer, HttpRequest& out) {
    std::size_t head_end = 0;
    while ((head_end = buffer.find("\r\n\r\n")) == std::string::npos) {
      if (!receive(fd, buffer)) return false;
    }
    out = parse_head(std::string_view(buffer).substr(0, head_end));
    const std::size_t length = out.has("content-length") ? std::stoul(out.header("content-length")) : 0;
    while (buffer.size() < head_end + 4 + length) {
      if (!receive(fd, buffer)) return false;
    }
    out.body = buffer.substr(head_end + 4, length);
    buffer.erase(0, head_end + 4 + length);
    return true;
  }

  static HttpRequest parse_head(std::string_view head) {
    HttpRequest out;
    const std::string_view first = head.substr(0, head.find("\r\n"));
    out.method = first.substr(0, first.find(' '));
    const std::string_view rest = first.substr(std::min(first.size(), out.method.size() + 1));
    out.path = rest.substr(0, rest.find(' '));
    std::size_t begin = first.size() + 2;
    while (begin < head.size()) {
      const std::size_t end = std::min(head.find("\r\n", begin), head.size());
      const std::string_view line = head.substr(begin, end - begin);
      const std::size_t colon = line.find(':');
      if (colon != std::string_view::npos) {
        std::string name(line.substr(0, colon));
        std::transform(name.begin(), name.end(), name.begin(),
                       [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
        const std::size_t value = line.find_first_not_of(' ', colon + 1);
        out.headers[name] = value == std::string_view::npos ? "" : std::string(line.substr(value));
      }
      begin = end + 2;
    }
    return out;
  }

  static std::string text_of(const HttpReply& reply) {
    std::string text = "HTTP/1.1 " + std::to_string(reply.status) + " Status\r\n";
    for (const auto& [name, value] : reply.headers) text += name + ": " + value + "\r\n";
    if (reply.status != 204) text += "Content-Length: " + std::to_string(reply.body.size()) + "\r\n";
    return text + "\r\n" + reply.body;
  }

  static bool send_all(int fd, std::string_view text) {
    while (!text.empty()) {
      const ssize_t sent = send(fd, text.data(), text.size(), MSG_NOSIGNAL);
      if (sent <= 0) return false;
      text.remove_prefix(static_cast<std::size_t>(sent));
    }
    return true;
  }

  Answer answer_;
  int listener_ = -1;
  std::uint16_t port_ = 0;
  std::atomic<bool> is_ending_{false};
  std::atomic<unsigned> connections_{0};
  std::atomic<unsigned> requests_{0};
  std::mutex mutex_;
  std::vector<int> open_;
  std::vector<std::thread> threads_;  // grows in the acceptor only, until that has ended
  std::thread acceptor_;
};

}  // namespace shmring::testing
