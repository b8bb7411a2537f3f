// SPDX-License-Identifier: Apache-2.0
// The consumer's side of the bare ring.
#include "bench/fetch_add_ring.hpp"

namespace shmring::bench {

std::uint64_t FetchAddRing::take_all() noexcept {
  const std::uint64_t first = shared_->taken.load(std::memory_order_relaxed);  // relaxed: ours alone
  std::uint64_t position = first;
  while (shared_->slots[position % kSlots].turn.load(std::memory_order_acquire) == position + 1) ++position;
  shared_->taken.store(position, std::memory_order_release);
  return position - first;
}

}  // namespace shmring::bench
