// SPDX-License-Identifier: Apache-2.0
// Schedule, export timeout, batch size, concurrency and full-ring policy, each for all signals and for one.
#pragma once

#include <vector>

#include "flusher/settings.hpp"

namespace shmring::flusher {

/// Named OTEL_BSP_*, OTEL_BLRP_* and OTEL_METRIC_EXPORT_* in the environment, where the specification has such a name.
void add_signal_settings(std::vector<Setting>& all);

}  // namespace shmring::flusher
