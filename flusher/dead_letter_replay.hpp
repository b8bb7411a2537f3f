// SPDX-License-Identifier: Apache-2.0
// --replay-dead-letters: sends what was refused once more, and removes what is taken now.
#pragma once

#include "flusher/config.hpp"
#include "flusher/log.hpp"

namespace shmring::flusher {

/// Each letter goes to the destination that refused it. The exit code: 0 when all were taken.
int replay_dead_letters(const Config& config, Log& log);

}  // namespace shmring::flusher
