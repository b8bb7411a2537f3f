// SPDX-License-Identifier: Apache-2.0
// Everything that can be set, one line per option: default, unit, meaning. settings.cpp gives each its names.
#pragma once

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "shmring/layout.hpp"
#include "shmring/signal.hpp"
#include "spool/spool_limits.hpp"

namespace shmring::flusher {

enum class LogLevel : std::uint8_t { kDebug, kInfo, kWarning, kError };
enum class ExporterKind : std::uint8_t { kOtlp, kFile, kConsole };
enum class Protocol : std::uint8_t { kHttpProtobuf, kHttpJson, kGrpc };
enum class Insecure : std::uint8_t { kNo, kYes };
enum class EndpointIs : std::uint8_t { kBaseOfAllSignals, kOfOneSignal };
enum class Compression : std::uint8_t { kNone, kGzip };
enum class Once : std::uint8_t { kNo, kYes };
enum class Bisect : std::uint8_t { kNo, kYes };
enum class FileSync : std::uint8_t { kNo, kYes };

constexpr std::string_view to_string(Protocol protocol) {
  switch (protocol) {
    case Protocol::kHttpProtobuf:
      return "http/protobuf";
    case Protocol::kHttpJson:
      return "http/json";
    case Protocol::kGrpc:
      return "grpc";
  }
  return "unknown";
}

using Headers = std::vector<std::pair<std::string, std::string>>;

/// Files in PEM form; an empty name means: none.
struct TlsFiles {
  std::string certificate;  // what servers' certificates must come from, in place of the system's authorities
  std::string client_certificate;  // ours, where the server asks for one
  std::string client_key;          // empty: it is in the same file

  bool operator==(const TlsFiles&) const = default;
};

/// Where and how one signal is sent.
struct OtlpTarget {
  std::string url;            // complete, with the signal's path; made from the next two
  std::string endpoint = {};  // as given; empty: http://localhost:4318, or 4317 for gRPC
  EndpointIs endpoint_is = EndpointIs::kBaseOfAllSignals;
  Insecure insecure = Insecure::kNo;  // a gRPC endpoint without a scheme is reached without TLS
  TlsFiles tls = {};
  std::string proxy = {};  // empty: as http_proxy, https_proxy and no_proxy say; may hold a password
  Protocol protocol = Protocol::kHttpProtobuf;
  Headers headers = {};  // sent with each request; may hold secrets: never logged
  std::chrono::microseconds timeout{
      10'000'000};  // of one request, from connecting to the last byte of the answer
  Compression compression = Compression::kNone;  // of request bodies

  bool operator==(const OtlpTarget&) const = default;
};

/// How a batch comes to its end. A record waits for others no longer than one interval.
struct BatchLimits {
  std::uint64_t records = 2048;  // records, 1 to 8192; see bench/
  std::uint64_t bytes =
      3584U << 10U;  // encoded bytes with envelopes, at most 3.5 MiB: gRPC servers refuse 4 MiB

  bool operator==(const BatchLimits&) const = default;
};

/// Waits between two attempts: doubled each time, and jittered.
struct RetryLimits {
  std::chrono::microseconds initial{500'000};            // before the first repetition
  std::chrono::microseconds longest{30'000'000};         // before any later one
  std::chrono::microseconds longest_asked{300'000'000};  // what a server's Retry-After can ask for

  bool operator==(const RetryLimits&) const = default;
};

/// What one signal has of its own; nullopt: as the Config says for all.
struct SignalLimits {
  std::optional<std::chrono::microseconds> interval = {};
  std::optional<std::chrono::microseconds> export_timeout =
      {};  // of one attempt, if that is less than the target's timeout
  std::optional<std::uint64_t> batch_records = {};
  std::optional<std::uint64_t> max_in_flight = {};
  std::optional<FullPolicy> on_full = {};

  bool operator==(const SignalLimits&) const = default;
};

struct Config {
  std::filesystem::path ring = {};        // empty: $SHMRING_PATH, else /dev/shm/shmring-<uid>/default.ring
  std::uint64_t ring_bytes = 32U << 20U;  // bytes of all blocks, where the flusher creates the ring
  std::uint64_t ring_block_bytes = 16U << 10U;  // bytes of a block, where the flusher creates the ring
  std::uint64_t ring_writers = 1024;            // writer slots, where the flusher creates the ring

  FullPolicy on_full = FullPolicy::kDropNewest;     // where the flusher creates the ring
  std::chrono::microseconds block_timeout{10'000};  // of policy block: an emit waits at most this long

  std::chrono::microseconds interval{200'000};  // a record waits at most this long before its first export
  Once once = Once::kNo;                        // drain, export, end

  std::vector<ExporterKind> exporters{ExporterKind::kFile};  // each batch goes to all of them
  std::filesystem::path file = "shmring.jsonl";  // DIR/NAME.jsonl: DIR/NAME.logs.jsonl and so on are written
  FileSync file_sync = FileSync::kNo;            // fdatasync() before a batch counts as written
  std::array<OtlpTarget, kSignalCount> otlp = {};

  std::uint64_t max_in_flight =
      4;  // batches per signal between the oldest unacknowledged and the newest sent
  BatchLimits batch = {};
  std::array<SignalLimits, kSignalCount> signals = {};
  RetryLimits retry = {};
  Bisect bisect =
      Bisect::kYes;  // a batch that a server refuses as bad data, so that one bad record costs one
  std::uint64_t memory_limit =
      128U
      << 20U;  // bytes; of the flusher's own resident memory, all but the mapped ring; see memory_per_signal()
  std::chrono::microseconds shutdown_timeout{5'000'000};  // for the last export; with --once, for all of it

  std::filesystem::path dead_letter =
      {};  // a folder for what was refused for good; empty: it is only counted
  std::uint64_t dead_letter_bytes = std::uint64_t{256} << 20U;  // of its files
  std::chrono::microseconds dead_letter_age = std::chrono::hours(720);
  Once replay_dead_letters = Once::kNo;  // sends them again, and ends

  std::filesystem::path spool = {};  // a folder for what a destination that is away cannot take; empty: none
  spool::SpoolLimits spool_limits = {};
  std::uint64_t spool_replay_rate =
      100'000;  // records a second, of a signal to a destination; 0: as fast as they are taken

  std::string metrics_listen = {};  // ADDR:PORT of /metrics, /healthz, /readyz; empty: none
  LogLevel log_level = LogLevel::kInfo;

  bool operator==(const Config&) const = default;

  const SignalLimits& limits_of(Signal signal) const { return signals[static_cast<std::size_t>(signal)]; }
  std::chrono::microseconds interval_of(Signal signal) const {
    return limits_of(signal).interval.value_or(interval);
  }
  std::chrono::microseconds shortest_interval() const {
    return std::min(
        {interval_of(Signal::kLogs), interval_of(Signal::kTraces), interval_of(Signal::kMetrics)});
  }
  std::uint64_t in_flight_of(Signal signal) const {
    return limits_of(signal).max_in_flight.value_or(max_in_flight);
  }
  BatchLimits batch_of(Signal signal) const;
  /// Of the ring that the flusher makes. REQUIRES: signals that have one of their own agree; see check_config().
  FullPolicy ring_policy() const {
    for (const SignalLimits& signal : signals) {
      if (signal.on_full) return *signal.on_full;
    }
    return on_full;
  }
  /// As in SDKs: whichever is shorter, a request's timeout or that of the export that it is a part of.
  std::chrono::microseconds timeout_of(Signal signal) const {
    const auto& target = otlp[static_cast<std::size_t>(signal)];
    return std::min(target.timeout, limits_of(signal).export_timeout.value_or(target.timeout));
  }
  bool exports_by(ExporterKind kind) const {
    return std::find(exporters.begin(), exporters.end(), kind) != exporters.end();
  }

  /// What batches of one signal may take, so that none takes another's share. Program and libraries come first; the other half of
  /// what is left is for copies on the way: a drain's slices, requests as they are sent, the spool's transaction.
  std::uint64_t memory_per_signal() const noexcept {
    constexpr std::uint64_t kProgram = 28U << 20U;
    constexpr std::uint64_t kSpool = 14U << 20U;  // its pages, and batches that come back from it
    const std::uint64_t others = kProgram + (spool.empty() ? 0 : kSpool);
    return (memory_limit - std::min(memory_limit, others)) / 2 / kSignalCount;
  }
};

inline BatchLimits Config::batch_of(Signal signal) const {
  constexpr std::uint64_t kJsonGrowth = 4;  // its text is at most about so many times as long as the bytes
  BatchLimits out = batch;
  out.records = limits_of(signal).batch_records.value_or(batch.records);
  const bool is_json = otlp[static_cast<std::size_t>(signal)].protocol == Protocol::kHttpJson;
  if (exports_by(ExporterKind::kOtlp) && is_json) out.bytes /= kJsonGrowth;
  return out;
}

}  // namespace shmring::flusher
