// SPDX-License-Identifier: Apache-2.0
// The warning that comes before the loss: a destination is away, there is no spool, and the ring fills.
#pragma once

#include <vector>

#include "flusher/delivery.hpp"
#include "flusher/log.hpp"
#include "flusher/schedule.hpp"

namespace shmring::flusher {

/// `fill`: part of the ring's blocks that is in use. Says something from a half on, for each destination whose attempts fail: at
/// most once in ten seconds.
void warn_of_full_ring(double fill, const Delivery& delivery, const std::vector<Destination>& destinations,
                       Log& log, TimePoint now = Clock::now());

}  // namespace shmring::flusher
