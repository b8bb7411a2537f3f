// SPDX-License-Identifier: Apache-2.0
// What one run gave, from the first emit to the last acknowledgement.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace shmring::bench {

struct Measured {
  std::uint64_t records = 0;
  double seconds = 0;
  double exporting_cpu =
      0;  // seconds: of the flusher's process, or of an SDK's process but for the thread that emits
  double emitting_cpu = 0;  // seconds: of all that emit
  std::uint64_t requests = 0;
  std::uint64_t body_bytes = 0;
};

enum class What : std::uint8_t { kLogs, kSpans };

struct Load {
  What what = What::kLogs;
  int processes = 1;
  std::uint64_t records = 0;  // of all of them
};

/// Where what runs: the flusher, or an SDK with the program that uses it, has a core of its own.
inline constexpr int kExportingCore = 0;
inline constexpr int kOtherCore = 1;  // the sink, and who emits to the ring

/// shmring-flusher with its defaults but for `options`, on a new ring that makes emitters wait when it is full. nullopt: it failed, and said why.
std::optional<Measured> measure_flusher(const Load& load, const std::vector<std::string>& options);

/// A program that emits so many records and exports them by OTLP/HTTP to where OTEL_EXPORTER_OTLP_ENDPOINT says, then prints a line: records,
/// seconds, CPU seconds of its process, CPU seconds of the thread that emits. nullopt: it failed.
std::optional<Measured> measure_rival(const std::vector<std::string>& command, std::uint64_t records);

}  // namespace shmring::bench
