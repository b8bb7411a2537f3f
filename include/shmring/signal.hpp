// SPDX-License-Identifier: Apache-2.0
// The three kinds of telemetry that OpenTelemetry calls signals.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace shmring {

enum class Signal : std::uint8_t { kLogs = 0, kTraces = 1, kMetrics = 2 };
inline constexpr std::size_t kSignalCount = 3;

constexpr std::string_view to_string(Signal signal) {
  switch (signal) {
    case Signal::kLogs:
      return "logs";
    case Signal::kTraces:
      return "traces";
    case Signal::kMetrics:
      return "metrics";
  }
  return "unknown";
}

}  // namespace shmring
