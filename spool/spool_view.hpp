// SPDX-License-Identifier: Apache-2.0
// The spool as tools see it: its size and its books, read while a flusher may be writing.
#pragma once

#include <array>
#include <filesystem>
#include <vector>

#include "shmring/result.hpp"
#include "spool/spool_file.hpp"

namespace shmring::spool {

/// Of one ring and signal.
struct SpoolTotals {
  std::uint64_t taken = 0;
  std::uint64_t accepted = 0;
  std::uint64_t rejected = 0;
  std::uint64_t dead_lettered = 0;
  std::uint64_t spool_evicted = 0;
  std::uint64_t corrupt = 0;
  std::uint64_t pending = 0;  // counted row by row, never by subtraction

  /// S1.
  bool closes() const noexcept {
    return taken == accepted + rejected + dead_lettered + spool_evicted + corrupt + pending;
  }
  bool operator==(const SpoolTotals&) const = default;
};

/// All at one instant.
struct SpoolView {
  std::array<SpoolTotals, kSignalCount> totals;
  std::vector<HandedPiece> handed;  // of this ring, maybe not acknowledged there yet
  std::vector<LaneRows> lanes;      // of all rings
  SpoolSize size;
};

Result<SpoolView> view_spool(const std::filesystem::path& folder, const RingId& ring);

}  // namespace shmring::spool
