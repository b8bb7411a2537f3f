// SPDX-License-Identifier: Apache-2.0
// What the flusher says: one event a line, key=value.

#include "flusher/log.hpp"

#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <ctime>
#include <span>
#include <utility>

#include "libshmring/otlp/utf8.hpp"

namespace shmring::flusher {
namespace {

constexpr auto kQuietTime = std::chrono::seconds(10);
constexpr std::size_t kLongestValue = 1024;  // bytes, before escaping
constexpr std::size_t kLongestLine = 4096;   // PIPE_BUF: lines of several processes do not mix in a pipe
constexpr std::size_t kMaxSubjects = 1000;   // whatever subjects there are: memory stays bounded

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

std::string wall_time() { return utc_time(std::chrono::system_clock::now()); }

std::string value_text(std::string_view value) {
  if (value.size() > kLongestValue) return '"' + escaped(value.substr(0, kLongestValue)) + "...\"";
  const bool is_plain = !value.empty() && std::all_of(value.begin(), value.end(), [](char c) {
    return c > ' ' && c < 0x7f && c != '"' && c != '\\' && c != '=';
  });
  return is_plain ? std::string(value) : '"' + escaped(value) + '"';
}

/// Who does not read what is said holds up nobody: the line is lost, and counted in the next one that finds room.
void to_stderr(std::string_view line) {
  static std::uint64_t lost = 0;
  pollfd out{.fd = STDERR_FILENO, .events = POLLOUT, .revents = 0};
  if (poll(&out, 1, 0) == 0) {
    ++lost;
    return;
  }
  std::string text;
  if (lost > 0) {
    text = fmt::format("time={} level=warning event=log_lines_lost lines={}\n", wall_time(),
                       std::exchange(lost, 0));
    line = line.substr(0, kLongestLine - text.size());  // a pipe with room has room for so much
  }
  text += line;
  if (text.back() != '\n') text.back() = '\n';
  const ssize_t written = write(STDERR_FILENO, text.data(), text.size());
  static_cast<void>(written);  // nobody left to tell
}

/// Part of a text that can go to a terminal as it is: UTF-8 without control characters (those beyond ASCII included). In bytes; 0: none.
std::size_t plain_length(std::string_view text) {
  const otlp::Utf8Step step = otlp::next_utf8(std::as_bytes(std::span(text)));
  const bool is_control = step.code_point < 0x20 || (step.code_point >= 0x7f && step.code_point < 0xa0);
  return step.is_valid && !is_control ? step.size : 0;
}

}  // namespace

std::string utc_time(std::chrono::system_clock::time_point time) {
  const auto since_epoch = std::chrono::floor<std::chrono::milliseconds>(time.time_since_epoch());
  const auto seconds = std::chrono::floor<std::chrono::seconds>(since_epoch);
  const std::time_t whole = seconds.count();
  tm utc{};
  gmtime_r(&whole, &utc);
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z", utc.tm_year + 1900, utc.tm_mon + 1,
                     utc.tm_mday, utc.tm_hour, utc.tm_min, utc.tm_sec, (since_epoch - seconds).count());
}

std::string escaped(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  while (!text.empty()) {
    const char c = text[0];
    const std::size_t plain = plain_length(text);
    if (c == '"' || c == '\\') out += '\\';
    if (c == '\n') {
      out += "\\n";
    } else if (plain == 0) {
      out += fmt::format("\\x{:02x}", static_cast<unsigned char>(c));
    } else {
      out += text.substr(0, plain);
    }
    text.remove_prefix(std::max<std::size_t>(plain, 1));
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
  line.resize(std::min(line.size(), kLongestLine - 1));
  line += '\n';
  sink_(line);
}

}  // namespace shmring::flusher
