// SPDX-License-Identifier: Apache-2.0
// From SEALED to FREE.
#include "libshmring/recycle.hpp"

#include "libshmring/system.hpp"

namespace shmring {

bool nothing_left(const CommittedWord& committed, const ExportedWord& exported) noexcept {
  if (committed.count() != exported.count) return false;
  return exported.offset_bytes >= committed.offset_bytes();  // ahead: `committed` was reset, then its flusher died
}

bool recycle(RingHeader& header, BlockDescriptor& descriptor, std::uint64_t state, std::uint64_t exported,
             std::uint64_t committed) noexcept {
  // What if we die after any of these? Counts equal and `exported` ahead (I4): the next flusher goes on here.
  if (CommittedWord{committed}.offset_bytes() != 0 &&
      !descriptor.committed.compare_exchange_strong(committed, CommittedWord{committed}.reset().word,
                                                    std::memory_order_acq_rel)) {  // P2
    return false;
  }
  ExportedWord reset_exported = ExportedWord::unpack(exported);
  reset_exported.offset_bytes = 0;
  if (exported != reset_exported.pack() &&
      !descriptor.exported.compare_exchange_strong(exported, reset_exported.pack(), std::memory_order_acq_rel)) {  // P4
    return false;
  }
  StateWord free = StateWord::unpack(state);
  free = StateWord{.block_generation = (free.block_generation + 1) & StateWord::kGenerationMask};
  if (!descriptor.state.compare_exchange_strong(state, free.pack(), std::memory_order_acq_rel)) return false;  // P2
  header.free_blocks.fetch_add(1, std::memory_order_relaxed);  // relaxed: an estimate
  // Sequentially consistent, as its counterpart in claim_or_wait(): a waiter sees `freed` move, or we see the waiter.
  header.freed.fetch_add(1, std::memory_order_seq_cst);                                          // P7
  if (header.waiters.load(std::memory_order_seq_cst) != 0) futex_wake_all(header.freed);  // P7
  return true;
}

bool vacate(WriterSlot& slot, std::uint64_t claim) noexcept {
  ClaimWord next = ClaimWord::unpack(claim);
  // A holder has used its generation up, a claimer has not (I9). VACANT alone makes orphans of its blocks.
  if (next.phase == SlotPhase::kClaiming) next.generation = (next.generation - 1) & StateWord::kGenerationMask;
  next.phase = SlotPhase::kVacant;
  return slot.claim.compare_exchange_strong(claim, next.pack(), std::memory_order_acq_rel);  // P5
}

}  // namespace shmring
