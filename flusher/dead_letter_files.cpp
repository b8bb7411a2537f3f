// SPDX-License-Identifier: Apache-2.0
// The dead-letter store.

#include "flusher/dead_letter_files.hpp"

#include <fcntl.h>
#include <fmt/chrono.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>
#include <span>
#include <utility>

#include "flusher/grpc_text.hpp"
#include "libshmring/otlp/json.hpp"
#include "libshmring/otlp/json_text.hpp"

namespace shmring::flusher {
namespace {

using Json = nlohmann::ordered_json;

std::uint64_t unix_ms() {
  return static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::milliseconds>(
                                        std::chrono::system_clock::now().time_since_epoch())
                                        .count());
}

std::string text_of(const DeadLetter& letter, std::uint64_t time_ms) {
  const auto bytes = std::as_bytes(std::span(letter.request));
  std::string otlp;
  otlp::append_request_json(letter.signal, bytes, otlp);
  std::string base64;
  otlp::append_json_base64(bytes, base64);
  const auto quoted = [](std::string_view text) {
    return Json(std::string(text)).dump(-1, ' ', false, Json::error_handler_t::replace);
  };
  return fmt::format(
      "{{\"time\":\"{:%Y-%m-%dT%H:%M:%S}Z\",\"signal\":\"{}\",\"destination\":{},\"records\":{},\"reason\":{}"
      ",\n"
      "\"otlp\":{},\n\"request\":{}}}\n",
      fmt::gmtime(static_cast<std::time_t>(time_ms / 1000)), to_string(letter.signal),
      quoted(letter.destination), letter.records, quoted(letter.reason), otlp, base64);
}

/// A name is on the disk when its folder is. Some network file systems know no such request.
bool sync_folder(const std::filesystem::path& folder) {
  const int fd = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return false;
  const bool is_synced = ::fsync(fd) == 0 || errno == EINVAL;
  const int code = errno;
  ::close(fd);
  errno = code;
  return is_synced;
}

/// All of it is on the disk under its name, or nothing is.
bool write_whole(const std::filesystem::path& path, std::string_view text) {
  const std::filesystem::path unfinished = path.string() + ".part";
  const int fd = ::open(unfinished.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (fd < 0) return false;
  bool is_written = true;
  while (is_written && !text.empty()) {
    const ssize_t count = ::write(fd, text.data(), text.size());
    if (count < 0 && errno == EINTR) continue;
    is_written = count > 0;
    if (is_written) text.remove_prefix(static_cast<std::size_t>(count));
  }
  is_written = is_written && ::fdatasync(fd) == 0;
  int code = errno;
  ::close(fd);
  if (is_written && std::rename(unfinished.c_str(), path.c_str()) == 0) {
    if (sync_folder(path.parent_path())) return true;
    code = errno;
    ::unlink(path.c_str());
  } else {
    if (is_written) code = errno;
    ::unlink(unfinished.c_str());
  }
  errno = code;
  return false;
}

}  // namespace

std::vector<std::filesystem::path> dead_letters_in(const std::filesystem::path& folder) {
  std::vector<std::filesystem::path> found;
  std::error_code ignored;
  for (const auto& entry : std::filesystem::directory_iterator(folder, ignored)) {
    if (entry.path().extension() == ".json") found.push_back(entry.path());
  }
  std::sort(found.begin(), found.end());
  return found;
}

Result<StoredLetter> read_dead_letter(const std::filesystem::path& path) {
  std::ifstream file(path);
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  const Json json = Json::parse(text, nullptr, false);
  const auto bad = [&](const char* what) {
    return Error{ErrorCode::kInvalidArgument, fmt::format("{} is no dead letter: {}", path.string(), what)};
  };
  if (!json.is_object()) return bad("no JSON object");
  for (const char* key : {"signal", "destination", "reason", "request"}) {
    if (!json.contains(key) || !json[key].is_string()) return bad("a field is missing");
  }
  if (!json.contains("records") || !json["records"].is_number_unsigned()) return bad("a field is missing");
  auto request = base64_decoded(json["request"].get<std::string>());
  if (!request) return bad("its request is no base64");
  StoredLetter letter{.path = path,
                      .signal = Signal::kLogs,
                      .records = json["records"].get<std::uint64_t>(),
                      .destination = json["destination"].get<std::string>(),
                      .reason = json["reason"].get<std::string>(),
                      .request = std::move(*request)};
  for (std::size_t s = 0; s < kSignalCount; ++s) {
    if (json["signal"].get<std::string>() != to_string(static_cast<Signal>(s))) continue;
    letter.signal = static_cast<Signal>(s);
    return letter;
  }
  return bad("its signal is unknown");
}

Result<std::unique_ptr<DeadLetterFiles>> DeadLetterFiles::open(const std::filesystem::path& folder,
                                                               const DeadLetterLimits& limits, Log& log) {
  struct stat status {};
  if ((::mkdir(folder.c_str(), 0700) != 0 && errno != EEXIST) || ::stat(folder.c_str(), &status) != 0) {
    return Error{
        ErrorCode::kSystem,
        fmt::format(
            "cannot make the folder {}: {}; make the folder above it, or give --dead-letter another one",
            folder.string(), std::strerror(errno))};
  }
  if (!S_ISDIR(status.st_mode) || ::access(folder.c_str(), R_OK | W_OK | X_OK) != 0) {
    return Error{
        ErrorCode::kPermission,
        folder.string() + " is no folder that this user may write to; give --dead-letter another one"};
  }
  std::unique_ptr<DeadLetterFiles> store(new DeadLetterFiles(folder, limits, log));
  for (const auto& path : dead_letters_in(folder)) {
    store->known_.push_back(known_from(path));
    store->bytes_ += store->known_.back().bytes;
  }
  return store;
}

DeadLetterFiles::Known DeadLetterFiles::known_from(const std::filesystem::path& path) {
  Known known{.path = path};
  unsigned long long time = 0;
  unsigned long long number = 0;
  unsigned long long records = 0;
  if (std::sscanf(path.filename().c_str(), "%llu-%llu-%llu-", &time, &number, &records) == 3) {
    known.unix_ms = time;
    known.records = records;
  }
  std::error_code ignored;
  known.bytes = std::filesystem::file_size(path, ignored);
  if (ignored) known.bytes = 0;
  return known;
}

bool DeadLetterFiles::keep(const DeadLetter& letter) {
  const std::uint64_t now = unix_ms();
  const std::string text = text_of(letter, now);
  if (text.size() > limits_.bytes) return false;
  while (!known_.empty() && bytes_ + text.size() > limits_.bytes) drop_oldest("no room");
  const std::filesystem::path path = folder_ / fmt::format("{:013}-{:08}-{}-{}.json", now, ++number_,
                                                           letter.records, to_string(letter.signal));
  if (!write_whole(path, text)) {
    log_.write_limited(LogLevel::kError, "dead_letter_not_kept", "",
                       {field("file", path.string()), field("reason", std::strerror(errno)),
                        field("counted_as", "rejected")});
    return false;
  }
  known_.push_back({.path = path, .bytes = text.size(), .records = letter.records, .unix_ms = now});
  bytes_ += text.size();
  return true;
}

bool DeadLetterFiles::is_too_old(const Known& known) const {
  const auto age =
      static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::milliseconds>(limits_.age).count());
  return known.unix_ms + age < unix_ms();
}

void DeadLetterFiles::tick() {
  while (!known_.empty() && is_too_old(known_.front())) drop_oldest("too old");
}

void DeadLetterFiles::drop_oldest(const char* why) {
  const Known oldest = known_.front();
  known_.pop_front();
  bytes_ -= oldest.bytes;
  std::error_code ignored;
  if (!std::filesystem::remove(oldest.path, ignored)) return;  // somebody else did
  dropped_records_ += oldest.records;
  log_.write_limited(
      LogLevel::kWarning, "dead_letter_dropped", why,
      {field("why", why), field("records", oldest.records), field("in_all", dropped_records_)});
}

}  // namespace shmring::flusher
