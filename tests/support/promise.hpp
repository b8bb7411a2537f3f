// SPDX-License-Identifier: Apache-2.0
// The end of every promise's test: faults gone, is everything where it has to be?
#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <string>

#include "libshmring/accounting.hpp"
#include "libshmring/fsck.hpp"
#include "shmring/logger.hpp"
#include "tests/support/drainer.hpp"
#include "tests/support/obligations.hpp"
#include "tests/support/scratch_ring.hpp"
#include "tests/support/shared_page.hpp"

namespace shmring::testing {

inline std::uint64_t dropped(const Accounting& accounting, DropCause cause) {
  return accounting.total.dropped[static_cast<std::size_t>(cause)];
}
inline std::uint64_t outcome(const Accounting& accounting, Outcome which) {
  return accounting.total.outcomes[static_cast<std::size_t>(which)];
}

inline std::string damage_in(const RingFile& file) {
  std::string text;
  for (const Finding& finding : fsck(file)) {
    if (finding.severity == Finding::Severity::kDamage) text += finding.where + ": " + finding.what + "\n";
  }
  return text;
}

/// What accounting and fsck say of a ring that nobody writes to at the moment.
inline void expect_closed(const RingFile& file) {
  const Accounting accounting = account(file);
  EXPECT_EQ(accounting.closing, Closing::kCloses);
  EXPECT_EQ(accounting.total.written, accounting.total.fates());
  EXPECT_EQ(accounting.blocks.free + accounting.blocks.open + accounting.blocks.sealed,
            accounting.blocks.total);
  EXPECT_EQ(accounting.blocks.total, file.geometry().block_count);
  EXPECT_EQ(damage_in(file), "");
}

/// A ring, the obligations towards whoever writes to it, and what arrived.
class Promise {
 public:
  explicit Promise(const RingShape& shape = {}) : scratch_(shape), file_(scratch_.attach()) {}

  const ScratchRing& scratch() const noexcept { return scratch_; }
  const RingFile& file() const noexcept { return file_; }
  Obligations& obligations() const noexcept { return *obligations_; }
  int obligations_fd() const noexcept { return obligations_.fd(); }
  Deliveries& deliveries() noexcept { return deliveries_; }
  Accounting accounting() const { return account(file_); }

  /// Delivers all that there is; then nothing may be lost, invented or mangled, a fresh record must get through, and the books close.
  void expect_kept() {
    Drainer drainer(file_);
    expect_kept(drainer);
  }
  void expect_kept(Drainer& drainer) {
    drainer.empty(deliveries_);
    const std::uint64_t before = deliveries_.total();
    const Ring ring = scratch_.open();
    EXPECT_TRUE(emit_one(ring.logger("test"), obligations())) << "a fresh record is refused";
    drainer.empty(deliveries_);
    EXPECT_EQ(deliveries_.total(), before + 1) << "a fresh record does not get through";
    expect_complete();
    const Accounting accounting = account(file_);
    EXPECT_EQ(accounting.total.pending, 0U);
    // In a test without two flushers each written record was delivered once: the ring's books and ours must agree.
    EXPECT_EQ(accounting.total.written,
              outcome(accounting, Outcome::kAccepted) + outcome(accounting, Outcome::kCorrupt));
    expect_closed(file_);
  }

  /// REQUIRES: expect_kept() was called, and every producer but the calling thread has ended. All blocks are free but the
  /// one that the fresh record opened.
  void expect_blocks_back() const {
    const BlockCensus blocks = account(file_).blocks;
    EXPECT_LE(blocks.open, 1U);
    EXPECT_EQ(blocks.sealed, 0U);
    EXPECT_EQ(blocks.free + blocks.open, blocks.total);
  }

  /// The oracle alone, for those who drain otherwise.
  void expect_complete() const {
    EXPECT_EQ(deliveries_.lost(*obligations_), 0U);
    EXPECT_EQ(deliveries_.invented(*obligations_), 0U);
    EXPECT_EQ(deliveries_.mangled(), 0U);
  }

 private:
  ScratchRing scratch_;
  RingFile file_;
  Shared<Obligations> obligations_;
  Deliveries deliveries_;
};

}  // namespace shmring::testing
