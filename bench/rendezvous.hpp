// SPDX-License-Identifier: Apache-2.0
// Threads that are measured together begin together, each on a core of its own.
#pragma once

#include <atomic>
#include <cstdint>

namespace shmring::bench {

/// A barrier that spins: who waits in the kernel begins some fifty microseconds late, and a batch takes not much longer.
class SpinBarrier {
 public:
  /// Returns when `threads` threads have come. REQUIRES: all of them name the same number.
  void arrive_and_wait(int threads) noexcept;

 private:
  std::atomic<int> arrived_ = 0;
  std::atomic<std::uint32_t> phase_ = 0;
};

/// Cores that this process may run on.
int core_count() noexcept;

/// Binds the calling thread to the index-th core of those that the process could use at its start.
void pin_to_core(int index) noexcept;

}  // namespace shmring::bench
