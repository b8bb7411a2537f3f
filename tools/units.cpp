// SPDX-License-Identifier: Apache-2.0
// Sizes, durations and counts as people write and read them.
#include "tools/units.hpp"

#include <fmt/format.h>

#include <array>
#include <charconv>
#include <cmath>
#include <iterator>
#include <span>

namespace shmring::tools {
namespace {

struct Unit {
  std::string_view name;  // in lower case
  double factor;
};

constexpr double kKi = 1024.0;
constexpr std::array<Unit, 14> kSizeUnits{{{"", 1},
                                           {"b", 1},
                                           {"k", kKi},
                                           {"ki", kKi},
                                           {"kib", kKi},
                                           {"kb", 1e3},
                                           {"m", kKi* kKi},
                                           {"mi", kKi* kKi},
                                           {"mib", kKi* kKi},
                                           {"mb", 1e6},
                                           {"g", kKi* kKi* kKi},
                                           {"gi", kKi* kKi* kKi},
                                           {"gib", kKi* kKi* kKi},
                                           {"gb", 1e9}}};
constexpr std::array<Unit, 6> kTimeUnits{
    {{"us", 1}, {"ms", 1e3}, {"s", 1e6}, {"m", 60e6}, {"min", 60e6}, {"h", 3600e6}}};

struct Quantity {
  double number;
  std::string unit;  // in lower case
};

std::optional<Quantity> split(std::string_view text) {
  double number = 0;
  const auto [end, error] =
      std::from_chars(text.data(), text.data() + text.size(), number, std::chars_format::fixed);
  if (error != std::errc{} || !std::isfinite(number) || number < 0) return std::nullopt;
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
  std::string unit;
  for (const char letter : text) {
    unit.push_back(letter >= 'A' && letter <= 'Z' ? static_cast<char>(letter - 'A' + 'a') : letter);
  }
  return Quantity{number, std::move(unit)};
}

std::optional<double> factor_of(std::span<const Unit> units, std::string_view name) {
  for (const Unit& unit : units) {
    if (unit.name == name) return unit.factor;
  }
  return std::nullopt;
}

// Every whole number below it has a double of its own.
constexpr double kExactEnd = 9007199254740992.0;

}  // namespace

std::optional<std::uint64_t> parse_size(std::string_view text) {
  const auto quantity = split(text);
  if (!quantity) return std::nullopt;
  const auto factor = factor_of(kSizeUnits, quantity->unit);
  if (!factor) return std::nullopt;
  const double bytes = quantity->number * *factor;
  if (bytes >= kExactEnd || bytes != std::floor(bytes)) return std::nullopt;
  return static_cast<std::uint64_t>(bytes);
}

std::optional<std::chrono::microseconds> parse_duration(std::string_view text) {
  const auto quantity = split(text);
  if (!quantity) return std::nullopt;
  if (quantity->number == 0 && quantity->unit.empty()) return std::chrono::microseconds{0};
  const auto factor = factor_of(kTimeUnits, quantity->unit);
  if (!factor) return std::nullopt;
  const double microseconds = std::round(quantity->number * *factor);
  if (microseconds >= kExactEnd) return std::nullopt;
  return std::chrono::microseconds{static_cast<std::int64_t>(microseconds)};
}

std::optional<double> parse_percent(std::string_view text) {
  if (!text.empty() && text.back() == '%') text.remove_suffix(1);
  const auto quantity = split(text);
  if (!quantity || !quantity->unit.empty() || quantity->number > 100) return std::nullopt;
  return quantity->number;
}

std::string format_size(std::uint64_t bytes) {
  constexpr std::array<std::string_view, 5> kNames{"B", "KiB", "MiB", "GiB", "TiB"};
  auto value = static_cast<double>(bytes);
  std::size_t unit = 0;
  while (value >= kKi && unit + 1 < kNames.size()) {
    value /= kKi;
    ++unit;
  }
  const double rounded = std::round(value * 10) / 10;
  return rounded == std::floor(rounded) ? fmt::format("{:.0f} {}", rounded, kNames[unit])
                                        : fmt::format("{:.1f} {}", rounded, kNames[unit]);
}

std::string format_duration(std::chrono::nanoseconds duration) {
  using namespace std::chrono_literals;
  if (duration < 0ns) return "-" + format_duration(-duration);
  const auto count = static_cast<double>(duration.count());
  if (duration < 1us) return fmt::format("{} ns", duration.count());
  if (duration < 1ms) return fmt::format("{:.0f} us", std::floor(count / 1e3));
  if (duration < 1s) return fmt::format("{:.0f} ms", std::floor(count / 1e6));
  if (duration < 60s) return fmt::format("{:.1f} s", std::floor(count / 1e8) / 10);
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(duration).count();
  if (seconds < 3600) return fmt::format("{} min {} s", seconds / 60, seconds % 60);
  return fmt::format("{} h {} min", seconds / 3600, seconds / 60 % 60);
}

std::string format_count(std::uint64_t count) {
  std::string digits = std::to_string(count);
  for (std::size_t place = digits.size(); place > 3; place -= 3) digits.insert(place - 3, 1, ',');
  return digits;
}

}  // namespace shmring::tools
