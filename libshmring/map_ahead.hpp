// SPDX-License-Identifier: Apache-2.0
// Pages of the ring, mapped for writing before a new process touches them.
#pragma once

#include <sys/mman.h>

#include <cstddef>
#include <cstdint>

#include "libshmring/raw_syscall.hpp"

namespace shmring {

/// A forked child has none of the ring's pages. Its first store to one is a fault of a microsecond, its first load one of three, for
/// the kernel maps the 64 KiB around it as well, and unmaps them when the child ends. Asked for like this a page is had for half a
/// microsecond, and alone. Only ever a hint: kernels before 5.14 do not know it, and of a ring that was cut short nothing is mapped.
/// Async-signal-safe.
inline void map_ahead(const void* begin, std::size_t bytes) noexcept {
  constexpr std::uintptr_t kPage = 4096;
  constexpr long kPopulateWrite = 23;  // MADV_POPULATE_WRITE
  const std::uintptr_t from = reinterpret_cast<std::uintptr_t>(begin) & ~(kPage - 1);
  const std::uintptr_t end = (reinterpret_cast<std::uintptr_t>(begin) + bytes + kPage - 1) & ~(kPage - 1);
  raw_syscall(SYS_madvise, static_cast<long>(from), static_cast<long>(end - from), kPopulateWrite);
}

}  // namespace shmring
