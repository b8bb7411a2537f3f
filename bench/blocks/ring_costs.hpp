// SPDX-License-Identifier: Apache-2.0
// What a record costs in a ring of one shape, and what the shape does to the room in it.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "bench/bench_ring.hpp"
#include "bench/harness/run.hpp"

namespace shmring::bench {

inline constexpr std::array<std::uint32_t, 6> kBlockKib = {4, 8, 16, 32, 64, 256};
inline constexpr std::array<std::uint64_t, 4> kCapacityMib = {1, 8, 32, 128};
inline constexpr int kSleepers = 100;

/// What stands in a block that is full: the same record again and again.
struct FullBlock {
  std::uint64_t records = 0;
  std::uint64_t context_bytes = 0;  // of resource and scope
  std::uint64_t unused_bytes = 0;   // at the block's end
};

/// kSleepers threads that emitted one record each and live, when all of it is drained.
struct Sleepers {
  std::uint32_t blocks = 0;   // that they hold
  std::uint32_t refused = 0;  // of their records
};

/// One operation, measured with one way of draining.
struct CostOfRecord {
  const char* name;
  const char* drained;  // when: "quarter" or "three_quarters" of the ring are full
  RowResult result;
};

struct RingCosts {
  std::vector<CostOfRecord> costs;
  FullBlock of_log_records;
  Sleepers sleepers;
};

/// Claims are in what is measured, drains are not. To be called once in a process for each shape: the mapping of a ring stays until the
/// process ends.
Result<RingCosts> measure_ring(const RingShape& shape, const RunOptions& options);

}  // namespace shmring::bench
