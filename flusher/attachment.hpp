// SPDX-License-Identifier: Apache-2.0
// How the flusher gets at its ring: attaches, making the ring where there is none, and waits for the lease.
#pragma once

#include <functional>
#include <memory>
#include <optional>

#include "flusher/config.hpp"
#include "flusher/event_loop.hpp"
#include "flusher/log.hpp"
#include "libshmring/lease.hpp"
#include "libshmring/ring_file.hpp"
#include "shmring/result.hpp"

namespace shmring::flusher {

/// Producers make the ring as well: whoever comes first. The sizes of the Config matter only then.
Result<std::unique_ptr<RingFile>> attach_or_create(const Config& config, Log& log);

/// Takes the lease, or stands by until its holder ends; that is seen at once where the holder's process can be watched,
/// and within 50 ms where not. nullopt: `is_told_to_end` said so.
Result<std::optional<Lease>> wait_for_lease(const RingFile& ring, EventLoop& loop, Log& log,
                                            const std::function<bool()>& is_told_to_end);

}  // namespace shmring::flusher
