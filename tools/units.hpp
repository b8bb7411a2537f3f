// SPDX-License-Identifier: Apache-2.0
// Sizes, durations and counts as people write and read them.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace shmring::tools {

/// "4096", "16k", "32MiB", "1G", "1.5GiB": bytes. k, M, G and KiB, MiB, GiB count by 1024, kB, MB and GB by 1000; the
/// case of letters does not matter. nullopt: not a size, not a whole number of bytes, or more than 64 bits.
std::optional<std::uint64_t> parse_size(std::string_view text);

/// "200ms", "5s", "1.5s", "100us", "2m", "1h". A number without a unit is refused, but for 0.
std::optional<std::chrono::microseconds> parse_duration(std::string_view text);

/// "90%" or "90": a percentage from 0 to 100.
std::optional<double> parse_percent(std::string_view text);

/// "32 MiB", "16 KiB", "1.5 GiB", "300 B": at most one decimal.
std::string format_size(std::uint64_t bytes);

/// "40 ms", "1.2 s", "3 min 20 s", "2 h 5 min".
std::string format_duration(std::chrono::nanoseconds duration);

/// "1,234,567".
std::string format_count(std::uint64_t count);

}  // namespace shmring::tools
