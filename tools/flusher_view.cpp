// SPDX-License-Identifier: Apache-2.0
// Who drains a ring, as the ring and the lock on it tell: for status and for the verbs of `shmring flusher`.
#include "tools/flusher_view.hpp"

#include <algorithm>
#include <atomic>

#include "libshmring/lease.hpp"
#include "libshmring/liveness.hpp"

namespace shmring::tools {
namespace {

using std::chrono::milliseconds;
using std::chrono::nanoseconds;

constexpr int kMissedBeats = 5;
constexpr milliseconds kLeastStaleness{2000};

nanoseconds since(std::uint64_t now_ns, std::uint64_t then_ns) {
  // A heartbeat of after our look at the clock is no age below zero.
  return nanoseconds{now_ns > then_ns ? static_cast<std::int64_t>(now_ns - then_ns) : 0};
}

}  // namespace

std::string_view to_string(FlusherState state) {
  switch (state) {
    case FlusherState::kNone:
      return "none";
    case FlusherState::kRunning:
      return "running";
    case FlusherState::kStale:
      return "stale";
  }
  return "unknown";
}

FlusherState state_of_holder(nanoseconds age, milliseconds interval) {
  return age > std::max<nanoseconds>(interval * kMissedBeats, kLeastStaleness) ? FlusherState::kStale
                                                                               : FlusherState::kRunning;
}

Result<FlusherView> view_flusher(const RingFile& ring) {
  const auto lease = lease_state(ring);
  if (!lease) return lease.error();
  const RingHeader& header = ring.header();
  // All relaxed: single words for people, and the lock is what decides.
  FlusherView view;
  view.pid = header.flusher_pid.load(std::memory_order_relaxed);
  view.pid_namespace = header.flusher_pid_namespace.load(std::memory_order_relaxed);
  view.epoch = header.epoch.load(std::memory_order_relaxed);
  view.started_ns = header.flusher_started_ns.load(std::memory_order_relaxed);
  view.interval = milliseconds{header.interval_ms.load(std::memory_order_relaxed)};
  const std::uint64_t beat_ns = header.heartbeat_ns.load(std::memory_order_relaxed);
  const std::uint64_t now_ns = boottime_ns();
  if (beat_ns != 0) view.heartbeat_age = since(now_ns, beat_ns);
  if (*lease == LeaseState::kHeld) {
    view.state = state_of_holder(since(now_ns, std::max(beat_ns, view.started_ns)), view.interval);
  }
  return view;
}

}  // namespace shmring::tools
