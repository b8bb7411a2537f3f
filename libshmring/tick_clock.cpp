// SPDX-License-Identifier: Apache-2.0
// Reading the clocks side by side, and measuring one by the other.
#include "libshmring/tick_clock.hpp"

#if defined(__x86_64__)
#include <cpuid.h>
#endif

#include <sys/prctl.h>

#include <algorithm>
#include <atomic>
#include <fstream>
#include <string>

#include "libshmring/system.hpp"

namespace shmring {
namespace {

constexpr std::uint64_t kWindowNs = 1'000'000'000;  // of a measurement that is good enough to keep
constexpr std::uint64_t kShortestNs = 10'000;       // of one that is better than none
constexpr std::uint64_t kJumpNs = 1'000'000;  // over less, the readings' own errors are larger than a jump

/// A process may have forbidden itself the instruction (PR_SET_TSC): it would be killed for it.
bool may_be_read() noexcept {
#if defined(__x86_64__)
  int mode = 0;
  return ::prctl(PR_GET_TSC, &mode) != 0 || mode == PR_TSC_ENABLE;
#else
  return false;
#endif
}

bool is_invariant() noexcept {
#if defined(__x86_64__)
  constexpr unsigned kPowerManagement = 0x80000007;
  constexpr unsigned kInvariantTsc = 1U << 8U;
  unsigned a = 0, b = 0, c = 0, d = 0;
  return __get_cpuid(kPowerManagement, &a, &b, &c, &d) != 0 && (d & kInvariantTsc) != 0;
#else
  return false;
#endif
}

/// The kernel takes a TSC off this list when it finds that processors disagree, or that it stops.
bool is_trusted_by_kernel() {
  std::ifstream list("/sys/devices/system/clocksource/clocksource0/available_clocksource");
  for (std::string name; list >> name;) {
    if (name == "tsc") return true;
  }
  return false;
}

/// Of a few readings the one that was interrupted least.
ClockReading read_clocks() noexcept {
  ClockReading best;
  std::uint64_t best_width = ~std::uint64_t{0};
  for (int attempt = 0; attempt < 3; ++attempt) {
    const std::uint64_t before = read_tsc();
    const std::uint64_t unix_ns_now = unix_ns();
    const std::uint64_t ticks = read_tsc();
    const std::uint64_t monotonic = monotonic_ns();
    const std::uint64_t width = read_tsc() - before;
    if (width >= best_width) continue;
    best_width = width;
    best = {.ticks = ticks, .monotonic_ns = monotonic, .unix_ns = unix_ns_now};
  }
  return best;
}

/// 0: the readings make no sense.
std::uint64_t rate_of(std::uint64_t ns, std::uint64_t ticks) noexcept {
  constexpr double kFastest = 0x1p48;  // a tick of 65 us: no such processor
  const double rate = static_cast<double>(ns) * 0x1p32 / static_cast<double>(ticks);
  return rate < kFastest ? static_cast<std::uint64_t>(rate) : 0;
}

/// Ticks are stored last and cleared first: torn out by longjmp in between, there is none.
void begin_anew(Calibration& calibration, const ClockReading& now, std::uint64_t rate) noexcept {
  calibration.ticks = 0;
  std::atomic_signal_fence(std::memory_order_acq_rel);  // signal fence: against our own handlers
  calibration.monotonic_ns = now.monotonic_ns;
  calibration.rate = rate;
  std::atomic_signal_fence(std::memory_order_acq_rel);  // signal fence: complete before it counts
  calibration.ticks = now.ticks;
}

/// More than a thousandth off: no clock drifts so far. The machine slept, or was moved to another.
bool is_jump(std::uint64_t measured, std::uint64_t known) noexcept {
  return std::max(measured, known) - std::min(measured, known) > known / 1024;
}

}  // namespace

Clock usable(Clock clock) {
  const bool is_usable = clock != Clock::kTsc || (may_be_read() && is_invariant() && is_trusted_by_kernel());
  return is_usable ? clock : Clock::kRealtime;
}

Calibration calibration_now() noexcept {
  if (!may_be_read()) return {};
  const ClockReading now = read_clocks();
  return {.ticks = now.ticks, .monotonic_ns = now.monotonic_ns};
}

std::optional<TickAnchor> anchor_at(const ClockReading& now, Calibration& calibration) noexcept {
  const std::uint64_t ticks = now.ticks - calibration.ticks;
  const std::uint64_t ns = now.monotonic_ns - calibration.monotonic_ns;
  const bool is_backwards = now.ticks <= calibration.ticks || now.monotonic_ns < calibration.monotonic_ns;
  const bool is_known = calibration.rate != 0;
  if (calibration.ticks == 0 || is_backwards ||
      (is_known && ns >= kJumpNs && is_jump(rate_of(ns, ticks), calibration.rate))) {
    begin_anew(calibration, now, 0);
    return std::nullopt;
  }
  if (!is_known && ns < kShortestNs) return std::nullopt;
  const bool is_window = ns >= kWindowNs;
  const std::uint64_t rate = is_known && !is_window ? calibration.rate : rate_of(ns, ticks);
  if (rate == 0) {
    begin_anew(calibration, now, 0);
    return std::nullopt;
  }
  if (is_window) begin_anew(calibration, now, rate);
  const auto a_second =
      static_cast<std::uint64_t>(static_cast<double>(kWindowNs) * 0x1p32 / static_cast<double>(rate));
  return TickAnchor{.clock = {.ticks = now.ticks, .unix_ns = now.unix_ns, .rate = rate},
                    .holds_ticks = is_known || is_window ? a_second : std::min(ticks, a_second)};
}

TickAnchor anchor_now(Calibration& calibration) noexcept {
  constexpr int kAttempts = 2000;  // some hundred microseconds; a calibration takes ten
  for (int attempt = 0; attempt < kAttempts; ++attempt) {
    if (const auto anchor = anchor_at(read_clocks(), calibration)) return *anchor;
  }
  // CLOCK_MONOTONIC stands still (somebody fakes it). An anchor for this moment only, by a rate that no processor is far from.
  constexpr std::uint64_t kNominalRate = (std::uint64_t{1} << 32U) * 2 / 5;  // 2.5 GHz
  const ClockReading now = read_clocks();
  return {.clock = {.ticks = now.ticks, .unix_ns = now.unix_ns, .rate = kNominalRate}, .holds_ticks = 1};
}

}  // namespace shmring
