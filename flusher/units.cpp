// SPDX-License-Identifier: Apache-2.0
// Durations and sizes as people write them.

#include "flusher/units.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <utility>

namespace shmring::flusher {
namespace {

struct Unit {
  std::string_view name;
  double factor;
};

constexpr double kKi = 1024.0;
constexpr std::array<Unit, 6> kDurationUnits{
    {{"us", 1}, {"ms", 1e3}, {"s", 1e6}, {"m", 60e6}, {"h", 3600e6}, {"", 1e3}}};
constexpr std::array<Unit, 14> kSizeUnits{{{"b", 1},
                                           {"k", kKi},
                                           {"kb", kKi},
                                           {"kib", kKi},
                                           {"m", kKi* kKi},
                                           {"mb", kKi* kKi},
                                           {"mib", kKi* kKi},
                                           {"g", kKi* kKi* kKi},
                                           {"gb", kKi* kKi* kKi},
                                           {"gib", kKi* kKi* kKi},
                                           {"t", kKi* kKi* kKi* kKi},
                                           {"tb", kKi* kKi* kKi* kKi},
                                           {"tib", kKi* kKi* kKi* kKi},
                                           {"", 1}}};
constexpr double kLargest = 9e15;  // below 2^53: every integer up to here is exact in a double

std::string lower(std::string_view text) {
  std::string out(text);
  std::transform(out.begin(), out.end(), out.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  return out;
}

template <std::size_t N>
Result<std::uint64_t> parse_with_unit(std::string_view text, const std::array<Unit, N>& units,
                                      const char* want) {
  const Error error{ErrorCode::kInvalidArgument, fmt::format("'{}' is not {}", text, want)};
  double number = 0;
  const char* const end = text.data() + text.size();
  const auto [rest, status] = std::from_chars(text.data(), end, number, std::chars_format::fixed);
  if (status != std::errc{} || number < 0) return error;
  const char* unit_begin = rest;
  while (unit_begin != end && *unit_begin == ' ') ++unit_begin;
  const std::string name = lower({unit_begin, static_cast<std::size_t>(end - unit_begin)});
  for (const Unit& unit : units) {
    if (unit.name != name) continue;
    const double value = number * unit.factor;
    if (!(value <= kLargest)) return error;
    return static_cast<std::uint64_t>(std::llround(value));
  }
  return error;
}

}  // namespace

Result<std::chrono::microseconds> parse_duration(std::string_view text) {
  const auto value = parse_with_unit(text, kDurationUnits, "a duration like 200ms, 5s or 2m");
  if (!value) return value.error();
  return std::chrono::microseconds(static_cast<std::int64_t>(*value));
}

Result<std::uint64_t> parse_size(std::string_view text) {
  return parse_with_unit(text, kSizeUnits, "a size like 64k, 3.5MiB or 1G");
}

Result<std::uint64_t> parse_count(std::string_view text) {
  std::uint64_t value = 0;
  const auto [rest, status] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (text.empty() || status != std::errc{} || rest != text.data() + text.size()) {
    return Error{ErrorCode::kInvalidArgument, fmt::format("'{}' is not a whole number", text)};
  }
  return value;
}

Result<bool> parse_switch(std::string_view text) {
  const std::string word = lower(text);
  if (word == "true" || word == "1" || word == "yes" || word == "on") return true;
  if (word == "false" || word == "0" || word == "no" || word == "off") return false;
  return Error{ErrorCode::kInvalidArgument, fmt::format("'{}' is neither true nor false", text)};
}

std::string format_duration(std::chrono::microseconds duration) {
  const auto us = duration.count();
  if (us % 1'000'000 == 0) return fmt::format("{}s", us / 1'000'000);
  if (us % 1000 == 0) return fmt::format("{}ms", us / 1000);
  return fmt::format("{}us", us);
}

std::string format_size(std::uint64_t bytes) {
  constexpr std::array<const char*, 4> kNames{"B", "KiB", "MiB", "GiB"};
  double value = static_cast<double>(bytes);
  std::size_t unit = 0;
  while (value >= 1024 && unit + 1 < kNames.size()) {
    value /= 1024;
    ++unit;
  }
  return value == std::floor(value) ? fmt::format("{:.0f}{}", value, kNames[unit])
                                    : fmt::format("{:.1f}{}", value, kNames[unit]);
}

}  // namespace shmring::flusher
