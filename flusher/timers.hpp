// SPDX-License-Identifier: Apache-2.0
// Something to be done later, on this thread; a seam, so that waits are tested without waiting.
#pragma once

#include <functional>

#include "flusher/schedule.hpp"

namespace shmring::flusher {

class Timers {
 public:
  virtual ~Timers() = default;
  /// Calls `action` once, `delay` from now; never, when the timers end before that.
  virtual void after(Clock::duration delay, std::function<void()> action) = 0;
};

}  // namespace shmring::flusher
