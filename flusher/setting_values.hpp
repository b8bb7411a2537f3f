// SPDX-License-Identifier: Apache-2.0
// What the tables of options are written with: each makes the function that checks a value and stores it in the Config.
#pragma once

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "flusher/config.hpp"
#include "flusher/units.hpp"
#include "shmring/result.hpp"

namespace shmring::flusher {

using Apply = std::function<Result<void>(Config&, const std::string&)>;

inline Error bad_value(std::string message) { return {ErrorCode::kInvalidArgument, std::move(message)}; }

/// BATCH_RECORDS for batch-records.
inline std::string variable_name(std::string option) {
  std::transform(option.begin(), option.end(), option.begin(), [](char c) {
    return c == '-' ? '_' : static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  });
  return option;
}

inline bool is_same_word(std::string_view a, std::string_view b) {
  const auto lower = [](char c) { return std::tolower(static_cast<unsigned char>(c)); };
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [&](char x, char y) { return lower(x) == lower(y); });
}

/// A number between two ends, parsed by `parse`, stored through `store`.
template <typename Parse, typename Store>
Apply number(Parse parse, std::uint64_t least, std::uint64_t most, std::string range, Store store) {
  return [=](Config& config, const std::string& text) -> Result<void> {
    const auto value = parse(text);
    if (!value) return value.error();
    if (*value < least || *value > most) return bad_value(fmt::format("'{}' is not {}", text, range));
    store(config) = *value;
    return {};
  };
}

template <typename Store>
Apply duration(std::chrono::microseconds least, Store store) {
  return [=](Config& config, const std::string& text) -> Result<void> {
    const auto value = parse_duration(text);
    if (!value) return value.error();
    if (*value < least)
      return bad_value(fmt::format("'{}' is too short; at least {}", text, format_duration(least)));
    store(config) = *value;
    return {};
  };
}

/// None, or no limit: 0 means as long as the specification lets that be.
inline constexpr std::chrono::milliseconds kNoLimit{INT32_MAX};

template <typename Store>
Apply timeout(Store store) {
  return [=](Config& config, const std::string& text) -> Result<void> {
    const auto value = parse_duration(text);
    if (!value) return value.error();
    const bool is_limited = value->count() > 0 && *value < kNoLimit;
    store(config) = is_limited ? *value : std::chrono::microseconds(kNoLimit);
    return {};
  };
}

/// One word of several, in any case.
template <typename Enum, typename Store>
Apply one_of(std::vector<std::pair<std::string, Enum>> words, Store store) {
  return [=](Config& config, const std::string& text) -> Result<void> {
    std::string known;
    for (const auto& [word, value] : words) {
      if (is_same_word(word, text)) {
        store(config) = value;
        return {};
      }
      known += (known.empty() ? "" : ", ") + word;
    }
    return bad_value(fmt::format("'{}' is none of: {}", text, known));
  };
}

template <typename Enum, typename Store>
Apply on_off(Store store) {
  return [=](Config& config, const std::string& text) -> Result<void> {
    const auto value = parse_switch(text);
    if (!value) return value.error();
    store(config) = *value ? Enum::kYes : Enum::kNo;
    return {};
  };
}

}  // namespace shmring::flusher
