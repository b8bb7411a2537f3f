// SPDX-License-Identifier: Apache-2.0
// Runs of blocks (R10): a record that is larger than a block takes neighbours.
//
//   claim     head FREE -> OPEN(me), then head+1, head+2, ... FREE -> CONT(me); a neighbour that is not to be had: all back, downwards
//   commit    one store of the head's `committed`, then the head is sealed
//   give back CONT(me) -> FREE downwards; the head is an ordinary block then
//
// What if the owner dies anywhere in here? The head is an orphan, and no adopter takes one with CONT blocks behind it: the
// flusher seals and recycles it (or an evictor evicts it), and CONT blocks go with their head.
#include "libshmring/claim.hpp"

#include "libshmring/evict.hpp"
#include "libshmring/recycle.hpp"

namespace shmring {
namespace {

/// (FREE, CONT) <-> one block, by its owner. A CONT is changed by nobody else while its head is ours and OPEN.
bool claim_cont(RingCore& ring, const WriterState& state, const Wanted& wanted,
                std::uint32_t index) noexcept {
  BlockDescriptor& descriptor = ring.file().descriptors()[index];
  std::uint64_t word = descriptor.state.load(std::memory_order_acquire);  // P2
  const StateWord free = StateWord::unpack(word);
  if (free.state != BlockState::kFree) return false;
  const StateWord mine = word_of(state, BlockState::kCont, wanted.signal, free.block_generation);
  return descriptor.state.compare_exchange_strong(word, mine.pack(), std::memory_order_acq_rel);  // P2, P3
}

void give_cont_back(RingCore& ring, const WriterState& state, std::uint32_t index) noexcept {
  BlockDescriptor& descriptor = ring.file().descriptors()[index];
  const std::uint64_t word = descriptor.state.load(std::memory_order_acquire);  // P3
  const StateWord cont = StateWord::unpack(word);
  if (cont.state == BlockState::kCont && owned_by(cont, state)) make_free(ring.header(), descriptor, word);
}

/// As many FREE blocks, from `head` on, as are looked for; fewer: the first that is not FREE ends them.
std::uint32_t free_from(const RingCore& ring, std::uint32_t head, std::uint32_t wanted) noexcept {
  const auto descriptors = ring.file().descriptors();
  std::uint32_t found = 0;
  while (found < wanted && head + found < descriptors.size() &&
         StateWord::unpack(descriptors[head + found].state.load(std::memory_order_acquire)).state ==  // P2
             BlockState::kFree) {
    ++found;
  }
  return found;
}

/// Claims the run that begins at `head`. Somebody is in the way: nothing of it is kept.
OpenBlock claim_at(RingCore& ring, WriterState& state, const Wanted& wanted, std::uint32_t head,
                   std::uint32_t conts, std::uint64_t ticket) noexcept {
  BlockDescriptor& descriptor = ring.file().descriptors()[head];
  std::uint64_t word = descriptor.state.load(std::memory_order_acquire);  // P2
  const StateWord free = StateWord::unpack(word);
  // A head begins at 0; words that say otherwise are damage, which an ordinary claim shows to the flusher.
  const CommittedWord committed{descriptor.committed.load(std::memory_order_acquire)};  // P1
  if (free.state != BlockState::kFree || committed.offset_bytes() != 0) return {};
  const StateWord mine = word_of(state, BlockState::kOpen, wanted.signal, free.block_generation);
  if (!descriptor.state.compare_exchange_strong(word, mine.pack(), std::memory_order_acq_rel))
    return {};  // P2, P3
  stamp(descriptor, ticket);
  std::uint32_t taken = 0;
  while (taken < conts && claim_cont(ring, state, wanted, head + taken + 1)) ++taken;
  count_claimed(ring.header(), taken + 1, ring.file().geometry().block_count);
  if (taken == conts) return take_over(ring, state, mine, head, wanted, conts);
  for (; taken > 0; --taken) give_cont_back(ring, state, head + taken);
  make_free(ring.header(), descriptor, mine.pack());  // still empty, so nobody has pinned it
  return {};
}

OpenBlock scan_for_run(RingCore& ring, WriterState& state, const Wanted& wanted,
                       std::uint32_t conts) noexcept {
  const std::uint32_t total = ring.file().geometry().block_count;
  const std::uint64_t ticket = next_ticket(ring.header());
  const std::uint32_t start = scan_start(ring, state);
  for (std::uint32_t step = 0; step < total;) {
    const std::uint32_t head = (start + step) % total;
    const std::uint32_t found = free_from(ring, head, conts + 1);
    if (found == conts + 1) {
      if (const OpenBlock block = claim_at(ring, state, wanted, head, conts, ticket); block.capacity != 0)
        return block;
    }
    step += found == 0 || found == conts + 1 ? 1 : found;
  }
  return {};
}

}  // namespace

OpenBlock claim_run(RingCore& ring, WriterState& state, const Wanted& wanted) noexcept {
  const std::size_t block_bytes = ring.file().geometry().block_bytes;
  const auto conts = static_cast<std::uint32_t>((wanted.bytes - 1) / block_bytes);
  OpenBlock run = scan_for_run(ring, state, wanted, conts);
  constexpr int kAttempts = 4;  // others may take what was evicted
  for (int attempt = 0; attempt < kAttempts && run.capacity == 0 && drops_oldest(ring.header()); ++attempt) {
    const auto head = evict_neighbours(ring, state, conts + 1);
    wake_flusher(ring.header());
    if (!head) break;
    run = claim_at(ring, state, wanted, *head, conts, next_ticket(ring.header()));
  }
  return run;
}

void Slot::seal_run(const WriterState& state, WriterLevel& level, OpenBlock& run) noexcept {
  // In no list and not sealed yet: torn out in between, the flag tells the next claim to look for it.
  const bool forgot_another =
      level.claiming.exchange(true, std::memory_order_relaxed);  // relaxed: as in claim()
  std::atomic_signal_fence(std::memory_order_acq_rel);  // signal fence: set before anything is forgotten
  const OpenBlock sealed = run;
  run.capacity = 0;
  std::atomic_signal_fence(std::memory_order_acq_rel);  // signal fence: nothing is appended from here on
  seal_block(state, sealed);
  std::atomic_signal_fence(std::memory_order_acq_rel);  // signal fence: sealed before the flag goes
  level.claiming.store(forgot_another, std::memory_order_relaxed);  // relaxed: as in claim()
}

void Slot::give_run_back(const WriterState& state, WriterLevel& level, OpenBlock& run) noexcept {
  RingCore& ring = *state.ring;
  // An emit that was torn out before it could seal this run has committed into it.
  if (run.committed.offset_bytes() > ring.file().geometry().block_bytes) return seal_run(state, level, run);
  if (run.conts == OpenBlock::kSealedAtCommit) return seal_run(state, level, run);
  const std::uint32_t conts = run.conts;
  run.capacity = ring.file().geometry().block_bytes;
  run.conts = 0;
  // No handler writes where others soon do.
  std::atomic_signal_fence(std::memory_order_acq_rel);  // signal fence
  for (std::uint32_t n = conts; n > 0; --n) give_cont_back(ring, state, run.index + n);
}

}  // namespace shmring
