// SPDX-License-Identifier: Apache-2.0
// Waiting for a condition: until it holds, or until a deadline that only a test that hangs ever reaches.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <thread>

namespace shmring::testing {

inline constexpr std::chrono::seconds kLongEnough{60};

/// False: the condition did not come true.
template <typename Condition>
[[nodiscard]] bool eventually(Condition&& condition, std::chrono::seconds deadline = kLongEnough) {
  const auto end = std::chrono::steady_clock::now() + deadline;
  while (!condition()) {
    if (std::chrono::steady_clock::now() > end) return false;
    std::this_thread::sleep_for(
        std::chrono::microseconds(100));  // between two looks; what is waited for is the condition
  }
  return true;
}

/// Lets a moment pass, of another length each time: to hit whoever runs meanwhile at an instant that nobody has chosen.
inline void spin(std::uint64_t turns) noexcept {
  std::atomic<std::uint64_t> left{turns};
  while (left.load(std::memory_order_relaxed) > 0) left.fetch_sub(1, std::memory_order_relaxed);
}

}  // namespace shmring::testing
