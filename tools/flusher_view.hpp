// SPDX-License-Identifier: Apache-2.0
// Who drains a ring, as the ring and the lock on it tell: for status and for the verbs of `shmring flusher`.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string_view>

#include "libshmring/ring_file.hpp"
#include "shmring/result.hpp"

namespace shmring::tools {

enum class FlusherState {
  kNone,     // nobody holds the lease
  kRunning,  // held, and the heartbeat is fresh
  kStale,    // held, and no heartbeat for 5 intervals, at least 2 s: stopped, hung, or starved of CPU
};

std::string_view to_string(FlusherState state);

struct FlusherView {
  FlusherState state = FlusherState::kNone;
  std::uint32_t pid = 0;  // in its own pid namespace; 0: nobody said
  std::uint64_t pid_namespace = 0;
  std::uint64_t epoch = 0;
  std::uint64_t started_ns = 0;                           // CLOCK_BOOTTIME: when it took the lease
  std::optional<std::chrono::nanoseconds> heartbeat_age;  // nothing: there was never a heartbeat
  std::chrono::milliseconds interval{0};                  // of its schedule
};

/// The state of a holder whose last heartbeat is `age` old. A holder that has not had its first heartbeat yet counts as
/// running until its start is as old.
FlusherState state_of_holder(std::chrono::nanoseconds age, std::chrono::milliseconds interval);

Result<FlusherView> view_flusher(const RingFile& ring);

}  // namespace shmring::tools
