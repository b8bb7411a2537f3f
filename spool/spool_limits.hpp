// SPDX-License-Identifier: Apache-2.0
// What bounds a spool.
#pragma once

#include <chrono>
#include <cstdint>

namespace shmring::spool {

struct SpoolLimits {
  std::uint64_t bytes = std::uint64_t{1} << 30U;       // of the database; its log of some 16 MiB comes on top
  std::uint64_t min_free = std::uint64_t{256} << 20U;  // bytes that the file system keeps for others
  std::chrono::microseconds age = std::chrono::hours(168);  // older batches are dropped

  bool operator==(const SpoolLimits&) const = default;
};

}  // namespace shmring::spool
