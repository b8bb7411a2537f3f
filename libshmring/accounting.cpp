// SPDX-License-Identifier: Apache-2.0
// The fate of every record: block by block, each at an instant of its own, so the sum is exact while others write.
#include "libshmring/accounting.hpp"

#include <algorithm>

#include "libshmring/fence.hpp"
#include "libshmring/outcomes.hpp"
#include "libshmring/record_walk.hpp"
#include "libshmring/recycle.hpp"

namespace shmring {
namespace {

/// One block at one instant: `exported` did not move while its outcomes were read and what lies behind it was walked, and
/// what lies below `committed` never changes within a life.
struct BlockSnapshot {
  StateWord state;
  ExportedWord exported;
  CommittedWord committed;
  std::uint64_t outcomes[kSignalCount][kOutcomeCount] = {};
  std::uint64_t pending = 0;
};

std::uint64_t walk_pending(const RingFile& ring, std::uint32_t index, const BlockSnapshot& block) {
  const std::uint32_t end = std::min(block.committed.offset_bytes(), reach(ring, index));
  const std::span<const std::byte> bytes(ring.block(index), end);
  return count_records(bytes, block.exported.offset_bytes, block.state.signal);
}

bool take_snapshot(const RingFile& ring, std::uint32_t index, unsigned attempts, BlockSnapshot& block) {
  const BlockDescriptor& d = ring.descriptors()[index];
  for (unsigned attempt = 0; attempt < attempts; ++attempt) {
    const std::uint64_t state = d.state.load(std::memory_order_acquire);        // P3
    const std::uint64_t exported = d.exported.load(std::memory_order_acquire);  // P4
    block.committed = {d.committed.load(std::memory_order_acquire)};            // P1
    block.state = StateWord::unpack(state);
    block.exported = ExportedWord::unpack(exported);
    for (std::size_t s = 0; s < kSignalCount; ++s) {
      for (std::size_t o = 0; o < kOutcomeCount; ++o) {
        const std::uint64_t cell =
            d.outcomes[block.exported.set][s][o].load(std::memory_order_acquire);  // P13
        block.outcomes[s][o] = OutcomeCell::unpack(cell).records;
      }
    }
    const bool walkable = block.state.state == BlockState::kOpen ||
                          block.state.state == BlockState::kSealed || block.state.state == BlockState::kEvict;
    block.pending = walkable ? walk_pending(ring, index, block) : 0;
    loads_before_loads();
    const StateWord after = StateWord::unpack(d.state.load(std::memory_order_acquire));  // P3
    // A pin and a seal change nothing that was counted here; another life, or a free block claimed meanwhile, does.
    const bool same_life =
        after.block_generation == block.state.block_generation &&
        (after.state == block.state.state || (walkable && after.state == BlockState::kSealed));
    if (same_life && d.exported.load(std::memory_order_acquire) == exported) return true;  // P4
  }
  return false;
}

void count_block(const StateWord& state, BlockCensus& census) {
  ++census.total;
  if (state.pin != Pin::kUnpinned) ++census.pinned;
  switch (state.state) {
    case BlockState::kFree:
      ++census.free;
      return;
    case BlockState::kOpen:
      ++census.open;
      return;
    case BlockState::kSealed:
    case BlockState::kCont:
    case BlockState::kEvict:
      ++census.sealed;
      return;
  }
  ++census.unknown;
}

/// Adds a block. Returns whether it closes: what was written is what was exported, outcome by outcome, and what is there.
bool add_block(const BlockSnapshot& block, Accounting& accounting) {
  const auto current = std::min<std::size_t>(static_cast<std::size_t>(block.state.signal), kSignalCount - 1);
  std::uint64_t fates = 0;
  for (std::size_t s = 0; s < kSignalCount; ++s) {
    SignalAccounting& signal = accounting.signals[s];
    for (std::size_t o = 0; o < kOutcomeCount; ++o) {
      signal.outcomes[o] += block.outcomes[s][o];
      signal.written += block.outcomes[s][o];
      fates += block.outcomes[s][o];
    }
  }
  // Which signal a record of an earlier life had is known by its outcome alone; the rest is of this life's signal.
  const std::uint64_t rest = (block.committed.count() - fates) & kCountMask;
  const bool negative = rest > kCountMask / 2;
  accounting.signals[current].written += negative ? rest - (kCountMask + 1) : rest;
  accounting.signals[current].pending += block.pending;
  return rest == block.pending && (block.exported.count & kCountMask) == (fates & kCountMask);
}

void add_drops(const std::atomic<std::uint64_t> (&dropped)[kSignalCount][kDropCells],
               Accounting& accounting) {
  for (std::size_t s = 0; s < kSignalCount; ++s) {
    for (std::size_t c = 0; c < kDropCauseCount; ++c) {
      accounting.signals[s].dropped[c] +=
          dropped[s][c].load(std::memory_order_relaxed);  // relaxed: counts of their own
    }
  }
}

void add_up(Accounting& accounting) {
  for (const SignalAccounting& signal : accounting.signals) {
    accounting.total.written += signal.written;
    accounting.total.pending += signal.pending;
    accounting.total.duplicates_possible += signal.duplicates_possible;
    for (std::size_t c = 0; c < kDropCauseCount; ++c) accounting.total.dropped[c] += signal.dropped[c];
    for (std::size_t o = 0; o < kOutcomeCount; ++o) accounting.total.outcomes[o] += signal.outcomes[o];
  }
}

}  // namespace

std::uint64_t SignalAccounting::dropped_total() const noexcept {
  std::uint64_t sum = 0;
  for (const std::uint64_t count : dropped) sum += count;
  return sum;
}

std::uint64_t SignalAccounting::fates() const noexcept {
  std::uint64_t sum = pending;
  for (const std::uint64_t count : outcomes) sum += count;
  return sum;
}

Accounting account(const RingFile& ring, unsigned attempts) {
  Accounting accounting;
  bool closes = true;
  bool still = true;
  for (std::uint32_t index = 0; index < ring.geometry().block_count; ++index) {
    BlockSnapshot block;
    const bool stable = take_snapshot(ring, index, attempts, block);
    still = still && stable;
    count_block(block.state, accounting.blocks);
    closes = add_block(block, accounting) && closes;
    if (block.pending == 0) continue;
    const std::uint64_t opened =
        ring.descriptors()[index].opened_ns.load(std::memory_order_relaxed);  // relaxed: for people
    if (accounting.oldest_opened_ns == 0 || opened < accounting.oldest_opened_ns)
      accounting.oldest_opened_ns = opened;
  }
  add_drops(ring.header().dropped, accounting);
  for (const WriterSlot& slot : ring.slots()) add_drops(slot.dropped, accounting);
  for (std::size_t s = 0; s < kSignalCount; ++s) {
    accounting.signals[s].duplicates_possible =
        ring.header().duplicates_possible[s].load(std::memory_order_relaxed);  // relaxed: a count of its own
  }
  add_up(accounting);
  closes = closes && accounting.blocks.unknown == 0;
  accounting.closing = closes ? Closing::kCloses : still ? Closing::kOpen : Closing::kInMotion;
  return accounting;
}

}  // namespace shmring
