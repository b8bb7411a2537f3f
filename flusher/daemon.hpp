// SPDX-License-Identifier: Apache-2.0
// The program's life: attach, hold the lease, drain on schedule, end in order.
#pragma once

#include "flusher/configuration.hpp"
#include "flusher/log.hpp"

namespace shmring::flusher {

/// Runs until a signal, or (--once) until all that the ring held has its outcome. Returns the exit code.
int run_daemon(Configuration& configuration, Log& log);

}  // namespace shmring::flusher
