// SPDX-License-Identifier: Apache-2.0
// interop COLLECTOR [RECORDS [SEED]]: sends records of every signal by every protocol to a real OpenTelemetry Collector, compares
// what that wrote with what was emitted, and prints a table. Exit code 0: all equal; 1: a difference; 77: there is no Collector.

#include <fmt/core.h>
#include <unistd.h>

#include <cstdlib>
#include <iterator>
#include <string>
#include <vector>

#include "opentelemetry/proto/collector/logs/v1/logs_service.pb.h"
#include "opentelemetry/proto/collector/metrics/v1/metrics_service.pb.h"
#include "opentelemetry/proto/collector/trace/v1/trace_service.pb.h"
#include "tests/interop/collector_process.hpp"
#include "tests/interop/otlp_json.hpp"
#include "tests/interop/records.hpp"
#include "tests/support/flusher_process.hpp"

namespace shmring::interop {
namespace {

namespace collector = opentelemetry::proto::collector;
using testing::CertificateAuthority;

struct Route {
  const char* protocol;
  const char* compression;
  bool is_tls;
};
constexpr Route kRoutes[] = {{"http/protobuf", "none", false}, {"http/protobuf", "gzip", false},
                             {"http/protobuf", "gzip", true},  {"http/json", "none", false},
                             {"http/json", "gzip", false},     {"grpc", "none", false},
                             {"grpc", "gzip", false},          {"grpc", "gzip", true}};

std::vector<Arrived<opentelemetry::proto::logs::v1::LogRecord>> logs_in(const std::filesystem::path& path) {
  std::vector<Arrived<opentelemetry::proto::logs::v1::LogRecord>> out;
  for (const auto& request : read_lines<collector::logs::v1::ExportLogsServiceRequest>(path)) {
    for (const auto& resource : request.resource_logs()) {
      for (const auto& scope : resource.scope_logs()) {
        for (const auto& record : scope.log_records())
          out.push_back({record, scope.scope(), resource.resource()});
      }
    }
  }
  return out;
}

std::vector<Arrived<opentelemetry::proto::trace::v1::Span>> spans_in(const std::filesystem::path& path) {
  std::vector<Arrived<opentelemetry::proto::trace::v1::Span>> out;
  for (const auto& request : read_lines<collector::trace::v1::ExportTraceServiceRequest>(path)) {
    for (const auto& resource : request.resource_spans()) {
      for (const auto& scope : resource.scope_spans()) {
        for (const auto& record : scope.spans()) out.push_back({record, scope.scope(), resource.resource()});
      }
    }
  }
  return out;
}

std::vector<Arrived<opentelemetry::proto::metrics::v1::Metric>> metrics_in(
    const std::filesystem::path& path) {
  std::vector<Arrived<opentelemetry::proto::metrics::v1::Metric>> out;
  for (const auto& request : read_lines<collector::metrics::v1::ExportMetricsServiceRequest>(path)) {
    for (const auto& resource : request.resource_metrics()) {
      for (const auto& scope : resource.scope_metrics()) {
        for (const auto& record : scope.metrics())
          out.push_back({record, scope.scope(), resource.resource()});
      }
    }
  }
  return out;
}

/// A line of the table. True: everything arrived, and equal.
template <typename Record>
bool judge(const char* signal, const Route& route, const std::vector<Record>& sent,
           const std::vector<Arrived<Record>>& arrived) {
  const std::size_t equal = count_equal(sent, arrived);
  fmt::print("{:<8} {:<14} {:<12} {:<4} {:>6} {:>8} {:>6}\n", signal, route.protocol, route.compression,
             route.is_tls ? "yes" : "no", sent.size(), arrived.size(), equal);
  std::fflush(stdout);
  return equal == sent.size() && arrived.size() == sent.size();
}

/// Drains the ring once, to the Collector.
bool export_by(const Route& route, const testing::ScratchRing& ring, const CollectorProcess& collector,
               const CertificateAuthority& authority) {
  const bool is_grpc = std::string(route.protocol) == "grpc";
  const auto port = is_grpc ? collector.grpc_port() : collector.http_port();
  testing::FlusherProcess flusher(
      SHMRING_FLUSHER,
      {"--ring", ring.path(), "--exporter", "otlp", "--once", "--shutdown-timeout", "60s", "--timeout",
       "60s"},
      ring.folder() / "log",
      {fmt::format("OTEL_EXPORTER_OTLP_ENDPOINT={}://127.0.0.1:{}", route.is_tls ? "https" : "http", port),
       fmt::format("OTEL_EXPORTER_OTLP_PROTOCOL={}", route.protocol),
       fmt::format("OTEL_EXPORTER_OTLP_COMPRESSION={}", route.compression),
       "OTEL_EXPORTER_OTLP_CERTIFICATE=" + authority.certificate().string(), "no_proxy=127.0.0.1"});
  // A warning is a difference, too: a Collector that took everything has said so in a way that the flusher has to understand.
  if (flusher.wait() == 0 && flusher.log_text().find("level=warning") == std::string::npos) return true;
  fmt::print(stderr, "the flusher did not end well, or was not content:\n{}the Collector's log:\n{}",
             flusher.log_text(), collector.log_text());
  return false;
}

bool try_route(const Route& route, const std::string& program, const Sent& sent) {
  CertificateAuthority authority;
  CollectorProcess collector(program,
                             route.is_tls ? std::optional(authority.issue("collector")) : std::nullopt);
  const testing::ScratchRing ring({.blocks = 1024, .block_bytes = 16384});
  emit(testing::value_or_abort(Ring::open(ring.path(), resource_options())), sent);
  bool ok = export_by(route, ring, collector, authority);
  if (!collector.stop()) {
    fmt::print(stderr, "the Collector did not end well:\n{}", collector.log_text());
    ok = false;
  }
  ok = judge("logs", route, sent.logs, logs_in(collector.written("logs"))) && ok;
  ok = judge("traces", route, sent.spans, spans_in(collector.written("traces"))) && ok;
  return judge("metrics", route, sent.metrics, metrics_in(collector.written("metrics"))) && ok;
}

int run(const std::string& program, std::size_t records, std::uint64_t seed) {
  if (::access(program.c_str(), X_OK) != 0) {
    fmt::print("skipped: there is no Collector at {}; scripts/interop.sh builds it\n", program);
    return 77;
  }
  if (!testing::has_openssl()) {
    fmt::print("skipped: there is no program openssl to make certificates\n");
    return 77;
  }
  const Sent sent = make_records(records, seed);
  fmt::print("{:<8} {:<14} {:<12} {:<4} {:>6} {:>8} {:>6}\n", "signal", "protocol", "compression", "TLS",
             "sent", "arrived", "equal");
  bool ok = true;
  for (const Route& route : kRoutes) ok = try_route(route, program, sent) && ok;
  fmt::print("{}\n", ok ? "everything arrived, and equal" : "DIFFERENCES");
  return ok ? 0 : 1;
}

}  // namespace
}  // namespace shmring::interop

int main(int argc, char** argv) {
  if (argc < 2 || argc > 4) {
    fmt::print(stderr, "usage: interop COLLECTOR [RECORDS (default 1000) [SEED (1)]]\n");
    return 2;
  }
  const std::size_t records = argc > 2 ? std::strtoull(argv[2], nullptr, 10) : 1000;
  return shmring::interop::run(argv[1], records, argc > 3 ? std::strtoull(argv[3], nullptr, 10) : 1);
}
