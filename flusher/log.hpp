// SPDX-License-Identifier: Apache-2.0
// What the flusher says: one event a line, key=value, on stderr. What can repeat is limited where it is said.
#pragma once

#include <fmt/format.h>

#include <chrono>
#include <functional>
#include <initializer_list>
#include <map>
#include <string>
#include <string_view>

#include "flusher/config.hpp"
#include "flusher/schedule.hpp"

namespace shmring::flusher {

struct LogField {
  std::string_view key;
  std::string value;
};

template <typename T>
LogField field(std::string_view key, const T& value) {
  return {key, fmt::format("{}", value)};
}

/// Not thread-safe: the flusher's one thread logs.
class Log {
 public:
  using Sink = std::function<void(std::string_view line)>;

  explicit Log(LogLevel level);  // to stderr
  Log(LogLevel level, Sink sink) : level_(level), sink_(std::move(sink)) {}

  void set_level(LogLevel level) noexcept { level_ = level; }

  void write(LogLevel level, std::string_view event, std::initializer_list<LogField> fields = {});

  /// The same, but at most one line in ten seconds for each (event, subject); the next line says how many were held back.
  void write_limited(LogLevel level, std::string_view event, std::string_view subject,
                     std::initializer_list<LogField> fields, TimePoint now = Clock::now());

 private:
  struct Held {
    TimePoint last;
    std::uint64_t lines = 0;
  };

  void emit(LogLevel level, std::string_view event, std::initializer_list<LogField> fields,
            std::uint64_t repeated);

  LogLevel level_;
  Sink sink_;
  std::map<std::string, Held, std::less<>> held_;
};

/// 2026-11-21T13:15:00.000Z
std::string utc_time(std::chrono::system_clock::time_point time);

/// Control characters, quotes and backslashes escaped; for text that comes from somebody else.
std::string escaped(std::string_view text);

}  // namespace shmring::flusher
