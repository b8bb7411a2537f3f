// SPDX-License-Identifier: Apache-2.0
// From SEALED to FREE (R7), and the death of owners that the kernel did not mark.
#pragma once

#include <cstdint>

#include "libshmring/ring_file.hpp"

namespace shmring {

/// Whether the words say that nothing of the block is left to export; also of a recycling that was interrupted.
bool nothing_left(const CommittedWord& committed, const ExportedWord& exported) noexcept;

/// SEALED, everything exported -> FREE in its next generation; wakes who waits for room. `state` was loaded before the
/// other two (R4). False: superseded at some step; whoever did that goes on from there.
bool recycle(RingHeader& header, BlockDescriptor& descriptor, std::uint64_t state, std::uint64_t exported,
             std::uint64_t committed) noexcept;

/// A holder (or claimer) that /proc proves gone while its mutex does not say so: its blocks become orphans, its slot free (R13).
/// REQUIRES: the claim word read when that was found out.
bool vacate(WriterSlot& slot, std::uint64_t claim) noexcept;

}  // namespace shmring
