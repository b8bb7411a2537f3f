// SPDX-License-Identifier: Apache-2.0
// One GET, as a scraper or a probe sends it.
#pragma once

#include <curl/curl.h>

#include <string>

namespace shmring::testing {

struct HttpGot {
  long status = 0;  // 0: no answer
  std::string body = {};
};

inline HttpGot http_get(const std::string& url) {
  HttpGot out;
  CURL* const easy = curl_easy_init();
  curl_easy_setopt(easy, CURLOPT_URL, url.c_str());
  curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(easy, CURLOPT_PROXY, "");
  constexpr long kTimeoutSeconds = 20;
  curl_easy_setopt(easy, CURLOPT_TIMEOUT, kTimeoutSeconds);
  const auto append = +[](char* bytes, std::size_t size, std::size_t count, void* body) -> std::size_t {
    static_cast<std::string*>(body)->append(bytes, size * count);
    return size * count;
  };
  curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, append);
  curl_easy_setopt(easy, CURLOPT_WRITEDATA, static_cast<void*>(&out.body));
  if (curl_easy_perform(easy) == CURLE_OK) curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &out.status);
  curl_easy_cleanup(easy);
  return out;
}

}  // namespace shmring::testing
