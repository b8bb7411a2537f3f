// SPDX-License-Identifier: Apache-2.0
// The fate of every record that was ever attempted, read from the ring alone, by anyone, at any time.
#pragma once

#include <array>
#include <cstdint>

#include "libshmring/ring_file.hpp"
#include "shmring/layout.hpp"

namespace shmring {

struct SignalAccounting {
  std::uint64_t written = 0;
  std::array<std::uint64_t, kDropCauseCount> dropped{};
  std::array<std::uint64_t, kOutcomeCount> outcomes{};
  std::uint64_t pending = 0;  // counted by walking the blocks, never by subtraction
  std::uint64_t duplicates_possible = 0;

  std::uint64_t dropped_total() const noexcept;
  /// What the written records are accounted for: every outcome, and what is still there.
  std::uint64_t fates() const noexcept;
  std::uint64_t attempted() const noexcept { return written + dropped_total(); }
};

enum class Closing : std::uint8_t {
  kCloses,    // in every block, what was written is what is accounted for
  kOpen,      // in some block it is not: damage, or a bug
  kInMotion,  // some block changed so fast that no consistent look at it was had; figures are approximate
};

struct BlockCensus {
  std::uint32_t total = 0;
  std::uint32_t free = 0;
  std::uint32_t open = 0;
  std::uint32_t sealed = 0;   // EVICT and CONT blocks count here
  std::uint32_t unknown = 0;  // a state word that no code of ours writes
  std::uint32_t pinned = 0;
};

struct Accounting {
  std::array<SignalAccounting, kSignalCount> signals;
  SignalAccounting total;
  BlockCensus blocks;
  Closing closing = Closing::kInMotion;
  std::uint64_t oldest_opened_ns =
      0;  // CLOCK_BOOTTIME of the oldest block with something pending; 0: nothing is
};

/// Looks at each block until it holds still (at most `attempts` times). Every block closes by itself at every instant, so the sum is exact
/// also while others write. Works on a read-only mapping, with no flusher running, on a damaged ring.
Accounting account(const RingFile& ring, unsigned attempts = 64);

}  // namespace shmring
