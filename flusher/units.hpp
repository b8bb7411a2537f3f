// SPDX-License-Identifier: Apache-2.0
// Durations and sizes as people write them: 200ms, 5s, 3.5MiB, 64k.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

#include "shmring/result.hpp"

namespace shmring::flusher {

/// us, ms, s, m, h; a bare number is milliseconds, as OpenTelemetry's variables have it.
Result<std::chrono::microseconds> parse_duration(std::string_view text);

/// B, k, M, G, KiB, MiB, GiB (all powers of 1024), also with a fraction; a bare number is bytes.
Result<std::uint64_t> parse_size(std::string_view text);

Result<std::uint64_t> parse_count(std::string_view text);

/// true, false, 1, 0, yes, no, on, off; in any case.
Result<bool> parse_switch(std::string_view text);

std::string format_duration(std::chrono::microseconds duration);
std::string format_size(std::uint64_t bytes);

}  // namespace shmring::flusher
