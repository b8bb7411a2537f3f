// SPDX-License-Identifier: Apache-2.0
// What stands behind an HTTP server of a test: takes log records, and compares each with what was emitted.
#pragma once

#include <atomic>
#include <cstdint>
#include <mutex>
#include <span>
#include <string>
#include <vector>

#include "libshmring/otlp/wire.hpp"
#include "opentelemetry/proto/collector/logs/v1/logs_service.pb.h"
#include "tests/support/eventually.hpp"
#include "tests/support/http_server.hpp"
#include "tests/support/obligations.hpp"

namespace shmring::testing {

/// Hands the content of each field of that number to `use`.
template <typename Use>
void for_each_field(otlp::Bytes message, std::uint32_t number, Use&& use) {
  otlp::WireReader reader(message);
  for (otlp::Tag tag; reader.read_tag(tag) == otlp::Reason::kNone;) {
    otlp::Bytes content;
    if (tag.number != number) {
      if (reader.skip(tag.type) != otlp::Reason::kNone) return;
    } else if (reader.read_bytes(content) == otlp::Reason::kNone) {
      use(content);
    }
  }
}

/// The payloads of a logs request, as they lie in it.
inline std::vector<otlp::Bytes> payloads_of(const std::string& body) {
  std::vector<otlp::Bytes> payloads;
  for_each_field(std::as_bytes(std::span(body)), 1, [&](otlp::Bytes resource_logs) {
    for_each_field(resource_logs, 2, [&](otlp::Bytes scope_logs) {
      for_each_field(scope_logs, 2, [&](otlp::Bytes record) { payloads.push_back(record); });
    });
  });
  return payloads;
}

inline int records_of(const opentelemetry::proto::collector::logs::v1::ExportLogsServiceRequest& request) {
  int records = 0;
  for (const auto& resource : request.resource_logs()) {
    for (const auto& scope : resource.scope_logs()) records += scope.log_records_size();
  }
  return records;
}

/// A collector that can hold back its answers: then it has the records, and the flusher does not know.
class Collector {
 public:
  HttpReply answer(const HttpRequest& request) {
    take(request.body);
    ++in_hand_;
    const bool waited = eventually([this] { return !holding_.load(); });
    --in_hand_;
    return {.status = waited ? 200 : 500};
  }
  void hold() { holding_ = true; }
  void let_go() { holding_ = false; }
  std::uint32_t in_hand() const { return in_hand_.load(); }
  std::uint32_t undecodable() const { return undecodable_.load(); }

  /// Works on what has arrived so far.
  template <typename Use>
  auto with_deliveries(Use&& use) {
    const std::lock_guard lock(mutex_);
    return use(deliveries_);
  }

 private:
  void take(const std::string& body) {
    opentelemetry::proto::collector::logs::v1::ExportLogsServiceRequest request;
    const std::vector<otlp::Bytes> payloads = payloads_of(body);
    if (!request.ParseFromString(body) || records_of(request) != static_cast<int>(payloads.size()))
      ++undecodable_;
    const std::lock_guard lock(mutex_);
    for (const otlp::Bytes payload : payloads) deliveries_.record(payload);
  }

  std::mutex mutex_;
  Deliveries deliveries_;
  std::atomic<bool> holding_{false};
  std::atomic<std::uint32_t> in_hand_{0};
  std::atomic<std::uint32_t> undecodable_{0};
};

}  // namespace shmring::testing
