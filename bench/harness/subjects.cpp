// SPDX-License-Identifier: Apache-2.0
// Making what several rows use.
#include "bench/harness/subjects.hpp"

#include <utility>

namespace shmring::bench {

Result<BenchRing*> Subjects::ring() {
  if (ring_ == nullptr) {
    auto ring = BenchRing::create(shape_);
    if (!ring) return ring.error();
    if (memory_ == Memory::kTouched && !(*ring)->warm_up())
      return Error{ErrorCode::kSystem, "records were lost while the ring was warmed up"};
    ring_ = *std::move(ring);
  }
  return ring_.get();
}

Result<std::byte*> Subjects::memory() {
  if (shared_memory_ == nullptr) {
    auto memory = std::make_unique<SharedMemory>(kMemoryBytes);
    if (memory->data() == nullptr) return Error{ErrorCode::kNoSpace, "no memory to copy to"};
    shared_memory_ = std::move(memory);
  }
  return shared_memory_->data();
}

}  // namespace shmring::bench
