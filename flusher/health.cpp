// SPDX-License-Identifier: Apache-2.0
// Whether the flusher is alive and ready.

#include "flusher/health.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>

#include "flusher/units.hpp"

namespace shmring::flusher {
namespace {

constexpr int kTicks = 3;
constexpr Clock::duration kLeastPatience = std::chrono::seconds(1);  // a busy machine is not a hung flusher

}  // namespace

void Health::begin_serving(TimePoint now, Clock::duration interval) {
  is_serving_ = true;
  last_tick_ = now;
  interval_ = interval;
  lanes_.clear();
}

void Health::end_serving() { is_serving_ = false; }

Verdict Health::alive(TimePoint now) const {
  if (!is_serving_) return {true, "standing by, or waiting for a ring\n"};
  const Clock::duration age = now - last_tick_;
  const bool is_good = age <= std::max(kLeastPatience, kTicks * interval_);
  return {is_good,
          fmt::format("last tick {} ago, interval {}\n",
                      format_duration(std::chrono::floor<std::chrono::milliseconds>(age)),
                      format_duration(std::chrono::duration_cast<std::chrono::microseconds>(interval_)))};
}

Verdict Health::ready(TimePoint now) const {
  if (!is_serving_)
    return {false, "no lease: another flusher holds it, or there is no ring that can be used\n"};
  if (const Verdict verdict = alive(now); !verdict.is_good) return verdict;
  const bool is_reached = lanes_.empty() || std::any_of(lanes_.begin(), lanes_.end(), [](const auto& each) {
                            return each.second == Answered::kYes;
                          });
  if (!is_reached) return {false, "no destination takes anything now; the log says why\n"};
  return {true, lanes_.empty() ? "serving; nothing had to be exported yet\n" : "serving\n"};
}

}  // namespace shmring::flusher
