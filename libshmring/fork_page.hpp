// SPDX-License-Identifier: Apache-2.0
// How a process knows that it is a forked child: a page that the kernel wipes (DESIGN 3.3, R18).
#pragma once

#include <cstdint>

#include "shmring/result.hpp"
#include "shmring/writer.hpp"

namespace shmring {

/// Makes the page, once per process tree. kUnsupported before Linux 4.14.
Result<const ForkPage*> prepare_fork_page();

/// This process's generation, larger than that of every ancestor; given out on the first call after a fork.
/// Thread-safe, async-signal-safe. REQUIRES: prepare_fork_page() has succeeded.
std::uint64_t process_generation() noexcept;

/// The two random words of this process's service.instance.id. As process_generation().
struct InstanceId {
  std::uint64_t high = 0;
  std::uint64_t low = 0;
};
InstanceId process_instance() noexcept;

}  // namespace shmring
