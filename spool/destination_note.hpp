// SPDX-License-Identifier: Apache-2.0
// What each destination took and refused, noted beside the ring by the flusher that serves it, so that tools find it by the ring's
// path alone. For people: the ring's own books do not depend on it.
#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "libshmring/ring_file.hpp"
#include "shmring/result.hpp"
#include "shmring/signal.hpp"

namespace shmring::spool {

/// Times are Unix time in milliseconds, by the clock of the wall.
struct LaneBooks {
  std::uint64_t accepted = 0;
  std::uint64_t rejected = 0;
  std::uint64_t dead_lettered = 0;
  std::int64_t last_success_ms = 0;  // 0: never

  bool operator==(const LaneBooks&) const = default;
};

struct DestinationError {
  std::string text;  // may hold the destination's words
  Signal signal = Signal::kLogs;
  std::int64_t at_ms = 0;

  bool operator==(const DestinationError&) const = default;
};

/// Since the ring was made, but for what a flusher that was killed had not noted yet (a second's). A batch that was sent again because
/// nobody knew whether it had arrived is counted as often as it was answered.
struct DestinationBooks {
  std::string name;
  std::array<LaneBooks, kSignalCount> lanes{};  // by signal
  std::optional<DestinationError> last_error = {};

  LaneBooks total() const;
  bool operator==(const DestinationBooks&) const = default;
};

/// DIR/.NAME.destinations for the ring DIR/NAME. JSON: readers leave out what they do not know, and take 0 for what is not there.
std::filesystem::path destinations_path(const std::filesystem::path& ring);

/// In place of what was noted before: who reads it meanwhile sees the one or the other.
Result<void> note_destinations(const RingFile& ring, const std::vector<DestinationBooks>& books);

/// Empty: nothing was noted for this ring, or it cannot be read.
std::vector<DestinationBooks> destinations_of(const RingFile& ring);

}  // namespace shmring::spool
