// SPDX-License-Identifier: Apache-2.0
// The two sets of outcome counters of a block: filled while nobody looks at them, made valid by the store that moves
// `exported` (R6). Safe against a flusher that lost its lease and does not know it yet.
#pragma once

#include <cstdint>

#include "libshmring/reader.hpp"
#include "shmring/layout.hpp"

namespace shmring {

/// Makes the word bear `epoch`, so that no CAS of an earlier flusher can succeed any more. Returns the word.
/// nullopt: the lease of that epoch is over, or somebody else keeps changing the word.
std::optional<std::uint64_t> fence_exported(const RingHeader& header, BlockDescriptor& descriptor,
                                            std::uint64_t epoch) noexcept;

/// Fills the set that is not valid with the valid one's totals plus `counts`. False: a later flusher was here.
bool fill_other_set(const RingHeader& header, BlockDescriptor& descriptor, const ExportedWord& exported,
                    Signal signal, const OutcomeCounts& counts, std::uint64_t epoch) noexcept;

/// All outcomes of a set, of all signals together, modulo 2^40: what must equal exported.count (I5).
std::uint64_t sum_of_set(const BlockDescriptor& descriptor, std::uint32_t set) noexcept;

}  // namespace shmring
