// SPDX-License-Identifier: Apache-2.0
// Everything that can be set, one line per option: default, unit, meaning. settings.cpp gives each its names.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "shmring/signal.hpp"

namespace shmring::flusher {

enum class LogLevel : std::uint8_t { kDebug, kInfo, kWarning, kError };
enum class ExporterKind : std::uint8_t { kOtlp, kFile, kConsole };
enum class Protocol : std::uint8_t { kHttpProtobuf, kHttpJson, kGrpc };
enum class Insecure : std::uint8_t { kNo, kYes };
enum class EndpointIs : std::uint8_t { kBaseOfAllSignals, kOfOneSignal };
enum class Compression : std::uint8_t { kNone, kGzip };
enum class Once : std::uint8_t { kNo, kYes };
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
};

/// How a batch comes to its end. A record waits for others no longer than one interval.
struct BatchLimits {
  std::uint64_t records = 2048;  // records, 1 to 8192; see bench/
  std::uint64_t bytes =
      3584U << 10U;  // encoded bytes with envelopes, at most 3.5 MiB: gRPC servers refuse 4 MiB
};

/// Waits between two attempts: doubled each time, and jittered.
struct RetryLimits {
  std::chrono::microseconds initial{500'000};            // before the first repetition
  std::chrono::microseconds longest{30'000'000};         // before any later one
  std::chrono::microseconds longest_asked{300'000'000};  // what a server's Retry-After can ask for
};

struct Config {
  std::filesystem::path ring = {};        // empty: $SHMRING_PATH, else /dev/shm/shmring-<uid>/default.ring
  std::uint64_t ring_bytes = 32U << 20U;  // bytes of all blocks, where the flusher creates the ring
  std::uint64_t ring_block_bytes = 16U << 10U;  // bytes of a block, where the flusher creates the ring
  std::uint64_t ring_writers = 1024;            // writer slots, where the flusher creates the ring

  std::chrono::microseconds interval{200'000};  // a record waits at most this long before its first export
  Once once = Once::kNo;                        // drain, export, end

  std::vector<ExporterKind> exporters{ExporterKind::kFile};  // each batch goes to all of them
  std::filesystem::path file = "shmring.jsonl";  // DIR/NAME.jsonl: DIR/NAME.logs.jsonl and so on are written
  FileSync file_sync = FileSync::kNo;            // fdatasync() before a batch counts as written
  std::array<OtlpTarget, kSignalCount> otlp = {};

  std::uint64_t max_in_flight =
      4;  // batches per signal between the oldest unacknowledged and the newest sent
  BatchLimits batch = {};
  RetryLimits retry = {};
  std::uint64_t memory_limit =
      128U << 20U;  // bytes; of the flusher's own memory, half of it for batches, by thirds
  std::chrono::microseconds shutdown_timeout{5'000'000};  // for the last export; with --once, for all of it

  LogLevel log_level = LogLevel::kInfo;

  /// What batches of one signal may take, so that none takes another's share.
  std::uint64_t memory_per_signal() const noexcept { return memory_limit / 2 / kSignalCount; }
};

}  // namespace shmring::flusher
