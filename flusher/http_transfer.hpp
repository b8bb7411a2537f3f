// SPDX-License-Identifier: Apache-2.0
// One POST by libcurl, sent at most once: a repetition is the retry stage's business, and is counted there.
#pragma once

#include <curl/curl.h>

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "flusher/config.hpp"
#include "flusher/connection_limits.hpp"
#include "flusher/event_loop.hpp"
#include "flusher/http_answer.hpp"

namespace shmring::flusher {

enum class HttpVersion : std::uint8_t { k1, k2 };

struct HttpRequest {
  const OtlpTarget* target = nullptr;  // outlives the transfer
  HttpVersion version = HttpVersion::k1;
  ConnectionLimits connections = {};
  std::string prefix = {};                // goes before the body
  std::string_view body;                  // outlives the transfer
  std::vector<std::string> headers = {};  // the protocol's own, complete lines
};

/// How a transfer ended.
struct HttpEnd {
  HttpAnswer answer = {};    // status 0: there was none
  std::string failure = {};  // empty: the answer is complete; else there may still be a part of it
  HttpVersion version = HttpVersion::k1;  // of the answer
  bool was_sent = false;                  // the whole request was handed to the connection
  Connection connection = Connection::kNone;
};

class HttpTransfer {
 public:
  HttpTransfer(EventLoop& loop, const HttpRequest& request);
  HttpTransfer(const HttpTransfer&) = delete;
  HttpTransfer& operator=(const HttpTransfer&) = delete;
  ~HttpTransfer();

  /// REQUIRES: called once. `done` may destroy the transfer.
  void start(std::function<void(HttpEnd)> done);

  /// The state as it is now, for a transfer that is given up.
  bool was_sent() const noexcept { return offset_ == size(); }

 private:
  struct HeaderList {
    void operator()(curl_slist* list) const { curl_slist_free_all(list); }
  };

  static std::size_t read_body(char* buffer, std::size_t size, std::size_t count, void* self);
  static std::size_t read_header(char* line, std::size_t size, std::size_t count, void* self);
  static std::size_t write_answer(char* bytes, std::size_t size, std::size_t count, void* self);
  static int refuse_rewind(void* self, curl_off_t offset, int origin);
  static curl_socket_t open_socket(void* self, curlsocktype, curl_sockaddr* address);
  static int allow_once(void* self, char*, char*, int, int);

  std::size_t size() const noexcept { return request_.prefix.size() + request_.body.size(); }
  void add_header(const std::string& line);
  void set_options();
  void set_version();
  void set_tls();
  Connection connection() const;
  HttpEnd end_of(CURLcode code) const;

  EventLoop& loop_;
  HttpRequest request_;
  CURL* easy_;
  std::unique_ptr<curl_slist, HeaderList> headers_;
  std::size_t offset_ = 0;  // of prefix and body: what libcurl has taken
  unsigned requests_begun_ = 0;
  std::string answer_;
  std::size_t answer_bytes_ = 0;  // received, kept or not
  std::size_t header_bytes_ = 0;  // likewise
  int socket_error_ = 0;          // of the last attempt to make one
  std::map<std::string, std::string> grpc_;
  char error_[CURL_ERROR_SIZE] = {};
};

}  // namespace shmring::flusher
