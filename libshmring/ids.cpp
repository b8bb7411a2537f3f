// SPDX-License-Identifier: Apache-2.0
// Random numbers for threads that are not registered: the kernel's.

#include "libshmring/ids.hpp"

#include <sys/random.h>
#include <unistd.h>

#include <ctime>

namespace shmring {

std::uint64_t random_from_kernel() noexcept {
  std::uint64_t word = 0;
  if (::getrandom(&word, sizeof(word), GRND_NONBLOCK) == static_cast<ssize_t>(sizeof(word))) return word;
  // Before the kernel's pool is ready, or under a filter that forbids the call: unlikely to meet another
  // process's number.
  std::timespec now{};
  ::clock_gettime(CLOCK_MONOTONIC, &now);
  const auto time = static_cast<std::uint64_t>(now.tv_sec) << 30U ^ static_cast<std::uint64_t>(now.tv_nsec);
  return mixed(time * kGolden,
               static_cast<std::uint64_t>(::getpid()) << 32U ^ reinterpret_cast<std::uintptr_t>(&word));
}

}  // namespace shmring
