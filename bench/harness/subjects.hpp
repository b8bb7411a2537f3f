// SPDX-License-Identifier: Apache-2.0
// What several rows use, made when the first of them asks for it: the ring, the records, memory to copy to.
#pragma once

#include <array>
#include <cstdint>
#include <memory>

#include "bench/bench_ring.hpp"
#include "bench/sample_records.hpp"
#include "bench/shared_memory.hpp"

namespace shmring::bench {

/// As large as the default ring, so that what goes through it finds no more of it in the cache than the ring does.
inline constexpr std::size_t kMemoryBytes = 32U << 20U;

class Subjects {
 public:
  /// kTouched: nothing is touched for the first time while somebody measures. kUntouched: for counters of instructions, which
  /// do not see page faults and take long over making memory warm.
  enum class Memory : std::uint8_t { kTouched, kUntouched };
  explicit Subjects(Memory memory = Memory::kTouched, const RingShape& shape = {})
      : memory_(memory), shape_(shape) {}

  const SampleRecords& samples() const noexcept { return samples_; }

  /// The ring, in a folder of its own.
  Result<BenchRing*> ring();

  /// kMemoryBytes of shared memory.
  Result<std::byte*> memory();

 private:
  Memory memory_;
  RingShape shape_;
  SampleRecords samples_;
  std::unique_ptr<BenchRing> ring_;
  std::unique_ptr<SharedMemory> shared_memory_;
};

}  // namespace shmring::bench
