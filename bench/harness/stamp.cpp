// SPDX-License-Identifier: Apache-2.0
// The length of a tick.
#include "bench/harness/stamp.hpp"

#include <chrono>

namespace shmring::bench {
namespace {

struct Moment {
  std::chrono::steady_clock::time_point time = std::chrono::steady_clock::now();
  std::uint64_t ticks = stamp_before();
};
const Moment kBegin;

}  // namespace

double nanoseconds_per_tick() noexcept {
  constexpr std::chrono::milliseconds kLongEnough{20};  // the clock's own grain is then a millionth of it
  Moment now;
  while (now.time - kBegin.time < kLongEnough) now = Moment{};
  return std::chrono::duration<double, std::nano>(now.time - kBegin.time).count() /
         static_cast<double>(now.ticks - kBegin.ticks);
}

}  // namespace shmring::bench
