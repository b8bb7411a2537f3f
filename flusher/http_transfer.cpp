// SPDX-License-Identifier: Apache-2.0
// One POST by libcurl, sent at most once.

#include "flusher/http_transfer.hpp"

#include <fmt/format.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <new>
#include <utility>

#include "flusher/transfer_failure.hpp"
#include "shmring/version.hpp"

namespace shmring::flusher {
namespace {

constexpr std::size_t kKeptAnswer = 64U << 10U;    // bytes of an answer that anybody looks at
constexpr std::size_t kLongestAnswer = 4U << 20U;  // bytes that are read, so that the connection can be kept
constexpr std::size_t kLongestHead = 256U << 10U;  // bytes of all headers; libcurl keeps each of them
constexpr std::size_t kMostKeptHeaders = 16;
constexpr std::size_t kLongestKeptHeader = 8U << 10U;
constexpr long kLongestCaAge = 60;  // seconds; then a renewed --certificate is read
// bytes; with what libcurl and malloc add still below what malloc maps, and lets the system clear, anew each time (main.cpp)
constexpr long kUploadBuffer = 224L << 10;

/// libcurl 7.88 puts a second HTTP/2 layer on a connection in clear text that it uses again, and every such request fails.
bool can_reuse_clear_text() {
  constexpr unsigned kMended = 0x080000;
  static const bool can = curl_version_info(CURLVERSION_NOW)->version_num >= kMended;
  return can;
}

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
  set_version();
  set_tls();
  set(CURLOPT_POST, 1L);
  set(CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(size()));
  set(CURLOPT_HTTPHEADER, headers_.get());
  static const std::string agent = fmt::format("shmring-flusher/{} (C++)", kVersion);
  set(CURLOPT_USERAGENT, agent.c_str());
  set(CURLOPT_NOSIGNAL, 1L);
  set(CURLOPT_ERRORBUFFER, error_);
  set(CURLOPT_TIMEOUT_MS,
      static_cast<long>(std::chrono::ceil<std::chrono::milliseconds>(request_.target->timeout).count()));
  set(CURLOPT_MAXAGE_CONN, static_cast<long>(request_.connections.idle.count()));
  set(CURLOPT_MAXLIFETIME_CONN, static_cast<long>(request_.connections.lifetime.count()));
  set(CURLOPT_UPLOAD_BUFFERSIZE, kUploadBuffer);
  // On a reused connection that the server closes, libcurl sends a request a second time by itself and tells nobody,
  // though the server may have taken it the first time. Either callback stops that.
  set(CURLOPT_PREREQFUNCTION, &HttpTransfer::allow_once);
  set(CURLOPT_PREREQDATA, static_cast<void*>(this));
  set(CURLOPT_SEEKFUNCTION, &HttpTransfer::refuse_rewind);
  set(CURLOPT_SEEKDATA, static_cast<void*>(this));
  set(CURLOPT_READFUNCTION, &HttpTransfer::read_body);
  set(CURLOPT_READDATA, static_cast<void*>(this));
  set(CURLOPT_HEADERFUNCTION, &HttpTransfer::read_header);
  set(CURLOPT_HEADERDATA, static_cast<void*>(this));
  set(CURLOPT_WRITEFUNCTION, &HttpTransfer::write_answer);
  set(CURLOPT_WRITEDATA, static_cast<void*>(this));
  set(CURLOPT_OPENSOCKETFUNCTION, &HttpTransfer::open_socket);
  set(CURLOPT_OPENSOCKETDATA, static_cast<void*>(this));
}

void HttpTransfer::set_tls() {
  const auto set = [this](CURLoption option, const std::string& file) {
    if (!file.empty()) curl_easy_setopt(easy_, option, file.c_str());
  };
  const TlsFiles& tls = request_.target->tls;
  set(CURLOPT_CAINFO, tls.certificate);
  if (!tls.certificate.empty())
    curl_easy_setopt(easy_, CURLOPT_CAPATH, nullptr);  // these authorities, and no others
  curl_easy_setopt(easy_, CURLOPT_CA_CACHE_TIMEOUT, kLongestCaAge);
  set(CURLOPT_SSLCERT, tls.client_certificate);
  set(CURLOPT_SSLKEY, tls.client_key.empty() ? tls.client_certificate : tls.client_key);
  set(CURLOPT_PROXY, request_.target->proxy);
}

/// In clear text both sides know beforehand that it is HTTP/2; with TLS they agree on it by ALPN.
void HttpTransfer::set_version() {
  const auto set = [this](CURLoption option, long value) { curl_easy_setopt(easy_, option, value); };
  if (request_.version == HttpVersion::k1) return set(CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_1_1);
  if (request_.target->url.starts_with("https:")) return set(CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_2TLS);
  set(CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_2_PRIOR_KNOWLEDGE);
  set(CURLOPT_HTTPPROXYTUNNEL, 1L);  // a proxy would take HTTP/2 in clear text for garbage
  if (!can_reuse_clear_text()) set(CURLOPT_FORBID_REUSE, 1L);
}

/// The prefix, then the body.
std::size_t HttpTransfer::read_body(char* buffer, std::size_t size, std::size_t count, void* self) {
  auto& transfer = *static_cast<HttpTransfer*>(self);
  const std::string_view prefix = transfer.request_.prefix;
  const std::string_view part = transfer.offset_ < prefix.size()
                                    ? prefix.substr(transfer.offset_)
                                    : transfer.request_.body.substr(transfer.offset_ - prefix.size());
  const std::size_t bytes = std::min(size * count, part.size());
  std::memcpy(buffer, part.data(), bytes);
  transfer.offset_ += bytes;
  return bytes;
}

/// Keeps gRPC's headers and trailers, which come by the same way; those of an answer that another one follows are forgotten.
std::size_t HttpTransfer::read_header(char* line, std::size_t size, std::size_t count, void* self) {
  auto& transfer = *static_cast<HttpTransfer*>(self);
  auto& kept = transfer.grpc_;
  const std::string_view text(line, size * count);
  transfer.header_bytes_ += text.size();
  if (transfer.header_bytes_ > kLongestHead) return 0;  // ends the transfer
  if (text.starts_with("HTTP/")) kept.clear();
  const std::size_t colon = text.find(':');
  std::string name(text.substr(0, colon));
  std::transform(name.begin(), name.end(), name.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  if (colon == std::string_view::npos || !name.starts_with("grpc-") || kept.size() >= kMostKeptHeaders)
    return text.size();
  const std::size_t begin = text.find_first_not_of(" \t", colon + 1);
  const std::size_t end = text.find_last_not_of(" \t\r\n");
  kept[name] =
      begin > end ? "" : std::string(text.substr(begin, std::min(end + 1 - begin, kLongestKeptHeader)));
  return text.size();
}

std::size_t HttpTransfer::write_answer(char* bytes, std::size_t size, std::size_t count, void* self) {
  auto& transfer = *static_cast<HttpTransfer*>(self);
  const std::size_t length = size * count;
  transfer.answer_bytes_ += length;
  if (transfer.answer_bytes_ > kLongestAnswer) return CURL_WRITEFUNC_ERROR;  // ends the transfer
  transfer.answer_.append(bytes, std::min(length, kKeptAnswer - transfer.answer_.size()));
  return length;
}

/// libcurl says of a socket that the kernel refuses no more than that it could not connect.
curl_socket_t HttpTransfer::open_socket(void* self, curlsocktype, curl_sockaddr* address) {
  const int fd = ::socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
  static_cast<HttpTransfer*>(self)->socket_error_ = fd < 0 ? errno : 0;
  return fd;
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

/// Used one that was there, or opened its own; none: it did not come to a request.
Connection HttpTransfer::connection() const {
  long opened = 0;
  curl_easy_getinfo(easy_, CURLINFO_NUM_CONNECTS, &opened);
  if (opened > 0) return Connection::kOpened;
  return requests_begun_ > 0 ? Connection::kReused : Connection::kNone;
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
  long version = 0;
  curl_easy_getinfo(easy_, CURLINFO_HTTP_VERSION, &version);
  end.version = version == CURL_HTTP_VERSION_2_0 ? HttpVersion::k2 : HttpVersion::k1;
  end.answer.grpc = grpc_;
  end.connection = connection();
  if (code == CURLE_OK) return end;
  TransferFailure failure{.code = code, .words = error_[0] != '\0' ? error_ : curl_easy_strerror(code)};
  curl_easy_getinfo(easy_, CURLINFO_SSL_VERIFYRESULT, &failure.verify_result);
  end.failure = requests_begun_ > 1 || code == CURLE_SEND_FAIL_REWIND
                    ? "the server closed the connection without an answer"
                    : explain(failure);
  if (socket_error_ != 0) end.failure = explain_no_socket(socket_error_);
  if (is_refused_by_tls(failure)) end.was_sent = false;
  return end;
}

}  // namespace shmring::flusher
