// SPDX-License-Identifier: Apache-2.0
// Times that were left as ticks of the TSC, made nanoseconds since 1970 in a reader's own copy of a block.
#pragma once

#include <cstddef>
#include <span>

#include "shmring/layout.hpp"

namespace shmring {

/// What the ticks mean by this clock. Pure; whatever the anchor says, it is a number.
std::uint64_t unix_ns_of(const ClockAnchor& clock, std::uint64_t ticks) noexcept;

/// Converts in place, up to where framing breaks; what is converted already stays. `bytes` begin where a block begins.
void convert_ticks(std::span<std::byte> bytes, Signal signal) noexcept;

}  // namespace shmring
