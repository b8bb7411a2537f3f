// SPDX-License-Identifier: Apache-2.0
// One POST by libcurl, sent at most once.

#include "flusher/http_transfer.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <new>
#include <utility>

#include "flusher/endpoint.hpp"
#include "shmring/version.hpp"

namespace shmring::flusher {
namespace {

constexpr std::size_t kKeptAnswer = 64U << 10U;    // bytes of an answer that anybody looks at
constexpr std::size_t kLongestAnswer = 4U << 20U;  // bytes that are read, so that the connection can be kept
constexpr long kOldestIdleConnection = 30;  // seconds; below servers' idle timeouts (the Collector's is 60)
constexpr long kUploadBuffer = 256L << 10;  // bytes

}  // namespace

HttpTransfer::HttpTransfer(EventLoop& loop, const HttpRequest& request)
    : loop_(loop), request_(request), easy_(curl_easy_init()) {
  if (easy_ == nullptr) throw std::bad_alloc();
  // libcurl would ask a large POST's server for permission first, and wait a second where it does not answer.
  add_header("Expect:");
  for (const std::string& line : request_.headers) add_header(line);
  for (const auto& [name, value] : request_.target->headers) {
    add_header(value.empty() ? name + ';'
                             : fmt::format("{}: {}", name, value));  // libcurl's way to send an empty one
  }
  set_options();
}

HttpTransfer::~HttpTransfer() {
  loop_.stop(easy_);
  curl_easy_cleanup(easy_);
}

void HttpTransfer::start(std::function<void(HttpEnd)> done) {
  loop_.start(easy_, [this, done = std::move(done)](CURLcode code) { done(end_of(code)); });
}

void HttpTransfer::add_header(const std::string& line) {
  curl_slist* const list = curl_slist_append(headers_.get(), line.c_str());
  if (list == nullptr) throw std::bad_alloc();
  static_cast<void>(headers_.release());
  headers_.reset(list);
}

void HttpTransfer::set_options() {
  const auto set = [this](CURLoption option, auto value) { curl_easy_setopt(easy_, option, value); };
  set(CURLOPT_URL, request_.target->url.c_str());
  set(CURLOPT_PROTOCOLS_STR, "http,https");
  set(CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_1_1));
  set(CURLOPT_POST, 1L);
  set(CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(request_.body.size()));
  set(CURLOPT_HTTPHEADER, headers_.get());
  static const std::string agent = fmt::format("shmring-flusher/{} (C++)", kVersion);
  set(CURLOPT_USERAGENT, agent.c_str());
  set(CURLOPT_NOSIGNAL, 1L);
  set(CURLOPT_ERRORBUFFER, error_);
  set(CURLOPT_TIMEOUT_MS,
      static_cast<long>(std::chrono::ceil<std::chrono::milliseconds>(request_.target->timeout).count()));
  set(CURLOPT_MAXAGE_CONN, kOldestIdleConnection);
  set(CURLOPT_UPLOAD_BUFFERSIZE, kUploadBuffer);
  // On a reused connection that the server closes, libcurl sends a request a second time by itself and tells nobody,
  // though the server may have taken it the first time. Either callback stops that.
  set(CURLOPT_PREREQFUNCTION, &HttpTransfer::allow_once);
  set(CURLOPT_PREREQDATA, static_cast<void*>(this));
  set(CURLOPT_SEEKFUNCTION, &HttpTransfer::refuse_rewind);
  set(CURLOPT_SEEKDATA, static_cast<void*>(this));
  set(CURLOPT_READFUNCTION, &HttpTransfer::read_body);
  set(CURLOPT_READDATA, static_cast<void*>(this));
  set(CURLOPT_WRITEFUNCTION, &HttpTransfer::write_answer);
  set(CURLOPT_WRITEDATA, static_cast<void*>(this));
}

std::size_t HttpTransfer::read_body(char* buffer, std::size_t size, std::size_t count, void* self) {
  auto& transfer = *static_cast<HttpTransfer*>(self);
  const std::size_t bytes = std::min(size * count, transfer.request_.body.size() - transfer.offset_);
  std::memcpy(buffer, transfer.request_.body.data() + transfer.offset_, bytes);
  transfer.offset_ += bytes;
  return bytes;
}

std::size_t HttpTransfer::write_answer(char* bytes, std::size_t size, std::size_t count, void* self) {
  auto& transfer = *static_cast<HttpTransfer*>(self);
  const std::size_t length = size * count;
  transfer.answer_bytes_ += length;
  if (transfer.answer_bytes_ > kLongestAnswer) return CURL_WRITEFUNC_ERROR;  // ends the transfer
  transfer.answer_.append(bytes, std::min(length, kKeptAnswer - transfer.answer_.size()));
  return length;
}

int HttpTransfer::refuse_rewind(void* self, curl_off_t offset, int origin) {
  const auto& transfer = *static_cast<HttpTransfer*>(self);
  const bool is_where_we_are = origin == SEEK_SET && offset == 0 && transfer.offset_ == 0;
  return is_where_we_are ? CURL_SEEKFUNC_OK : CURL_SEEKFUNC_FAIL;
}

int HttpTransfer::allow_once(void* self, char*, char*, int, int) {
  auto& transfer = *static_cast<HttpTransfer*>(self);
  return transfer.requests_begun_++ == 0 ? CURL_PREREQFUNC_OK : CURL_PREREQFUNC_ABORT;
}

HttpEnd HttpTransfer::end_of(CURLcode code) const {
  HttpEnd end;
  end.was_sent = was_sent();
  end.answer.body = answer_;
  curl_easy_getinfo(easy_, CURLINFO_RESPONSE_CODE, &end.answer.status);
  const char* type = nullptr;
  if (curl_easy_getinfo(easy_, CURLINFO_CONTENT_TYPE, &type) == CURLE_OK && type != nullptr)
    end.answer.content_type = type;
  curl_off_t seconds = 0;
  if (curl_easy_getinfo(easy_, CURLINFO_RETRY_AFTER, &seconds) == CURLE_OK && seconds > 0) {
    constexpr curl_off_t kDay = 86'400;  // whatever is longer gets cut later anyway
    end.answer.retry_after = std::chrono::seconds(std::min(seconds, kDay));
  }
  // An answer whose status came, but whose body broke off or never ended, is an answer: the status says it all.
  const bool is_answered = end.answer.status >= 200;
  if (code != CURLE_OK && !is_answered) {
    const char* const what = error_[0] != '\0' ? error_ : curl_easy_strerror(code);
    end.failure = requests_begun_ > 1 || code == CURLE_SEND_FAIL_REWIND
                      ? "the server closed the connection without an answer"
                      : std::string(what);
  }
  return end;
}

}  // namespace shmring::flusher
