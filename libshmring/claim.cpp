// SPDX-License-Identifier: Apache-2.0
// The slow half of the writer: once per block it seals the full one and claims another (DESIGN 3.1, R9, R12).
#include <algorithm>
#include <cstring>
#include <utility>

#include "libshmring/evict.hpp"
#include "libshmring/fork_page.hpp"
#include "libshmring/liveness.hpp"
#include "libshmring/ring_core.hpp"
#include "libshmring/system.hpp"

namespace shmring {
namespace {

/// What a claim asks for.
struct Wanted {
  Signal signal = Signal::kLogs;
  std::size_t bytes = 0;  // of all records that go into the block at once, the resource included
};

StateWord owned_by(const WriterState& state, Signal signal, std::uint32_t block_generation) noexcept {
  return {.state = BlockState::kOpen,
          .signal = signal,
          .writer = static_cast<std::uint16_t>(state.slot_index),
          .writer_generation = state.slot_generation,
          .block_generation = block_generation};
}

/// A block that is ours but cannot be used: the flusher finds out what is wrong with it.
void give_up(BlockDescriptor& descriptor, StateWord mine) noexcept {
  std::uint64_t word = mine.pack();
  mine.state = BlockState::kSealed;
  // A failed CAS: somebody pinned it or took it away meanwhile; the flusher seals it when this thread is gone.
  descriptor.state.compare_exchange_strong(word, mine.pack(), std::memory_order_acq_rel);  // P3
}

/// What the thread remembers of a block that is now its own. The offset was read from shared memory: it is bounded here.
bool take_over(RingCore& ring, WriterState& state, const StateWord& mine, std::uint32_t index,
               std::size_t bytes) noexcept {
  BlockDescriptor& descriptor = ring.file().descriptors()[index];
  const CommittedWord committed{descriptor.committed.load(std::memory_order_acquire)};  // P1
  const std::uint32_t block_bytes = ring.file().geometry().block_bytes;
  if (committed.offset_bytes() + bytes > block_bytes) return give_up(descriptor, mine), false;
  OpenBlock& block = state.open[static_cast<std::size_t>(mine.signal)];
  block = OpenBlock{};
  block.next = ring.file().block(index) + committed.offset_bytes();
  const std::size_t left = block_bytes - committed.offset_bytes();
  block.room = left > sizeof(RecordHeader) ? left - sizeof(RecordHeader) + 1 : 0;
  block.descriptor = &descriptor;
  block.committed = committed;
  block.index = index;
  // Where this slot's next holder finds the block when we are gone. A hint: the adopting CAS decides.
  ring.slot(state.slot_index)
      .open_block[static_cast<std::size_t>(mine.signal)][0]
      .store(index + 1, std::memory_order_relaxed);  // relaxed: a hint
  return true;
}

/// Appends a resource or scope record: published, not counted. REQUIRES: it fits.
void append_context(OpenBlock& block, RecordKind kind, ScopeId id, std::size_t size) noexcept {
  const RecordHeader header{static_cast<std::uint32_t>(size), static_cast<std::uint8_t>(kind), 0, id.value};
  std::memcpy(block.next, &header, sizeof(header));
  const std::size_t bytes = record_bytes(size);
  block.committed = block.committed.advanced(bytes, 0);
  block.descriptor->committed.store(block.committed.word, std::memory_order_release);  // P1
  block.next += bytes;
  block.room = block.room > bytes ? block.room - bytes : 0;
}

void append_resource(const RingCore& ring, OpenBlock& block, std::uint32_t pid) noexcept {
  const FixedResource& fixed = ring.resource();
  std::byte* payload = block.next + sizeof(RecordHeader);
  std::memcpy(payload, fixed.encoded.data(), fixed.encoded.size());
  const InstanceId instance = process_instance();
  const std::size_t variable = encode_process_resource(payload + fixed.encoded.size(), pid, instance.high,
                                                       instance.low, fixed.has_instance_id);
  append_context(block, RecordKind::kResource, {}, fixed.encoded.size() + variable);
}

void declare_scope(const RingCore& ring, OpenBlock& block, ScopeId id) noexcept {
  const std::string_view encoded = ring.scope(id);
  std::memcpy(block.next + sizeof(RecordHeader), encoded.data(), encoded.size());
  append_context(block, RecordKind::kScope, id, encoded.size());
  if (id.value < 256) {
    block.declared[id.value / 64] |= std::uint64_t{1} << (id.value % 64);
  } else {
    block.declared_large = id.value;
  }
}

/// FREE -> OPEN(me). What if we die right after the CAS? The word names us: an orphan without records, to be adopted or recycled.
bool claim_free(RingCore& ring, WriterState& state, const Wanted& wanted, std::uint32_t index,
                std::uint64_t word, std::uint64_t ticket) noexcept {
  BlockDescriptor& descriptor = ring.file().descriptors()[index];
  const StateWord mine = owned_by(state, wanted.signal, StateWord::unpack(word).block_generation);
  if (!descriptor.state.compare_exchange_strong(word, mine.pack(), std::memory_order_acq_rel))
    return false;                                              // P2, P3
  descriptor.ticket.store(ticket, std::memory_order_relaxed);  // relaxed: an order for the drain, no more
  descriptor.opened_ns.store(boottime_ns(), std::memory_order_relaxed);  // relaxed: for people
  const std::uint32_t before =
      ring.header().free_blocks.fetch_sub(1, std::memory_order_relaxed);  // relaxed: an estimate
  const std::uint32_t total = ring.file().geometry().block_count;
  // An estimate that ran below zero is larger than the ring.
  if (before > total || before <= total / 4) wake_flusher(ring.header());
  return take_over(ring, state, mine, index, wanted.bytes);
}

/// (OPEN, gone owner, unpinned) -> (OPEN, me), where there is room (R9).
bool adopt(RingCore& ring, WriterState& state, const Wanted& wanted, std::uint32_t index,
           std::uint64_t word) noexcept {
  const StateWord owner = StateWord::unpack(word);
  if (owner.state != BlockState::kOpen || owner.pin != Pin::kUnpinned || owner.signal != wanted.signal) {
    return false;
  }
  if (owner.writer >= ring.file().geometry().writer_count || !owner_gone(ring.slot(owner.writer), owner))
    return false;
  BlockDescriptor& descriptor = ring.file().descriptors()[index];
  const CommittedWord committed{descriptor.committed.load(std::memory_order_acquire)};  // P1
  if (committed.offset_bytes() + wanted.bytes > ring.file().geometry().block_bytes) return false;
  const StateWord mine = owned_by(state, wanted.signal, owner.block_generation);
  if (!descriptor.state.compare_exchange_strong(word, mine.pack(), std::memory_order_acq_rel))
    return false;  // P3
  return take_over(ring, state, mine, index, wanted.bytes);
}

/// The block that this slot's former holder left open, if it did.
bool adopt_predecessors(RingCore& ring, WriterState& state, const Wanted& wanted) noexcept {
  const std::uint32_t hint = ring.slot(state.slot_index)
                                 .open_block[static_cast<std::size_t>(wanted.signal)][0]
                                 .load(std::memory_order_relaxed);  // relaxed: a hint; the CAS decides
  if (hint == kNoBlock || hint > ring.file().geometry().block_count) return false;
  const std::uint32_t index = hint - 1;
  const std::uint64_t word = ring.file().descriptors()[index].state.load(std::memory_order_acquire);  // P3
  return adopt(ring, state, wanted, index, word);
}

/// One scan, from the ticket on, looks at every block once (R12).
bool scan(RingCore& ring, WriterState& state, const Wanted& wanted) noexcept {
  const std::uint32_t total = ring.file().geometry().block_count;
  const std::uint64_t ticket =
      ring.header().ticket.fetch_add(1, std::memory_order_relaxed);  // relaxed: where to start
  for (std::uint32_t step = 0; step < total; ++step) {
    const auto index = static_cast<std::uint32_t>((ticket + step) % total);
    const std::uint64_t word =
        ring.file().descriptors()[index].state.load(std::memory_order_acquire);  // P2, P3
    const bool won = StateWord::unpack(word).state == BlockState::kFree
                         ? claim_free(ring, state, wanted, index, word, ticket)
                         : adopt(ring, state, wanted, index, word);
    if (won) return true;
  }
  return false;
}

/// Policy drop-oldest, when there is nothing else (R8).
bool evict(RingCore& ring, WriterState& state, const Wanted& wanted) noexcept {
  const std::uint32_t policy = ring.header().on_full.load(std::memory_order_relaxed);  // relaxed: a setting
  if (policy != static_cast<std::uint32_t>(FullPolicy::kDropOldest)) return false;
  const auto index = evict_oldest(ring, state, wanted.signal);
  if (!index) return false;
  BlockDescriptor& descriptor = ring.file().descriptors()[*index];
  const StateWord mine = StateWord::unpack(descriptor.state.load(std::memory_order_acquire));  // P3
  // relaxed: an order for drain and eviction, no more
  descriptor.ticket.store(ring.header().ticket.fetch_add(1, std::memory_order_relaxed),
                          std::memory_order_relaxed);
  descriptor.opened_ns.store(boottime_ns(), std::memory_order_relaxed);  // relaxed: for people
  wake_flusher(ring.header());
  return take_over(ring, state, mine, *index, wanted.bytes);
}

/// A full scan costs some ten microseconds. On a ring that stays full no record pays for it again until a block is freed;
/// an owner's death frees nothing, so orphans to adopt are looked for every now and then.
constexpr std::uint64_t kRescanNs = 1'000'000;
constexpr std::uint64_t kLookForOrphansNs = 5'000'000;  // likewise for a writer that waits

bool known_to_be_full(const FullRing& full, std::uint32_t freed, std::size_t bytes) noexcept {
  return full.until_ns != 0 && full.at_freed == freed && bytes >= full.bytes &&
         monotonic_ns() < full.until_ns;
}

/// Policy block: waits for a freed block, never without an end.
DropCause claim_or_wait(RingCore& ring, WriterState& state, Signal signal, std::size_t bytes,
                        bool& claimed) noexcept {
  RingHeader& header = ring.header();
  FullRing& full = state.full[static_cast<std::size_t>(signal)];
  std::uint64_t deadline = 0;
  for (;;) {
    const std::uint32_t seen = header.freed.load(std::memory_order_acquire);  // P7
    if (!known_to_be_full(full, seen, bytes)) {
      claimed = claim_block(ring, state, signal, bytes);
      if (claimed) return {};
      full = {.at_freed = seen, .until_ns = monotonic_ns() + kRescanNs, .bytes = bytes};
    }
    wake_flusher(header);
    const std::uint32_t policy = header.on_full.load(std::memory_order_relaxed);  // relaxed: a setting
    if (policy != static_cast<std::uint32_t>(FullPolicy::kBlock)) return DropCause::kRingFull;
    const std::uint64_t now = monotonic_ns();
    if (deadline == 0) {
      const std::uint64_t timeout_us = std::min<std::uint64_t>(
          header.block_timeout_us.load(std::memory_order_relaxed), 60'000'000);  // relaxed: a setting
      deadline = now + timeout_us * 1000;
    }
    if (now >= deadline) return DropCause::kBlockTimeout;
    // What if we die while we are counted as waiting? Then every freed block costs its flusher a needless wake.
    // Sequentially consistent, as its counterpart in recycle(): either we see `freed` move, or the other sees us wait.
    header.waiters.fetch_add(1, std::memory_order_seq_cst);  // P7
    futex_wait(header.freed, seen, std::min(deadline - now, kLookForOrphansNs));
    header.waiters.fetch_sub(1, std::memory_order_relaxed);  // relaxed: an error on the safe side
  }
}

}  // namespace

void wake_flusher(RingHeader& header) noexcept {
  if (header.wake.load(std::memory_order_relaxed) != 0) return;  // relaxed: somebody has asked already
  if (header.wake.exchange(1, std::memory_order_release) == 0) futex_wake_all(header.wake);  // P8
}

bool claim_block(RingCore& ring, WriterState& state, Signal signal, std::size_t bytes) noexcept {
  const std::size_t context = record_bytes(ring.resource().encoded.size() + kProcessResourceMax);
  const Wanted wanted{signal, context + bytes};
  const bool won =
      adopt_predecessors(ring, state, wanted) || scan(ring, state, wanted) || evict(ring, state, wanted);
  if (won) append_resource(ring, state.open[static_cast<std::size_t>(signal)], state.pid);
  return won;
}

void seal_block(const WriterState& state, const OpenBlock& block) noexcept {
  if (block.descriptor == nullptr) return;
  std::uint64_t word = block.descriptor->state.load(std::memory_order_acquire);  // P3
  for (;;) {
    StateWord now = StateWord::unpack(word);
    // Superseded: whoever took it away believed us gone. Leave it alone (R3).
    if (now.state != BlockState::kOpen || now.writer != state.slot_index ||
        now.writer_generation != state.slot_generation) {
      break;
    }
    now.state = BlockState::kSealed;  // the pin, if there is one, stays
    if (block.descriptor->state.compare_exchange_weak(word, now.pack(), std::memory_order_acq_rel))
      break;  // P3
  }
}

Slot Writer::reserve_slowly(RecordKind kind, std::size_t size, ScopeId scope) noexcept {
  RingCore& ring = *ring_;
  const Signal signal = signal_of(kind);
  WriterState* state = find_writer(ring);
  if (state == nullptr) {
    DropCause cause{};
    state = register_thread(ring, cause);
    if (state == nullptr) return count_drop(ring, nullptr, signal, cause), Slot{};
  }
  if (state->busy.load(std::memory_order_relaxed) != 0) {  // relaxed: only this thread stores it
    return count_drop(ring, state, signal, DropCause::kNested), Slot{};
  }
  if (size > ring.max_payload()) return count_drop(ring, state, signal, DropCause::kTooLarge), Slot{};
  state->busy.store(1, std::memory_order_relaxed);      // relaxed: for this thread's handlers
  std::atomic_signal_fence(std::memory_order_acq_rel);  // signal fence: as in try_reserve

  OpenBlock& block = state->open[static_cast<std::size_t>(signal)];
  const std::size_t scope_bytes = scope.value == 0 ? 0 : record_bytes(ring.scope(scope).size());
  const std::size_t bytes = record_bytes(size) + scope_bytes;
  const bool fits = block.declares(scope) ? size < block.room : block.room + sizeof(RecordHeader) > bytes;
  if (!fits) {
    // Claim first: if the ring is full, this block stays open for smaller records.
    const OpenBlock full_block = std::exchange(block, OpenBlock{});
    bool claimed = false;
    const DropCause cause = claim_or_wait(ring, *state, signal, bytes, claimed);
    if (!claimed) {
      block = full_block;
      state->busy.store(0, std::memory_order_release);  // P12
      return count_drop(ring, state, signal, cause), Slot{};
    }
    seal_block(*state, full_block);
  }
  if (!block.declares(scope)) declare_scope(ring, block, scope);
  return Slot(*state, block, size, kind, scope);
}

bool Slot::refuse_after_fork() noexcept {
  const WriterState* inherited_state = std::exchange(state_, nullptr);
  // In memory that the fork copied, so still the parent's view of it: whose ring, which signal.
  RingCore& ring = *inherited_state->ring;
  count_drop(ring, find_writer(ring), signal_of(kind_), DropCause::kAfterFork);
  return false;
}

}  // namespace shmring
