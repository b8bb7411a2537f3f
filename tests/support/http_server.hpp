// SPDX-License-Identifier: Apache-2.0
// A scriptable HTTP/1.1 server on 127.0.0.1 for tests: one thread per connection, a callback that answers, and another one that says
// what it does before it reads. It decodes nothing: a body is bytes; and it does not know Expect.
#pragma once

#include <cctype>
#include <chrono>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "tests/support/listener.hpp"

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
    kHalfClose,      // after the reply: FIN, but goes on reading until the client leaves
    kCloseSilently,  // no reply at all: FIN
    kReset,          // no reply at all: RST
  };
  int status = 200;
  std::string body = {};
  std::vector<std::pair<std::string, std::string>> headers = {};  // Content-Length is added
  Then then = Then::kKeepOpen;
  std::string raw = {};           // not empty: sent in place of all of the above
  std::size_t bytes_at_once = 0;  // not 0: sent in such pieces, with `pause` between them
  std::chrono::milliseconds pause{1};
  std::string endless = {};  // not empty: sent behind all that, again and again, until the client leaves
};

/// What the server does when a request begins to come in.
struct HttpIntake {
  enum class Does : std::uint8_t {
    kRead,
    kClose,       // FIN, with what has come in unread
    kReset,       // RST
    kNeverReads,  // keeps the connection, until the client leaves
  };
  Does does = Does::kRead;
  std::size_t after_bytes = 0;  // of the request are read first
};

class HttpServer {
 public:
  /// Called on the connection's thread; may block (end it before the server ends).
  using Answer = std::function<HttpReply(const HttpRequest&)>;
  /// Called when there is something to read; with the numbers that the request would have.
  using Intake = std::function<HttpIntake(unsigned connection, unsigned on_connection)>;

  explicit HttpServer(Answer answer, Listener::Options options = {}, Intake intake = {})
      : answer_(std::move(answer)),
        intake_(std::move(intake)),
        listener_([this](int fd, unsigned number) { serve(fd, number); }, options) {}

  std::uint16_t port() const noexcept { return listener_.port(); }
  std::string url() const { return "http://127.0.0.1:" + std::to_string(port()); }
  unsigned connections() const noexcept { return listener_.connections(); }
  unsigned requests() const noexcept { return requests_; }
  std::size_t open_connections() { return listener_.open_connections(); }

  /// Cuts every connection and waits for the threads.
  void stop() { listener_.stop(); }

 private:
  using Then = HttpReply::Then;

  void serve(int fd, unsigned number) {
    std::string buffer;
    HttpRequest request;
    for (unsigned count = 0; take_in(fd, number, count, buffer) && read_request(fd, buffer, request);
         ++count) {
      request.connection = number;
      request.on_connection = count;
      ++requests_;
      const HttpReply reply = answer_(request);
      if (reply.then == Then::kReset) end_by_reset(fd);
      if (reply.then == Then::kReset || reply.then == Then::kCloseSilently) return;
      if (!send_reply(fd, reply) || reply.then == Then::kClose) return;
      if (reply.then == Then::kHalfClose) return drain(fd);
    }
  }

  static void drain(int fd) {
    ::shutdown(fd, SHUT_WR);
    for (std::string ignored; receive(fd, ignored); ignored.clear()) {
    }
  }

  /// False: the connection is over.
  bool take_in(int fd, unsigned number, unsigned count, std::string& buffer) {
    if (!intake_) return true;
    pollfd waiting{fd, POLLIN, 0};
    if (buffer.empty() && ::poll(&waiting, 1, -1) <= 0) return false;
    char byte = 0;
    if (buffer.empty() && ::recv(fd, &byte, 1, MSG_PEEK) <= 0) return false;  // the client is gone
    const HttpIntake intake = intake_(number, count);
    while (buffer.size() < intake.after_bytes && receive(fd, buffer)) {
    }
    switch (intake.does) {
      case HttpIntake::Does::kRead:
        return true;
      case HttpIntake::Does::kReset:
        end_by_reset(fd);
        return false;
      case HttpIntake::Does::kClose:
        return false;
      case HttpIntake::Does::kNeverReads:
        wait_for_hangup(fd);
        return false;
    }
    return true;
  }

  static bool receive(int fd, std::string& buffer) {
    char chunk[65536];
    const ssize_t count = ::recv(fd, chunk, sizeof chunk, 0);
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

  bool send_reply(int fd, const HttpReply& reply) const {
    const std::string text = reply.raw.empty() ? text_of(reply) : reply.raw;
    const std::size_t step = reply.bytes_at_once == 0 ? text.size() : reply.bytes_at_once;
    for (std::size_t at = 0; at < text.size(); at += step) {
      if (at > 0) std::this_thread::sleep_for(reply.pause);  // that is the fault, not a wait
      if (listener_.is_ending() || !send_all(fd, std::string_view(text).substr(at, step))) return false;
    }
    while (!reply.endless.empty()) {
      if (listener_.is_ending() || !send_all(fd, reply.endless)) return false;
    }
    return true;
  }

  Answer answer_;
  Intake intake_;
  std::atomic<unsigned> requests_{0};
  Listener listener_;  // goes first
};

}  // namespace shmring::testing
