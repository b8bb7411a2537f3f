// SPDX-License-Identifier: Apache-2.0
// Time that the calling thread has spent on a core, in the kernel included: what others do on the machine is not in it.
#pragma once

#include <time.h>

#include <chrono>

namespace shmring::bench {

struct ThreadClock {
  using duration = std::chrono::nanoseconds;
  using rep = duration::rep;
  using period = duration::period;
  using time_point = std::chrono::time_point<ThreadClock>;
  static constexpr bool is_steady = true;

  static time_point now() noexcept {
    timespec spent{};
    ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &spent);
    return time_point(std::chrono::seconds(spent.tv_sec) + std::chrono::nanoseconds(spent.tv_nsec));
  }
};

}  // namespace shmring::bench
