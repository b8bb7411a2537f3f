// SPDX-License-Identifier: Apache-2.0
// OTLP/HTTP, "OTLP/HTTP Response": what a server's answer says about the batch that was sent to it.
#pragma once

#include <chrono>
#include <map>
#include <optional>
#include <string>

#include "flusher/exporter.hpp"
#include "shmring/signal.hpp"

namespace shmring::flusher {

struct HttpAnswer {
  long status = 0;
  std::string content_type = {};
  std::string body = {};  // its first part, when it was too long
  std::optional<std::chrono::microseconds> retry_after = {};
  std::map<std::string, std::string> grpc =
      {};  // headers and trailers whose names begin with grpc-, in lower case
};

Refusal refusal_of_http(long status);

/// 2xx: accepted, but for what a partial success leaves out; an unreadable body changes nothing about that. 429, 502, 503,
/// 504: again later. Everything else, redirections included: refused for good.
SendResult judge(const HttpAnswer& answer, Signal signal);

}  // namespace shmring::flusher
