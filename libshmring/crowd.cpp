// SPDX-License-Identifier: Apache-2.0
// Whether most blocks are held by threads that do not fill them.
#include "libshmring/crowd.hpp"

#include "libshmring/liveness.hpp"

namespace shmring {
namespace {

constexpr std::uint64_t kLookAgainNs = 10'000'000;  // or earlier, when many blocks were claimed since

/// More than half of all blocks are OPEN, of owners that live. What waits for the flusher is SEALED: a ring that is full because
/// nobody drains it is not crowded.
bool most_are_held(const RingFile& ring) noexcept {
  const std::uint32_t half = ring.geometry().block_count / 2;
  std::uint32_t held = 0;
  for (const BlockDescriptor& descriptor : ring.descriptors()) {
    const StateWord state = StateWord::unpack(descriptor.state.load(std::memory_order_acquire));  // P3
    if (state.state != BlockState::kOpen || state.writer >= ring.geometry().writer_count) continue;
    if (!owner_gone(ring.slots()[state.writer], state) && ++held > half) return true;
  }
  return false;
}

}  // namespace

[[gnu::hot]] bool Crowd::is_roomy(const RingFile& ring) noexcept {
  const std::uint32_t free =
      ring.header().free_blocks.load(std::memory_order_relaxed);  // relaxed: an estimate
  // An estimate that ran below zero is larger than the ring.
  return free <= ring.geometry().block_count && free >= ring.geometry().block_count / 4;
}

Room Crowd::room(const RingFile& ring, std::uint64_t now) noexcept {
  if (is_roomy(ring)) return Room::kForAll;
  const std::uint32_t total = ring.geometry().block_count;
  const std::uint32_t free =
      ring.header().free_blocks.load(std::memory_order_relaxed);  // relaxed: an estimate
  // relaxed, all of them: who reads a mixture of two looks decides as somebody does who looked a moment ago
  const std::uint64_t looked = looked_ns_.load(std::memory_order_relaxed);  // relaxed: as above
  const bool many_claimed =
      free_then_.load(std::memory_order_relaxed) - free > total / 64;  // relaxed: as above
  if (looked == 0 || now - looked > kLookAgainNs || many_claimed) {
    was_crowded_.store(most_are_held(ring), std::memory_order_relaxed);  // relaxed: as above
    free_then_.store(free, std::memory_order_relaxed);                   // relaxed: as above
    looked_ns_.store(now, std::memory_order_relaxed);                    // relaxed: as above
  }
  if (!was_crowded_.load(std::memory_order_relaxed)) return Room::kForAll;  // relaxed: as above
  return free > total || free < total / 8 ? Room::kForNobody : Room::kForTheBusy;
}

}  // namespace shmring
