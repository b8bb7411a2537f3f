// SPDX-License-Identifier: Apache-2.0
// Copies a new process's first bytes.
#pragma once

#include <cstddef>
#include <cstring>

namespace shmring {

/// memcpy in place: a new process has no page with the C library's yet, and would read it from its file.
inline void copy_here(std::byte* to, const void* from, std::size_t size) noexcept {
#if defined(__x86_64__)
  __asm__ volatile("rep movsb" : "+D"(to), "+S"(from), "+c"(size) : : "memory");
#else
  std::memcpy(to, from, size);
#endif
}

}  // namespace shmring
