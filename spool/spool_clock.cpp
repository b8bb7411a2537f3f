// SPDX-License-Identifier: Apache-2.0
// The spool's time.

#include "spool/spool_clock.hpp"

#include <fmt/format.h>
#include <time.h>

#include <algorithm>
#include <cstdio>
#include <fstream>

namespace shmring::spool {
namespace {

std::int64_t read_clock(clockid_t id) {
  timespec time{};
  clock_gettime(id, &time);
  return static_cast<std::int64_t>(time.tv_sec) * 1'000'000'000 + time.tv_nsec;
}

std::string boot_id() {
  std::string id;
  std::ifstream("/proc/sys/kernel/random/boot_id") >> id;
  return id.empty() ? "unknown" : id;
}

}  // namespace

std::int64_t SpoolClock::now_ns() const { return read_clock(CLOCK_BOOTTIME) + ahead_ns_; }

std::string SpoolClock::save() const {
  return fmt::format("{} {} {} {}", boot_id(), ahead_ns_, now_ns(), read_clock(CLOCK_REALTIME));
}

SpoolClock SpoolClock::restore(const std::string& saved) {
  SpoolClock clock;
  char boot[64] = "";
  long long ahead = 0;
  long long then = 0;
  long long wall = 0;
  if (std::sscanf(saved.c_str(), "%63s %lld %lld %lld", boot, &ahead, &then, &wall) != 4) return clock;
  if (boot == boot_id()) {
    clock.ahead_ns_ = ahead;
  } else {
    const std::int64_t away = std::max<std::int64_t>(0, read_clock(CLOCK_REALTIME) - wall);
    clock.ahead_ns_ = then + away - read_clock(CLOCK_BOOTTIME);
  }
  return clock;
}

}  // namespace shmring::spool
