// SPDX-License-Identifier: Apache-2.0
// A writer slot's mutex: the C library's robust mutex to its owner, a futex word to everybody else.
#pragma once

#include <pthread.h>

#include <atomic>
#include <cstddef>
#include <cstdint>

#include "shmring/layout.hpp"

namespace shmring {

// Where the C library keeps the futex word that the kernel marks (get_robust_list(2): futex_offset).
#if defined(__GLIBC__)
inline constexpr std::size_t kFutexWordOffset = offsetof(pthread_mutex_t, __data.__lock);
#else
inline constexpr std::size_t kFutexWordOffset = sizeof(int);
#endif
static_assert(sizeof(pthread_mutex_t) <= kMutexBytes && alignof(pthread_mutex_t) <= kCacheLine);

inline constexpr std::uint32_t kFutexTidMask = 0x3FFFFFFF;    // linux/futex.h
inline constexpr std::uint32_t kFutexOwnerDied = 0x40000000;  // set by the kernel when the owner ended

inline pthread_mutex_t* mutex_of(WriterSlot& slot) noexcept {
  return reinterpret_cast<pthread_mutex_t*>(slot.mutex);
}

/// What the kernel and the owner write; observers only load it (R14: nobody trylocks what he has not claimed).
inline std::uint32_t futex_word(const WriterSlot& slot) noexcept {
  const auto* word = reinterpret_cast<const std::atomic<std::uint32_t>*>(slot.mutex + kFutexWordOffset);
  return word->load(std::memory_order_acquire);  // P6
}

/// Whether a futex word says that nobody holds it.
constexpr bool word_says_gone(std::uint32_t word) noexcept {
  return (word & kFutexTidMask) == 0 || (word & kFutexOwnerDied) != 0;
}

/// REQUIRES: nobody else uses the mutex. Returns an errno.
int init_robust_mutex(WriterSlot& slot) noexcept;

}  // namespace shmring
