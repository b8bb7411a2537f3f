// SPDX-License-Identifier: Apache-2.0
// How a writer gets blocks, and gives them away: an ordinary one for small records, a run of neighbours for a large one.
#pragma once

#include <cstddef>
#include <cstdint>

#include "libshmring/ring_core.hpp"

namespace shmring {

/// What a claim asks for.
struct Wanted {
  Signal signal = Signal::kLogs;
  std::size_t bytes = 0;    // of all records that go into the block at once, the resource included
  std::uint32_t level = 0;  // of nesting: whose hint is updated
};

/// The state word's owner is `state`'s thread.
bool owned_by(const StateWord& word, const WriterState& state) noexcept;
/// (state, owned by `state`'s thread), in the given life.
StateWord word_of(const WriterState& state, BlockState block_state, Signal signal,
                  std::uint32_t block_generation) noexcept;

/// A block with room for what is wanted: one that a thread that is gone left open (R9), a FREE one, or, with policy drop-oldest, the oldest.
/// nullopt-like: `block.capacity` is 0 when the ring is full. Nothing has been appended to it yet.
[[gnu::hot]] OpenBlock claim_block(RingCore& ring, WriterState& state, const Wanted& wanted) noexcept;

/// The same for more than a block can hold: a head and as many neighbours to its right as it takes (R10).
OpenBlock claim_run(RingCore& ring, WriterState& state, const Wanted& wanted) noexcept;

/// What a thread remembers of a block (or run) that is now its own, as `mine` says. The offset was read from shared memory: it is bounded
/// here. capacity 0: its words cannot be right; it was given to the flusher, who finds out.
OpenBlock take_over(RingCore& ring, const WriterState& state, const StateWord& mine, std::uint32_t index,
                    const Wanted& wanted, std::uint32_t conts) noexcept;

/// The order of openings: a thread's later block has a later ticket.
std::uint64_t next_ticket(RingHeader& header) noexcept;
/// Where a scan for a block begins: behind the last one that was found from the writer's stretch, or at the lowest of it that was
/// recycled since.
std::uint32_t scan_start(const RingCore& ring, const WriterState& state) noexcept;
/// A fresh block's ticket and time.
void stamp(BlockDescriptor& descriptor, std::uint64_t ticket) noexcept;
/// Lowers the estimate of free blocks, and wakes the flusher when few are left.
void count_claimed(RingHeader& header, std::uint32_t blocks, std::uint32_t total) noexcept;

/// Gives a block of this writer away to the flusher.
void seal_block(const WriterState& state, const OpenBlock& block) noexcept;

/// Seals what bears this thread's name and is in none of its lists: an emit that was left in the middle of a claim forgot it (R20).
void seal_forgotten(RingCore& ring, const WriterState& state) noexcept;

/// Appends the process's resource, published and not counted. REQUIRES: it fits.
void append_resource(const RingCore& ring, OpenBlock& block, std::uint32_t pid) noexcept;
/// Likewise a scope.
void declare_scope(const RingCore& ring, OpenBlock& block, ScopeId id) noexcept;
/// Likewise a clock, a new one where the level's latest does not hold for these ticks: from now on ticks mean something in this section.
void append_clock(WriterLevel& level, OpenBlock& block, std::uint64_t ticks) noexcept;

}  // namespace shmring
