// SPDX-License-Identifier: Apache-2.0
// For looks without a lock: what was read before stays before the second look that validates it.
#pragma once

#include <atomic>

namespace shmring {

/// Everything read so far is read before whatever is loaded next (a seqlock reader's fence). ThreadSanitizer does not
/// know fences; on the machines that it runs on loads are not reordered.
inline void loads_before_loads() noexcept {
#if !defined(__SANITIZE_THREAD__)
  std::atomic_thread_fence(std::memory_order_acquire);  // P3, P4
#endif
}

}  // namespace shmring
