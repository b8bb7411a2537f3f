// SPDX-License-Identifier: Apache-2.0
// What is measured, one function for each part of the report.
#pragma once

#include <cstdint>

#include "bench/processes/report.hpp"

namespace shmring::bench {

/// How much of everything: all of it, or a hundredth, to see whether it works.
enum class Scale : std::uint8_t { kFull, kSmoke };
constexpr std::uint32_t scaled(Scale scale, std::uint32_t count) noexcept {
  if (scale == Scale::kFull) return count;
  return count < 300 ? 3 : count / 100;
}

void measure_first_record(Report& report, Scale scale);
void measure_child_exit(Report& report, Scale scale);
void measure_private_memory(Report& report, Scale scale);
/// For that: what this program needs more after it has opened the ring, written to standard output as it lies in memory.
int probe_memory(const char* ring_path);
inline constexpr const char* kProbeOption = "--probe-memory";
void measure_idle_writers(Report& report, Scale scale);
void measure_wave(Report& report, Scale scale);
void measure_latency(Report& report, Scale scale);

}  // namespace shmring::bench
