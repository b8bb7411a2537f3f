// SPDX-License-Identifier: Apache-2.0
// What each destination took and refused, and its last error, from one flusher to the next: for `shmring status` and the metrics.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "flusher/exporter.hpp"
#include "flusher/schedule.hpp"
#include "libshmring/ring_file.hpp"
#include "shmring/result.hpp"
#include "spool/destination_note.hpp"

namespace shmring::flusher {

class DestinationLedger {
 public:
  static constexpr std::size_t kLongestError = 200;  // bytes

  /// Goes on with what was noted for that ring, for destinations of these names; others' books stay as they are.
  void begin(const RingFile& ring, const std::vector<std::string>& names);

  /// A batch has its outcome.
  void on_settled(const std::string& destination, Signal signal, std::uint64_t records,
                  const SendResult& result);
  /// An attempt ended.
  void on_attempt_ended(const std::string& destination, Signal signal, const SendResult& result);

  /// Notes it beside the ring, if something has changed; at most once a second.
  Result<void> note(const RingFile& ring, TimePoint now = Clock::now());
  /// The same at the end: at once.
  Result<void> note_now(const RingFile& ring);

  const std::vector<spool::DestinationBooks>& books() const noexcept { return books_; }

 private:
  spool::DestinationBooks& of(const std::string& name);

  std::vector<spool::DestinationBooks> books_;
  TimePoint next_note_{};
  bool has_changed_ = false;
};

/// Of a batch of so many records, by fate.
struct Settled {
  std::uint64_t accepted = 0;
  std::uint64_t rejected = 0;
  std::uint64_t dead_lettered = 0;
};
Settled settled(std::uint64_t records, const SendResult& result);

}  // namespace shmring::flusher
