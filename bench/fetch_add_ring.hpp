// SPDX-License-Identifier: Apache-2.0
// What shmring is not: a ring with one tail that all producers advance by fetch-add, at its barest. Slots of 200 bytes in
// shared memory. A producer that dies between its fetch-add and its commit stops the consumer for good.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "bench/sample_records.hpp"
#include "bench/shared_memory.hpp"

namespace shmring::bench {

class FetchAddRing {
 public:
  FetchAddRing() : memory_(sizeof(Shared)), shared_(reinterpret_cast<Shared*>(memory_.data())) {}

  bool is_mapped() const noexcept { return shared_ != nullptr; }

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

  /// Takes out what is committed, up to the first hole.
  std::uint64_t take_all() noexcept;

 private:
  struct Slot {
    std::atomic<std::uint64_t> turn;  // position + 1 once committed
    std::byte payload[kPayloadBytes];
  };
  static constexpr std::uint64_t kSlots =
      (32U << 20U) / sizeof(Slot);  // as large as the ring that it is compared with
  struct Shared {
    alignas(64) std::atomic<std::uint64_t> tail;
    alignas(64) std::atomic<std::uint64_t> taken;
    alignas(64) Slot slots[kSlots];
  };
  SharedMemory memory_;
  Shared* shared_;
};

}  // namespace shmring::bench
