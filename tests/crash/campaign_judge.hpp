// SPDX-License-Identifier: Apache-2.0
// The oracle of the campaign of random kills: what has to hold of a ring when all who used it are dead, and a last flusher has
// emptied it.
#pragma once

#include <cstdint>
#include <string>

#include "libshmring/ring_file.hpp"
#include "shmring/layout.hpp"
#include "tests/crash/two_flushers.hpp"

namespace shmring::testing {

/// What the ledgers of all rounds say.
struct CampaignTotals {
  std::uint64_t kills = 0;
  std::uint64_t flusher_kills = 0;
  std::uint64_t takeovers = 0;  // of a lease whose holder lived
  std::uint64_t committed = 0;
  std::uint64_t large = 0;  // of the committed: runs of blocks
  std::uint64_t refused = 0;
  std::uint64_t unheard = 0;  // the kill came between an issue and the answer
  std::uint64_t evicted = 0;  // policy drop-oldest
  std::uint64_t duplicates =
      0;  // handed out again because the flusher died, or lost its lease, before its acknowledgement
  std::uint64_t superseded = 0;    // acknowledgements refused to a flusher that had lost its lease
  std::uint64_t late_records = 0;  // handed out by such a flusher
};

/// Empties the ring; what does not hold, empty: everything does. REQUIRES: nobody uses the ring any more.
std::string judge(const RingFile& file, CampaignLedger& ledger, FullPolicy policy, CampaignTotals& totals);

}  // namespace shmring::testing
