// SPDX-License-Identifier: Apache-2.0
// Policy drop-oldest (R8): a claim that finds no room takes the oldest block that no flusher is reading.
#pragma once

#include <cstdint>
#include <optional>

#include "libshmring/ring_core.hpp"

namespace shmring {

/// Whether a full ring makes room by dropping its oldest records: a setting.
bool drops_oldest(const RingHeader& header) noexcept;

/// Takes the block that was opened first among those that are SEALED, or whose owner is gone, and not pinned: counts what
/// is left in it as evicted, and makes it OPEN for `state` in a new life. nullopt: there is none, or it was taken away.
std::optional<std::uint32_t> evict_oldest(RingCore& ring, const WriterState& state, Signal signal) noexcept;

/// Makes `blocks` neighbours FREE, from the oldest block on where that is possible; the first of them. Others may claim them before
/// the caller does. nullopt: nowhere are so many that nobody writes to or reads.
std::optional<std::uint32_t> evict_neighbours(RingCore& ring, const WriterState& state,
                                              std::uint32_t blocks) noexcept;

}  // namespace shmring
