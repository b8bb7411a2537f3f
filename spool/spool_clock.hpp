// SPDX-License-Identifier: Apache-2.0
// The time that rows of the spool are stamped with: it goes on over restarts, and no step of the wall clock moves it while
// the machine runs.
#pragma once

#include <cstdint>
#include <string>

namespace shmring::spool {

class SpoolClock {
 public:
  /// As save() gave it; an empty text: a new clock. Over a reboot the wall clock is asked how long it took.
  static SpoolClock restore(const std::string& saved);
  std::string save() const;

  std::int64_t now_ns() const;

 private:
  std::int64_t ahead_ns_ = 0;  // of CLOCK_BOOTTIME
};

}  // namespace shmring::spool
