// SPDX-License-Identifier: Apache-2.0
// From SEALED to FREE (R7), and the death of owners that the kernel did not mark.
#pragma once

#include <cstdint>
#include <optional>

#include "libshmring/ring_file.hpp"

namespace shmring {

/// Whether the words say that nothing of the block is left to export; also of a recycling that was interrupted.
bool nothing_left(const CommittedWord& committed, const ExportedWord& exported) noexcept;

/// SEALED, everything exported -> FREE in its next generation, with the CONT blocks of its run; wakes who waits for room. `state` was
/// loaded before the other two (R4). False: superseded at some step; whoever did that goes on from there.
bool recycle(const RingFile& ring, std::uint32_t index, std::uint64_t state, std::uint64_t exported,
             std::uint64_t committed) noexcept;

/// The CONT blocks to the right of a head become FREE, the topmost first, each only while the head's state word is `head_word` (R10).
/// False: it is not any more.
bool free_conts(const RingFile& ring, std::uint32_t head, std::uint64_t head_word) noexcept;

/// The block to whose run a CONT block belongs: the nearest to its left that is no CONT, no further away than a run is long. The block
/// itself when it is no CONT; nullopt: none is near enough, so it is damage.
std::optional<std::uint32_t> head_of(const RingFile& ring, std::uint32_t index) noexcept;

/// `word` -> FREE in its next generation; wakes who waits for room. False: the state word is another by now.
bool make_free(RingHeader& header, BlockDescriptor& descriptor, std::uint64_t word) noexcept;

/// How far the words of a block may reach: to its end, or to the end of the run that it heads. In bytes.
std::uint32_t reach(const RingFile& ring, std::uint32_t index) noexcept;

/// A holder (or claimer) that /proc proves gone while its mutex does not say so: its blocks become orphans, its slot free (R13).
/// REQUIRES: the claim word read when that was found out.
bool vacate(WriterSlot& slot, std::uint64_t claim) noexcept;

}  // namespace shmring
