// SPDX-License-Identifier: Apache-2.0
// What the flusher says: one event a line, key=value.

#include "flusher/log.hpp"

#include <unistd.h>

#include <algorithm>
#include <ctime>

namespace shmring::flusher {
namespace {

constexpr auto kQuietTime = std::chrono::seconds(10);
constexpr std::size_t kMaxSubjects = 1000;  // whatever subjects there are: memory stays bounded

std::string_view name_of(LogLevel level) {
  switch (level) {
    case LogLevel::kDebug:
      return "debug";
    case LogLevel::kInfo:
      return "info";
    case LogLevel::kWarning:
      return "warning";
    case LogLevel::kError:
      return "error";
  }
  return "unknown";
}

std::string wall_time() {
  timespec now{};
  clock_gettime(CLOCK_REALTIME, &now);
  tm utc{};
  gmtime_r(&now.tv_sec, &utc);
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z", utc.tm_year + 1900, utc.tm_mon + 1,
                     utc.tm_mday, utc.tm_hour, utc.tm_min, utc.tm_sec, now.tv_nsec / 1'000'000);
}

std::string value_text(std::string_view value) {
  const bool is_plain = !value.empty() && std::all_of(value.begin(), value.end(), [](char c) {
    return c > ' ' && c < 0x7f && c != '"' && c != '\\' && c != '=';
  });
  return is_plain ? std::string(value) : '"' + escaped(value) + '"';
}

void to_stderr(std::string_view line) {
  const ssize_t written = write(STDERR_FILENO, line.data(), line.size());
  static_cast<void>(written);  // nobody left to tell
}

}  // namespace

std::string escaped(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (c == '\n') {
      out += "\\n";
    } else if (byte < 0x20 || byte == 0x7f) {
      out += fmt::format("\\x{:02x}", byte);
    } else {
      out += c;
    }
  }
  return out;
}

Log::Log(LogLevel level) : Log(level, to_stderr) {}

void Log::write(LogLevel level, std::string_view event, std::initializer_list<LogField> fields) {
  emit(level, event, fields, 0);
}

void Log::write_limited(LogLevel level, std::string_view event, std::string_view subject,
                        std::initializer_list<LogField> fields, TimePoint now) {
  const std::string key = fmt::format("{} {}", event, subject);
  const auto found = held_.find(key);
  if (found != held_.end() && now - found->second.last < kQuietTime) {
    ++found->second.lines;
    return;
  }
  const std::uint64_t repeated = found == held_.end() ? 0 : found->second.lines;
  if (held_.size() >= kMaxSubjects) held_.clear();
  held_[key] = {now, 0};
  emit(level, event, fields, repeated);
}

void Log::emit(LogLevel level, std::string_view event, std::initializer_list<LogField> fields,
               std::uint64_t repeated) {
  if (level < level_) return;
  std::string line = fmt::format("time={} level={} event={}", wall_time(), name_of(level), event);
  for (const LogField& item : fields) line += fmt::format(" {}={}", item.key, value_text(item.value));
  if (repeated > 0) line += fmt::format(" repeated={}", repeated);
  line += '\n';
  sink_(line);
}

}  // namespace shmring::flusher
