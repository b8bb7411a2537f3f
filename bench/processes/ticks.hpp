// SPDX-License-Identifier: Apache-2.0
// From one stamp to another, also in different processes.
#pragma once

#include <cstdint>

#include "bench/harness/stamp.hpp"

namespace shmring::bench {

/// 0 where the stamps of two cores contradict each other.
inline double us_between(std::uint64_t begin, std::uint64_t end) noexcept {
  return end < begin ? 0 : static_cast<double>(end - begin) * nanoseconds_per_tick() / 1000;
}

}  // namespace shmring::bench
