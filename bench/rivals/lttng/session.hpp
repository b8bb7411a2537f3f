// SPDX-License-Identifier: Apache-2.0
// A recording session of a session daemon of our own, in a folder of its own.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>

#include "shmring/result.hpp"

namespace shmring::bench {

class LttngSession {
 public:
  /// Starts the daemon as a child and a recording of all our tracepoints. Programs started with environment() after that
  /// find it. LTTng has its sockets in one place for all of root's programs; so root becomes nobody first, for good.
  static Result<std::unique_ptr<LttngSession>> start();
  /// Ends the recording and the daemon; the folder goes away with them.
  ~LttngSession();
  LttngSession(const LttngSession&) = delete;
  LttngSession& operator=(const LttngSession&) = delete;

  /// Ends the recording. Events that LTTng had no room for: a measurement with such events is none.
  Result<std::uint64_t> stop();

 private:
  explicit LttngSession(std::filesystem::path folder) : folder_(std::move(folder)) {}
  Result<void> start_daemon();
  Result<void> start_recording();

  std::filesystem::path folder_;
  pid_t daemon_ = -1;
};

/// Waits until nothing was written to the recording for some milliseconds: the consumer daemon has nothing left to do.
void wait_for_idle_consumer(const std::filesystem::path& recording);

/// Where the recording is, given LTTNG_HOME.
std::filesystem::path recording_in(const std::filesystem::path& home);

}  // namespace shmring::bench
