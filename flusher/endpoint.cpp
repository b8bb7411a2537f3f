// SPDX-License-Identifier: Apache-2.0
// OTLP exporter specification: how an endpoint becomes a URL, and how a list of headers is written.

#include "flusher/endpoint.hpp"

#include <curl/curl.h>
#include <fmt/format.h>

#include <memory>

namespace shmring::flusher {
namespace {

struct UrlDeleter {
  void operator()(CURLU* url) const { curl_url_cleanup(url); }
};
using Url = std::unique_ptr<CURLU, UrlDeleter>;

std::string part(CURLU* url, CURLUPart which) {
  char* text = nullptr;
  if (curl_url_get(url, which, &text, 0) != CURLUE_OK) return {};
  std::string out(text);
  curl_free(text);
  return out;
}

Result<Url> parse_url(std::string_view text) {
  Url url(curl_url());
  if (!url) return Error{ErrorCode::kSystem, "out of memory"};
  const std::string copy(text);
  const CURLUcode code = curl_url_set(url.get(), CURLUPART_URL, copy.c_str(), 0);
  const std::string scheme = code == CURLUE_OK ? part(url.get(), CURLUPART_SCHEME) : "";
  if (scheme != "http" && scheme != "https") {
    return Error{
        ErrorCode::kInvalidArgument,
        fmt::format("'{}' is not an endpoint; write it like http://localhost:4318 or https://host/path",
                    without_secrets(copy))};
  }
  return url;
}

std::string with_scheme(std::string_view endpoint, Insecure insecure) {
  if (endpoint.empty() || endpoint.find("://") != std::string_view::npos) return std::string(endpoint);
  return fmt::format("{}://{}", insecure == Insecure::kYes ? "http" : "https", endpoint);
}

const char* grpc_path(Signal signal) {
  switch (signal) {
    case Signal::kLogs:
      return "/opentelemetry.proto.collector.logs.v1.LogsService/Export";
    case Signal::kTraces:
      return "/opentelemetry.proto.collector.trace.v1.TraceService/Export";
    case Signal::kMetrics:
      return "/opentelemetry.proto.collector.metrics.v1.MetricsService/Export";
  }
  return "/";
}

Result<std::string> percent_decoded(std::string_view text) {
  std::string out;
  const auto digit = [](char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
  };
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      out += text[i];
      continue;
    }
    const int high = i + 2 < text.size() ? digit(text[i + 1]) : -1;
    const int low = i + 2 < text.size() ? digit(text[i + 2]) : -1;
    if (high < 0 || low < 0) return Error{ErrorCode::kInvalidArgument, "a % without two hexadecimal digits"};
    out += static_cast<char>(high * 16 + low);
    i += 2;
  }
  return out;
}

std::string_view trimmed(std::string_view text) {
  const auto begin = text.find_first_not_of(" \t");
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(" \t") - begin + 1);
}

bool is_header_name(std::string_view name) {
  return !name.empty() && name.find_first_not_of(
                              "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyz"
                              "ABCDEFGHIJKLMNOPQRSTUVWXYZ") == std::string_view::npos;
}

}  // namespace

Result<void> check_endpoint(std::string_view endpoint) {
  auto url = parse_url(with_scheme(endpoint, Insecure::kNo));
  if (!url) return url.error();
  return {};
}

Result<std::string> url_below(std::string_view base, Signal signal) {
  auto url = parse_url(base);
  if (!url) return url.error();
  std::string path = part(url->get(), CURLUPART_PATH);
  if (path.empty() || path.back() != '/') path += '/';
  path += fmt::format("v1/{}", to_string(signal));
  curl_url_set(url->get(), CURLUPART_PATH, path.c_str(), 0);
  return part(url->get(), CURLUPART_URL);
}

Result<std::string> url_as_given(std::string_view endpoint) {
  auto url = parse_url(endpoint);
  if (!url) return url.error();
  return part(url->get(), CURLUPART_URL);
}

Result<std::string> grpc_url(std::string_view endpoint, Signal signal, Insecure insecure) {
  auto url = parse_url(with_scheme(endpoint, insecure));
  if (!url) return url.error();
  curl_url_set(url->get(), CURLUPART_PATH, grpc_path(signal), 0);
  curl_url_set(url->get(), CURLUPART_QUERY, nullptr, 0);
  curl_url_set(url->get(), CURLUPART_FRAGMENT, nullptr, 0);
  return part(url->get(), CURLUPART_URL);
}

Result<Headers> parse_headers(std::string_view text) {
  Headers headers;
  while (!text.empty()) {
    const std::size_t comma = text.find(',');
    const std::string_view item = trimmed(text.substr(0, comma));
    text = comma == std::string_view::npos ? std::string_view{} : text.substr(comma + 1);
    if (item.empty()) continue;
    const std::size_t equals = item.find('=');
    const std::string_view name = trimmed(item.substr(0, equals));
    if (equals == std::string_view::npos || !is_header_name(name)) {
      return Error{ErrorCode::kInvalidArgument,
                   "a header is not written like name=value (several: name=value,name2=value2)"};
    }
    auto value = percent_decoded(trimmed(item.substr(equals + 1)));
    if (!value) return value.error();
    if (value->find_first_of(std::string_view("\r\n\0", 3)) != std::string::npos) {
      return Error{ErrorCode::kInvalidArgument,
                   fmt::format("the value of header {} has a line break or a NUL", name)};
    }
    headers.emplace_back(name, std::move(*value));
  }
  return headers;
}

std::string without_secrets(const std::string& url) {
  const Url parsed(curl_url());
  if (!parsed ||
      curl_url_set(parsed.get(), CURLUPART_URL, url.c_str(), CURLU_NON_SUPPORT_SCHEME) != CURLUE_OK) {
    const std::size_t at = url.find('@');  // no URL, so nobody knows what is secret in it
    return at == std::string::npos ? url.substr(0, url.find('?')) : "(hidden)";
  }
  for (const CURLUPart which :
       {CURLUPART_USER, CURLUPART_PASSWORD, CURLUPART_OPTIONS, CURLUPART_QUERY, CURLUPART_FRAGMENT}) {
    curl_url_set(parsed.get(), which, nullptr, 0);
  }
  return part(parsed.get(), CURLUPART_URL);
}

}  // namespace shmring::flusher
