// SPDX-License-Identifier: Apache-2.0
// The dead-letter store: a folder of files, one for each refused request, that people can read and that can be sent again.
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "flusher/dead_letters.hpp"
#include "flusher/log.hpp"
#include "shmring/result.hpp"

namespace shmring::flusher {

struct DeadLetterLimits {
  std::uint64_t bytes = std::uint64_t{256} << 20U;
  std::chrono::microseconds age = std::chrono::hours(720);
};

/// One of them, read back.
struct StoredLetter {
  std::filesystem::path path;
  Signal signal = Signal::kLogs;
  std::uint64_t records = 0;
  std::string destination;
  std::string reason;
  std::string request;
};

/// Files are named TIME-NUMBER-RECORDS-SIGNAL.json, so that they sort by age. Each holds one JSON object: time, signal, destination,
/// records, reason, the request as OTLP JSON for people ("otlp") and as it was sent ("request", base64 of the protobuf). Mode 0600.
class DeadLetterFiles final : public DeadLetters {
 public:
  /// Makes the folder (0700).
  static Result<std::unique_ptr<DeadLetterFiles>> open(const std::filesystem::path& folder,
                                                       const DeadLetterLimits& limits, Log& log);

  /// On the disk before it returns. Makes room by dropping the oldest.
  bool keep(const DeadLetter& letter) override;

  /// Drops what is too old.
  void tick();

  /// Dropped so far, for lack of room or for their age. They stay counted as dead-lettered.
  std::uint64_t dropped_records() const noexcept { return dropped_records_; }

 private:
  struct Known {
    std::filesystem::path path;
    std::uint64_t bytes = 0;
    std::uint64_t records = 0;
    std::uint64_t unix_ms = 0;
  };

  DeadLetterFiles(std::filesystem::path folder, const DeadLetterLimits& limits, Log& log)
      : folder_(std::move(folder)), limits_(limits), log_(log) {}
  void drop_oldest(const char* why);
  bool is_too_old(const Known& known) const;
  static Known known_from(const std::filesystem::path& path);

  std::filesystem::path folder_;
  DeadLetterLimits limits_;
  Log& log_;
  std::deque<Known> known_;  // oldest first
  std::uint64_t bytes_ = 0;
  std::uint64_t number_ = 0;
  std::uint64_t dropped_records_ = 0;
};

/// The letters of a folder, oldest first.
std::vector<std::filesystem::path> dead_letters_in(const std::filesystem::path& folder);
Result<StoredLetter> read_dead_letter(const std::filesystem::path& path);

}  // namespace shmring::flusher
