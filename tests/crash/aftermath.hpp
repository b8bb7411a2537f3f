// SPDX-License-Identifier: Apache-2.0
// What must hold after a death: recovery on the bytes that were left behind, and the oracle's verdict.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "tests/crash/ledger.hpp"

namespace shmring::testing {

/// One instant of a story: the ring as a death would leave it, and what was known then.
struct Instant {
  std::vector<std::byte> ring;
  Ledger ledger;
  std::uint64_t step = 0;
  std::string place;  // the instruction that would have come next
};

/// What is particular about a story.
struct Circumstances {
  std::uint32_t alive = 0;             // writers that live on and hold a slot each
  std::uint32_t blocks_of_living = 0;  // blocks that they keep
  bool full = false;                   // another producer may find the ring full until it was drained
  bool given_back =
      false;  // a flusher gives back what it was handed: it counts duplicates itself, where it has sent something
  bool may_evict = false;  // policy drop-oldest: what is not handed out must be counted as evicted
};

/// Recovers the ring as if its process had died at this instant, in two ways, each on a copy of its own and in a process
/// of its own: a flusher comes first, or another producer does. Then: what was committed is delivered exactly, the record
/// in flight is whole or absent, what was acknowledged is not handed out again, every block and every slot can be used
/// again, the accounting closes, fsck finds no damage. Returns what does not hold; empty: everything does.
std::string verdict(const Instant& instant, const Circumstances& circumstances,
                    const std::filesystem::path& folder);

}  // namespace shmring::testing
