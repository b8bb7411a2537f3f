// SPDX-License-Identifier: Apache-2.0
// Threads that hold blocks and do not fill them. A thread keeps its block until it is full, so thousands that emit once in a while
// could hold all of them, and who comes later would get none, with every record exported (R21).
//
// So where most blocks are held and it gets tight, a thread that holds none of its signal seals the block that it was given as soon as
// its record is committed, and the flusher frees it: what is left of the ring goes round, at a claim for each record. While more
// than an eighth is left, only the first record of a burst is treated like that. Who holds a block goes on as ever: for the full one
// that it gives it takes one.
#pragma once

#include <atomic>
#include <cstdint>

#include "libshmring/ring_file.hpp"

namespace shmring {

/// Who may keep a block that it was given, when it held none.
enum class Room : std::uint8_t { kForAll, kForTheBusy, kForNobody };

/// What a process remembers of its last look at all blocks. Only that: a look at 2048 blocks takes some ten microseconds.
class Crowd {
 public:
  /// Whether the header's estimate says that there is room for all; then nothing else needs to be asked, the time included.
  static bool is_roomy(const RingFile& ring) noexcept;

  /// `now`: CLOCK_MONOTONIC, in nanoseconds. Thread-safe, async-signal-safe.
  Room room(const RingFile& ring, std::uint64_t now) noexcept;

 private:
  std::atomic<std::uint64_t> looked_ns_{0};  // CLOCK_MONOTONIC; 0: never
  std::atomic<std::uint32_t> free_then_{0};  // blocks
  std::atomic<bool> was_crowded_{false};
};

}  // namespace shmring
