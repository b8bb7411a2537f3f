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
  std::uint64_t attempted() const noexcept { return written + dropped_total(); }
};

enum class Closing : std::uint8_t {
  kCloses,    // both sides are equal
  kOpen,      // they are not, and nothing moved while we counted: damage, or a bug
  kInMotion,  // somebody wrote while we counted: no two equal passes
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
  std::uint64_t oldest_opened_ns = 0;  // CLOCK_BOOTTIME of the oldest block with something pending; 0: nothing is
};

/// Walks all descriptors and blocks until two passes agree (at most `passes`). Works on a read-only mapping, with no flusher running, on a
/// damaged ring.
Accounting account(const RingFile& ring, unsigned passes = 8);

}  // namespace shmring
