// SPDX-License-Identifier: Apache-2.0
// An ordinary block for a writer: adopted, free, or evicted (DESIGN 3.1, R9, R12); and its end, the seal.
#include "libshmring/claim.hpp"

#include <algorithm>
#include <optional>

#include "libshmring/evict.hpp"
#include "libshmring/liveness.hpp"
#include "libshmring/map_ahead.hpp"
#include "libshmring/system.hpp"

namespace shmring {
namespace {

std::atomic<std::uint32_t>& next_block(const RingCore& ring, const WriterState& state) noexcept {
  const std::uint32_t total = ring.file().geometry().block_count;
  return ring.header().next_block[state.slot_index % (total / stretch_blocks(total)) % kStretches].hint;
}

/// A long-lived process has most of the ring in its page table.
void map_if_new(const WriterState& state, const void* begin, std::size_t bytes) noexcept {
  if (state.is_new) map_ahead(begin, bytes);
}

/// A block that is ours but cannot be used: the flusher finds out what is wrong with it.
void give_up(BlockDescriptor& descriptor, StateWord mine) noexcept {
  std::uint64_t word = mine.pack();
  mine.state = BlockState::kSealed;
  // A failed CAS: somebody pinned it or took it away meanwhile; the flusher seals it when this thread is gone.
  descriptor.state.compare_exchange_strong(word, mine.pack(), std::memory_order_acq_rel);  // P3
}

/// FREE -> OPEN(me). What if we die right after the CAS? The word names us: an orphan without records, to be adopted or recycled.
OpenBlock claim_free(RingCore& ring, WriterState& state, const Wanted& wanted, std::uint32_t index,
                     std::uint64_t word, std::uint64_t ticket) noexcept {
  BlockDescriptor& descriptor = ring.file().descriptors()[index];
  const StateWord mine =
      word_of(state, BlockState::kOpen, wanted.signal, StateWord::unpack(word).block_generation);
  if (!descriptor.state.compare_exchange_strong(word, mine.pack(), std::memory_order_acq_rel))
    return {};  // P2, P3
  stamp(descriptor, ticket);
  count_claimed(ring.header(), 1, ring.file().geometry().block_count);
  return take_over(ring, state, mine, index, wanted, 0);
}

/// Whether the block heads a run that its owner never finished: its neighbours come back when it is recycled, not before.
bool has_conts(const RingCore& ring, std::uint32_t index) noexcept {
  if (index + 1 >= ring.file().geometry().block_count) return false;
  return StateWord::unpack(ring.file().descriptors()[index + 1].state.load(std::memory_order_acquire))
             .state ==  // P3
         BlockState::kCont;
}

/// (OPEN, gone owner, unpinned) -> (OPEN, me), where there is room (R9). It gets a new ticket: what we write to it comes after what we
/// wrote to the block before.
[[gnu::hot]] OpenBlock adopt(RingCore& ring, WriterState& state, const Wanted& wanted, std::uint32_t index,
                             std::uint64_t word, std::optional<std::uint64_t> ticket) noexcept {
  const StateWord owner = StateWord::unpack(word);
  if (owner.state != BlockState::kOpen || owner.pin != Pin::kUnpinned || owner.signal != wanted.signal)
    return {};
  if (owner.writer >= ring.file().geometry().writer_count || !owner_gone(ring.slot(owner.writer), owner))
    return {};
  BlockDescriptor& descriptor = ring.file().descriptors()[index];
  const CommittedWord committed{descriptor.committed.load(std::memory_order_acquire)};  // P1
  if (committed.offset_bytes() + wanted.bytes > ring.file().geometry().block_bytes) return {};
  if (has_conts(ring, index)) return {};
  const StateWord mine = word_of(state, BlockState::kOpen, wanted.signal, owner.block_generation);
  if (!descriptor.state.compare_exchange_strong(word, mine.pack(), std::memory_order_acq_rel))
    return {};  // P3
  descriptor.ticket.store(
      ticket ? *ticket : next_ticket(ring.header()),
      std::memory_order_relaxed);  // relaxed: before the first `committed` of ours, which is a release
  return take_over(ring, state, mine, index, wanted, 0);
}

/// A block that this slot's former holder left open, if it did.
OpenBlock adopt_predecessors(RingCore& ring, WriterState& state, const Wanted& wanted) noexcept {
  for (const auto& hint : ring.slot(state.slot_index).open_block[static_cast<std::size_t>(wanted.signal)]) {
    const std::uint32_t index = hint.load(std::memory_order_relaxed);  // relaxed: a hint; the CAS decides
    if (index == kNoBlock || index > ring.file().geometry().block_count) continue;
    map_if_new(state, &ring.file().descriptors()[index - 1], sizeof(BlockDescriptor));
    const std::uint64_t word =
        ring.file().descriptors()[index - 1].state.load(std::memory_order_acquire);  // P3
    if (const OpenBlock block = adopt(ring, state, wanted, index - 1, word, {}); block.capacity != 0)
      return block;
  }
  return {};
}

/// One scan, from the hint on, looks at every block once (R12).
[[gnu::hot]] OpenBlock scan(RingCore& ring, WriterState& state, const Wanted& wanted) noexcept {
  const std::uint32_t total = ring.file().geometry().block_count;
  const std::uint64_t ticket = next_ticket(ring.header());
  const std::uint32_t start = scan_start(ring, state);
  map_if_new(state, &ring.file().descriptors()[start], sizeof(BlockDescriptor));
  for (std::uint32_t step = 0; step < total; ++step) {
    const std::uint32_t index = start + step < total ? start + step : start + step - total;
    const std::uint64_t word =
        ring.file().descriptors()[index].state.load(std::memory_order_acquire);  // P2, P3
    const OpenBlock block = StateWord::unpack(word).state == BlockState::kFree
                                ? claim_free(ring, state, wanted, index, word, ticket)
                                : adopt(ring, state, wanted, index, word, ticket);
    if (block.capacity == 0) continue;
    // What if we die before this store? The next scan looks at this block once more.
    next_block(ring, state).store(index + 1, std::memory_order_relaxed);  // relaxed: a hint
    return block;
  }
  return {};
}

/// Policy drop-oldest, when there is nothing else (R8).
OpenBlock take_oldest(RingCore& ring, WriterState& state, const Wanted& wanted) noexcept {
  if (!drops_oldest(ring.header())) return {};
  const auto index = evict_oldest(ring, state, wanted.signal);
  if (!index) return {};
  BlockDescriptor& descriptor = ring.file().descriptors()[*index];
  const StateWord mine = StateWord::unpack(descriptor.state.load(std::memory_order_acquire));  // P3
  stamp(descriptor, next_ticket(ring.header()));
  wake_flusher(ring.header());
  return take_over(ring, state, mine, *index, wanted, 0);
}

}  // namespace

[[gnu::hot]] std::uint64_t next_ticket(RingHeader& header) noexcept {
  return header.ticket.fetch_add(1, std::memory_order_acq_rel);  // P14
}

std::uint32_t scan_start(const RingCore& ring, const WriterState& state) noexcept {
  return next_block(ring, state).load(std::memory_order_relaxed) %
         ring.file().geometry().block_count;  // relaxed: a hint
}

[[gnu::hot]] bool owned_by(const StateWord& word, const WriterState& state) noexcept {
  return word.writer == state.slot_index && word.writer_generation == state.slot_generation;
}

// Not inlined: a constant of it would lie on a page of its own kind, which a new process has not read yet.
[[gnu::hot, gnu::noinline]] StateWord word_of(const WriterState& state, BlockState block_state, Signal signal,
                                              std::uint32_t block_generation) noexcept {
  return {.state = block_state,
          .signal = signal,
          .writer = static_cast<std::uint16_t>(state.slot_index),
          .writer_generation = state.slot_generation,
          .block_generation = block_generation};
}

[[gnu::hot]] OpenBlock take_over(RingCore& ring, const WriterState& state, const StateWord& mine,
                                 std::uint32_t index, const Wanted& wanted, std::uint32_t conts) noexcept {
  BlockDescriptor& descriptor = ring.file().descriptors()[index];
  const CommittedWord committed{descriptor.committed.load(std::memory_order_acquire)};  // P1
  const std::uint32_t capacity = std::min(ring.file().geometry().block_bytes * (conts + 1), kLargestRunBytes);
  if (committed.offset_bytes() + wanted.bytes > capacity) return give_up(descriptor, mine), OpenBlock{};
  // Where this slot's next holder finds the block when we are gone. A hint: the adopting CAS decides.
  ring.slot(state.slot_index)
      .open_block[static_cast<std::size_t>(mine.signal)][wanted.level]
      .store(index + 1, std::memory_order_relaxed);  // relaxed: a hint
  OpenBlock block;
  block.base = ring.file().block(index);
  // A fresh block is read before it is written: of a page that is read the kernel maps the 64 KiB around it as well, of one that is
  // written only itself.
  // A new process does not: it may have little to say, and pays for what it uses.
  if (state.is_new) {
    map_ahead(block.base + committed.offset_bytes(), wanted.bytes);
  } else if (committed.offset_bytes() == 0) {
    static_cast<void>(*static_cast<volatile const std::byte*>(block.base));
  }
  block.capacity = capacity;
  block.index = index;
  block.descriptor = &descriptor;
  block.committed = committed;
  block.conts = conts;
  return block;
}

[[gnu::hot]] void stamp(BlockDescriptor& descriptor, std::uint64_t ticket) noexcept {
  descriptor.ticket.store(ticket, std::memory_order_relaxed);            // relaxed: as in adopt()
  descriptor.opened_ns.store(boottime_ns(), std::memory_order_relaxed);  // relaxed: for people
}

[[gnu::hot]] void count_claimed(RingHeader& header, std::uint32_t blocks, std::uint32_t total) noexcept {
  const std::uint32_t before =
      header.free_blocks.fetch_sub(blocks, std::memory_order_relaxed);  // relaxed: an estimate
  // An estimate that ran below zero is larger than the ring.
  if (before > total || before - blocks > total || before - blocks < total / 4) wake_flusher(header);
}

OpenBlock claim_block(RingCore& ring, WriterState& state, const Wanted& wanted) noexcept {
  __builtin_prefetch(&ring.header().ticket, 1);  // another thread's claim had it last
  OpenBlock block = adopt_predecessors(ring, state, wanted);
  if (block.capacity == 0) block = scan(ring, state, wanted);
  if (block.capacity == 0) block = take_oldest(ring, state, wanted);
  return block;
}

void seal_block(const WriterState& state, const OpenBlock& block) noexcept {
  if (block.descriptor == nullptr) return;
  std::uint64_t word = block.descriptor->state.load(std::memory_order_acquire);  // P3
  for (;;) {
    StateWord now = StateWord::unpack(word);
    // Superseded: whoever took it away believed us gone. Leave it alone (R3).
    if (now.state != BlockState::kOpen || !owned_by(now, state)) break;
    now.state = BlockState::kSealed;  // the pin, if there is one, stays
    if (block.descriptor->state.compare_exchange_weak(word, now.pack(), std::memory_order_acq_rel))
      break;  // P3
  }
}

void seal_forgotten(RingCore& ring, const WriterState& state) noexcept {
  const auto is_listed = [&state](const BlockDescriptor& descriptor) {
    for (const WriterLevel& level : state.levels) {
      for (const OpenBlock& block : level.open) {
        if (block.capacity != 0 && block.descriptor == &descriptor) return true;
      }
    }
    return false;
  };
  for (BlockDescriptor& descriptor : ring.file().descriptors()) {
    std::uint64_t word = descriptor.state.load(std::memory_order_acquire);  // P3
    StateWord mine = StateWord::unpack(word);
    while ((mine.state == BlockState::kOpen || mine.state == BlockState::kEvict) && owned_by(mine, state) &&
           !is_listed(descriptor)) {
      // An EVICT block too: an evictor that was torn away left it as a dead one would. CONT blocks go with their head.
      mine.state = BlockState::kSealed;
      if (descriptor.state.compare_exchange_strong(word, mine.pack(), std::memory_order_acq_rel))
        break;  // P3
      mine = StateWord::unpack(word);
    }
  }
}

}  // namespace shmring
