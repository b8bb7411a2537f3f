// SPDX-License-Identifier: Apache-2.0
// From SEALED to FREE.
#include "libshmring/recycle.hpp"

#include <algorithm>

#include "libshmring/system.hpp"

namespace shmring {

bool nothing_left(const CommittedWord& committed, const ExportedWord& exported) noexcept {
  if (committed.count() != exported.count) return false;
  return exported.offset_bytes >=
         committed.offset_bytes();  // ahead: `committed` was reset, then its flusher died
}

bool make_free(RingHeader& header, BlockDescriptor& descriptor, std::uint64_t word) noexcept {
  StateWord free = StateWord::unpack(word);
  free = StateWord{.block_generation = (free.block_generation + 1) & StateWord::kGenerationMask};
  if (!descriptor.state.compare_exchange_strong(word, free.pack(), std::memory_order_acq_rel))
    return false;                                              // P2
  header.free_blocks.fetch_add(1, std::memory_order_relaxed);  // relaxed: an estimate
  // Sequentially consistent, as its counterpart in claim_or_wait(): a waiter sees `freed` move, or we see the waiter.
  header.freed.fetch_add(1, std::memory_order_seq_cst);                                   // P7
  if (header.waiters.load(std::memory_order_seq_cst) != 0) futex_wake_all(header.freed);  // P7
  return true;
}

bool free_conts(const RingFile& ring, std::uint32_t head, std::uint64_t head_word) noexcept {
  const auto descriptors = ring.descriptors();
  const auto is_cont = [](std::uint64_t word) { return StateWord::unpack(word).state == BlockState::kCont; };
  std::uint32_t end = head + 1;
  while (end < descriptors.size() && is_cont(descriptors[end].state.load(std::memory_order_acquire)))
    ++end;  // P3
  while (end > head + 1) {
    const std::uint64_t word = descriptors[--end].state.load(std::memory_order_acquire);  // P3
    // The head behind the word: while it is still the one read, the word is of this run (I11).
    if (descriptors[head].state.load(std::memory_order_acquire) != head_word) return false;  // P3
    if (!is_cont(word) || !make_free(ring.header(), descriptors[end], word)) return false;
  }
  return true;
}

std::optional<std::uint32_t> head_of(const RingFile& ring, std::uint32_t index) noexcept {
  const std::uint32_t longest = kLargestRunBytes / ring.geometry().block_bytes + 1;
  for (std::uint32_t steps = 0; steps <= longest && steps <= index; ++steps) {
    const std::uint64_t word = ring.descriptors()[index - steps].state.load(std::memory_order_acquire);  // P3
    if (StateWord::unpack(word).state != BlockState::kCont) return index - steps;
  }
  return std::nullopt;
}

std::uint32_t reach(const RingFile& ring, std::uint32_t index) noexcept {
  const auto descriptors = ring.descriptors();
  std::uint64_t bytes = ring.geometry().block_bytes;
  for (std::uint32_t next = index + 1; next < descriptors.size() && bytes < kLargestRunBytes; ++next) {
    const std::uint64_t word = descriptors[next].state.load(std::memory_order_acquire);  // P3
    if (StateWord::unpack(word).state != BlockState::kCont) break;
    bytes += ring.geometry().block_bytes;
  }
  return static_cast<std::uint32_t>(std::min<std::uint64_t>(bytes, kLargestRunBytes));
}

bool recycle(const RingFile& ring, std::uint32_t index, std::uint64_t state, std::uint64_t exported,
             std::uint64_t committed) noexcept {
  BlockDescriptor& descriptor = ring.descriptors()[index];
  // What if we die after any of these? Counts equal and `exported` ahead (I4): the next flusher goes on here.
  if (CommittedWord{committed}.offset_bytes() != 0 &&
      !descriptor.committed.compare_exchange_strong(committed, CommittedWord{committed}.reset().word,
                                                    std::memory_order_acq_rel)) {  // P2
    return false;
  }
  ExportedWord reset_exported = ExportedWord::unpack(exported);
  reset_exported.offset_bytes = 0;
  if (exported != reset_exported.pack() &&
      !descriptor.exported.compare_exchange_strong(exported, reset_exported.pack(),
                                                   std::memory_order_acq_rel)) {  // P4
    return false;
  }
  // From here on a SEALED head with empty words: the next flusher finds nothing left in it, and goes on here.
  if (!free_conts(ring, index, state) || !make_free(ring.header(), descriptor, state)) return false;
  // The lowest free block is taken first: what is written next is what caches, and page tables, know already.
  const std::uint32_t stretch = stretch_blocks(ring.geometry().block_count);
  const std::uint32_t number = std::min(index / stretch, kStretches - 1);
  std::atomic<std::uint32_t>& next = ring.header().next_block[number].hint;
  const std::uint32_t before = next.load(std::memory_order_relaxed);  // relaxed: a hint
  // Smaller than its stretch: its writer has gone round the ring's end.
  if (index < before || before < number * stretch)
    next.store(index, std::memory_order_relaxed);  // relaxed: a hint
  return true;
}

bool vacate(WriterSlot& slot, std::uint64_t claim) noexcept {
  ClaimWord next = ClaimWord::unpack(claim);
  // The generation stays: VACANT alone makes orphans of its blocks.
  next.phase = SlotPhase::kVacant;
  return slot.claim.compare_exchange_strong(claim, next.pack(), std::memory_order_acq_rel);  // P5
}

}  // namespace shmring
