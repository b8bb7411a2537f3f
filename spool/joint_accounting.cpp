// SPDX-License-Identifier: Apache-2.0
// Ring and spools, added up.

#include "spool/joint_accounting.hpp"

#include <algorithm>
#include <utility>

#include "spool/spool_note.hpp"

namespace shmring::spool {
namespace {

RingId id_of(const RingFile& ring) {
  RingId id;
  std::copy(std::begin(ring.header().identity.uuid), std::end(ring.header().identity.uuid), id.begin());
  return id;
}

std::vector<SpoolLook> look(const RingFile& ring) {
  std::vector<SpoolLook> looks;
  for (const auto& folder : spools_of(ring.path())) {
    SpoolLook each{.folder = folder, .problem = "", .view = {}};
    std::error_code ignored;
    if (!std::filesystem::exists(folder / SpoolFile::kFileName, ignored)) {
      each.problem = "there is no " + (folder / SpoolFile::kFileName).string();
    } else if (auto view = view_spool(folder, id_of(ring))) {
      each.view = std::move(*view);
    } else {
      each.problem = view.error().message;
    }
    looks.push_back(std::move(each));
  }
  return looks;
}

/// Records that the spool has taken over and that the ring has not acknowledged: they are in both.
std::uint64_t in_both(const RingFile& ring, const SpoolView& view, std::size_t signal) {
  std::uint64_t records = 0;
  for (const HandedPiece& piece : view.handed) {
    if (static_cast<std::size_t>(piece.key.signal) != signal ||
        piece.key.block >= ring.geometry().block_count)
      continue;
    const ExportedWord exported = ExportedWord::unpack(
        ring.descriptors()[piece.key.block].exported.load(std::memory_order_acquire));  // P4
    const bool has_passed = ((exported.count - piece.key.end_count) & kCountMask) <= kCountMask / 2;
    if (!has_passed) records += piece.valid;
  }
  return records;
}

/// Adds the spools' books to the ring's. False: they do not fit each other.
bool add(const RingFile& ring, JointAccounting& joint) {
  bool closes = true;
  for (std::size_t s = 0; s < kSignalCount; ++s) {
    SignalAccounting& signal = joint.accounting.signals[s];
    std::uint64_t& spooled = signal.outcomes[static_cast<std::size_t>(Outcome::kSpooled)];
    const auto add_to = [&](Outcome outcome, std::uint64_t records) {
      signal.outcomes[static_cast<std::size_t>(outcome)] += records;
    };
    for (const SpoolLook& each : joint.spools) {
      const SpoolTotals& totals = each.view.totals[s];
      const std::uint64_t both = std::min(in_both(ring, each.view, s), totals.pending);
      closes = closes && totals.closes() && totals.taken - both <= spooled;
      spooled -= std::min(totals.taken - both, spooled);
      add_to(Outcome::kAccepted, totals.accepted);
      add_to(Outcome::kRejected, totals.rejected);
      add_to(Outcome::kDeadLettered, totals.dead_lettered);
      add_to(Outcome::kSpoolEvicted, totals.spool_evicted);
      add_to(Outcome::kCorrupt, totals.corrupt);
      signal.pending += totals.pending - both;
      joint.pending_in_spool[s] += totals.pending;
    }
    closes = closes && spooled == 0;
  }
  return closes;
}

void add_up(Accounting& accounting) {
  accounting.total.pending = 0;
  accounting.total.outcomes = {};
  for (const SignalAccounting& signal : accounting.signals) {
    accounting.total.pending += signal.pending;
    for (std::size_t o = 0; o < kOutcomeCount; ++o) accounting.total.outcomes[o] += signal.outcomes[o];
  }
}

bool is_same(const std::vector<SpoolLook>& a, const std::vector<SpoolLook>& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](const SpoolLook& x, const SpoolLook& y) {
    return x.problem == y.problem && x.view.totals == y.view.totals &&
           x.view.handed.size() == y.view.handed.size();
  });
}

}  // namespace

JointAccounting account_with_spools(const RingFile& ring, unsigned attempts) {
  JointAccounting joint;
  bool is_still = false;
  for (unsigned attempt = 0; attempt < attempts; ++attempt) {
    joint = {.accounting = {}, .pending_in_spool = {}, .spools = look(ring)};
    joint.accounting = account(ring);
    const Closing of_ring = joint.accounting.closing;
    const auto spooled = joint.accounting.total.outcomes[static_cast<std::size_t>(Outcome::kSpooled)];
    const bool closes = add(ring, joint);
    add_up(joint.accounting);
    if (closes || of_ring != Closing::kCloses) return joint;
    joint.accounting.closing = Closing::kOpen;
    // A handover between the looks: the spool's books or the ring's have moved on.
    is_still = is_same(joint.spools, look(ring)) &&
               account(ring).total.outcomes[static_cast<std::size_t>(Outcome::kSpooled)] == spooled;
    if (is_still && attempt >= 2) return joint;
  }
  if (!is_still) joint.accounting.closing = Closing::kInMotion;
  return joint;
}

}  // namespace shmring::spool
