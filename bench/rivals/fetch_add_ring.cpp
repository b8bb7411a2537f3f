// SPDX-License-Identifier: Apache-2.0
// What shmring is not: a ring with one tail that all producers advance by fetch-add, at its barest. Slots of 200 bytes in
// shared memory. A producer that dies between its fetch-add and its commit stops the consumer for good.
#include <atomic>
#include <cstddef>
#include <cstring>

#include "bench/harness/loop.hpp"
#include "bench/rivals/rivals.hpp"
#include "bench/shared_memory.hpp"

namespace shmring::bench {
namespace {

class FetchAddRing {
 public:
  static Result<std::unique_ptr<FetchAddRing>> create(Subjects& subjects) {
    std::unique_ptr<FetchAddRing> ring(new FetchAddRing(subjects.samples()));
    if (ring->shared_ == nullptr) return Error{ErrorCode::kNoSpace, "no memory for it"};
    return ring;
  }

  struct Producer {
    FetchAddRing& ring;
    bool push(std::uint64_t i) noexcept { return ring.push(ring.samples_.encoded(i).data()); }
  };
  Producer producer(int) noexcept { return {*this}; }

  /// Takes out what is committed, up to the first hole.
  std::uint64_t drain(std::uint64_t) noexcept {
    const std::uint64_t first = shared_->taken.load(std::memory_order_relaxed);  // relaxed: ours alone
    std::uint64_t position = first;
    while (shared_->slots[position % kSlots].turn.load(std::memory_order_acquire) == position + 1) ++position;
    shared_->taken.store(position, std::memory_order_release);
    return position - first;
  }

 private:
  struct Slot {
    std::atomic<std::uint64_t> turn;  // position + 1 once committed
    std::byte payload[kPayloadBytes];
  };
  static constexpr std::uint64_t kSlots =
      kMemoryBytes / sizeof(Slot);  // as large as the ring that it is compared with
  struct Shared {
    alignas(64) std::atomic<std::uint64_t> tail;
    alignas(64) std::atomic<std::uint64_t> taken;
    alignas(64) Slot slots[kSlots];
  };

  explicit FetchAddRing(const SampleRecords& samples)
      : samples_(samples), memory_(sizeof(Shared)), shared_(reinterpret_cast<Shared*>(memory_.data())) {}

  /// False: full. (The position is taken all the same; nobody here comes back after that.)
  bool push(const std::byte* payload) noexcept {
    const std::uint64_t position =
        shared_->tail.fetch_add(1, std::memory_order_relaxed);  // relaxed: `turn` publishes
    if (position - shared_->taken.load(std::memory_order_acquire) >= kSlots) return false;
    Slot& slot = shared_->slots[position % kSlots];
    std::memcpy(slot.payload, payload, kPayloadBytes);
    slot.turn.store(position + 1, std::memory_order_release);
    return true;
  }

  const SampleRecords& samples_;
  SharedMemory memory_;
  Shared* shared_;
};

}  // namespace

void add_fetch_add_ring(Rows& rows) {
  add_row<FetchAddRing>(
      rows, {.name = "fetch_add_ring",
             .label = "bare fetch-add ring, 200 bytes",
             .record = "bytes in shared memory; a death between claim and commit stops the consumer",
             .producers = {1, 2, 4, 8}});
}

}  // namespace shmring::bench
