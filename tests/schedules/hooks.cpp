// SPDX-License-Identifier: Apache-2.0
// What the library, compiled with -fsanitize=thread, calls at each access to memory: ours instead of that sanitizer's
// runtime, so that the instrumentation alone is used. Besides: what the C library does to the ring in our name.
//
// Everything here runs while the other actor stands still, so the orders that the callers name mean nothing more.
#include <pthread.h>
#include <sys/types.h>
#include <time.h>

#include <atomic>
#include <cstddef>
#include <cstdint>

#include "tests/schedules/actors.hpp"

namespace {

using shmring::testing::before_access;
using shmring::testing::Does;

void reads(const volatile void* address, std::size_t size) {
  before_access(const_cast<const void*>(address), size, Does::kRead);
}
void writes(const volatile void* address, std::size_t size) {
  before_access(const_cast<const void*>(address), size, Does::kWrite);
}

template <typename T>
int compare_exchange(volatile T* address, T* expected, T desired) {
  writes(address, sizeof(T));
  return __atomic_compare_exchange_n(address, expected, desired, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST)
             ? 1
             : 0;
}

// Each schedule sees a clock of its own: a second passes between any two looks, so that nothing depends on how long it took.
std::atomic<std::int64_t> seconds{1'000'000};

}  // namespace

// A macro, since the compiler asks for a family of C functions for each width.
#define SHMRING_WIDTH(BITS, T)                                                            \
  T __tsan_atomic##BITS##_load(const volatile T* a, int) {                                \
    reads(a, sizeof(T));                                                                  \
    return __atomic_load_n(a, __ATOMIC_SEQ_CST);                                          \
  }                                                                                       \
  void __tsan_atomic##BITS##_store(volatile T* a, T v, int) {                             \
    writes(a, sizeof(T));                                                                 \
    __atomic_store_n(a, v, __ATOMIC_SEQ_CST);                                             \
  }                                                                                       \
  T __tsan_atomic##BITS##_exchange(volatile T* a, T v, int) {                             \
    writes(a, sizeof(T));                                                                 \
    return __atomic_exchange_n(a, v, __ATOMIC_SEQ_CST);                                   \
  }                                                                                       \
  T __tsan_atomic##BITS##_fetch_add(volatile T* a, T v, int) {                            \
    writes(a, sizeof(T));                                                                 \
    return __atomic_fetch_add(a, v, __ATOMIC_SEQ_CST);                                    \
  }                                                                                       \
  T __tsan_atomic##BITS##_fetch_sub(volatile T* a, T v, int) {                            \
    writes(a, sizeof(T));                                                                 \
    return __atomic_fetch_sub(a, v, __ATOMIC_SEQ_CST);                                    \
  }                                                                                       \
  T __tsan_atomic##BITS##_fetch_and(volatile T* a, T v, int) {                            \
    writes(a, sizeof(T));                                                                 \
    return __atomic_fetch_and(a, v, __ATOMIC_SEQ_CST);                                    \
  }                                                                                       \
  T __tsan_atomic##BITS##_fetch_or(volatile T* a, T v, int) {                             \
    writes(a, sizeof(T));                                                                 \
    return __atomic_fetch_or(a, v, __ATOMIC_SEQ_CST);                                     \
  }                                                                                       \
  T __tsan_atomic##BITS##_fetch_xor(volatile T* a, T v, int) {                            \
    writes(a, sizeof(T));                                                                 \
    return __atomic_fetch_xor(a, v, __ATOMIC_SEQ_CST);                                    \
  }                                                                                       \
  int __tsan_atomic##BITS##_compare_exchange_strong(volatile T* a, T* c, T v, int, int) { \
    return compare_exchange(a, c, v);                                                     \
  }                                                                                       \
  int __tsan_atomic##BITS##_compare_exchange_weak(volatile T* a, T* c, T v, int, int) {   \
    return compare_exchange(a, c, v);                                                     \
  }

// Likewise; the size is in the name.
#define SHMRING_PLAIN(SIZE)                                     \
  void __tsan_read##SIZE(void* a) { reads(a, SIZE); }           \
  void __tsan_write##SIZE(void* a) { writes(a, SIZE); }         \
  void __tsan_unaligned_read##SIZE(void* a) { reads(a, SIZE); } \
  void __tsan_unaligned_write##SIZE(void* a) { writes(a, SIZE); }

extern "C" {

SHMRING_WIDTH(8, std::uint8_t)
SHMRING_WIDTH(16, std::uint16_t)
SHMRING_WIDTH(32, std::uint32_t)
SHMRING_WIDTH(64, std::uint64_t)
SHMRING_PLAIN(1)
SHMRING_PLAIN(2)
SHMRING_PLAIN(4)
SHMRING_PLAIN(8)
SHMRING_PLAIN(16)

void __tsan_init() {}
void __tsan_func_entry(void*) {}
void __tsan_func_exit() {}
void __tsan_vptr_read(void**) {}
void __tsan_vptr_update(void**, void*) {}
void __tsan_read_range(void* a, std::size_t size) { reads(a, size); }
void __tsan_write_range(void* a, std::size_t size) { writes(a, size); }
void __tsan_atomic_thread_fence(int) {}
void __tsan_atomic_signal_fence(int) {}

// The linker gives us the calls (--wrap), and the functions under their other names.
void* __real_memcpy(void* to, const void* from, std::size_t size);
void* __real_memmove(void* to, const void* from, std::size_t size);
void* __real_memset(void* to, int value, std::size_t size);
int __real_clock_gettime(clockid_t clock, timespec* now);
int __real_pthread_mutex_init(pthread_mutex_t* mutex, const pthread_mutexattr_t* attributes);
int __real_pthread_mutex_trylock(pthread_mutex_t* mutex);
int __real_pthread_mutex_consistent(pthread_mutex_t* mutex);
int __real_pthread_mutex_unlock(pthread_mutex_t* mutex);

void* __wrap_memcpy(void* to, const void* from, std::size_t size) {
  if (size != 0) reads(from, size);
  if (size != 0) writes(to, size);
  return __real_memcpy(to, from, size);
}
void* __wrap_memmove(void* to, const void* from, std::size_t size) {
  if (size != 0) reads(from, size);
  if (size != 0) writes(to, size);
  return __real_memmove(to, from, size);
}
void* __wrap_memset(void* to, int value, std::size_t size) {
  if (size != 0) writes(to, size);
  return __real_memset(to, value, size);
}
int __wrap_clock_gettime(clockid_t clock, timespec* now) {
  if (clock != CLOCK_MONOTONIC || !shmring::testing::is_actor()) return __real_clock_gettime(clock, now);
  *now = {.tv_sec = seconds.fetch_add(1), .tv_nsec = 0};
  return 0;
}
int __wrap_pthread_mutex_init(pthread_mutex_t* mutex, const pthread_mutexattr_t* attributes) {
  writes(mutex, sizeof(*mutex));
  return __real_pthread_mutex_init(mutex, attributes);
}
int __wrap_pthread_mutex_trylock(pthread_mutex_t* mutex) {
  writes(mutex, sizeof(*mutex));
  return __real_pthread_mutex_trylock(mutex);
}
int __wrap_pthread_mutex_consistent(pthread_mutex_t* mutex) {
  writes(mutex, sizeof(*mutex));
  return __real_pthread_mutex_consistent(mutex);
}
int __wrap_pthread_mutex_unlock(pthread_mutex_t* mutex) {
  writes(mutex, sizeof(*mutex));
  return __real_pthread_mutex_unlock(mutex);
}

}  // extern "C"

#undef SHMRING_WIDTH
#undef SHMRING_PLAIN
