// SPDX-License-Identifier: Apache-2.0
// What a tick is worth.
#include "bench/processes/clock.hpp"

#include <chrono>

namespace shmring::bench {
namespace {

double measure() noexcept {
  using Clock = std::chrono::steady_clock;
  const auto began = Clock::now();
  const std::uint64_t first = ticks_now();
  auto now = began;
  while (now - began < std::chrono::milliseconds(20)) now = Clock::now();
  const std::uint64_t last = ticks_now();
  return std::chrono::duration<double, std::nano>(now - began).count() / static_cast<double>(last - first);
}

}  // namespace

double ns_per_tick() noexcept {
  static const double value = measure();
  return value;
}

}  // namespace shmring::bench
