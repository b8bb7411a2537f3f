// SPDX-License-Identifier: Apache-2.0
// The oracle of the campaign of random kills.
#include "tests/crash/campaign_judge.hpp"

#include "libshmring/accounting.hpp"
#include "libshmring/fsck.hpp"
#include "libshmring/liveness.hpp"

namespace shmring::testing {
namespace {

class Judge {
 public:
  Judge(const RingFile& file, CampaignLedger& ledger, FullPolicy policy)
      : file_(file), ledger_(ledger), may_evict_(policy == FullPolicy::kDropOldest) {}

  void empty_the_ring() {
    const std::uint32_t before = ledger_.after_ack;
    EnteringFlusher<CampaignLedger> flusher(file_, ledger_);
    if (!flusher.started()) return problem("no flusher can start");
    if (!flusher.empty(file_)) problem("an acknowledgement fails");
    expect_equal(ledger_.after_ack, before,
                 "records that the last flusher was handed after their acknowledgement");
  }

  void count_records() {
    for (std::uint32_t id = 0; id < ledger_.issued; ++id) {
      const bool arrived = ledger_.handed[id] != 0;
      const bool obliged = ledger_.obliged[id] != 0;
      delivered_ += arrived ? 1 : 0;
      handings_ += ledger_.handed[id];
      obliged_ += obliged ? 1 : 0;
      never_seen_ += obliged && !arrived ? 1 : 0;
      large_ += obliged && ledger_.large[id] == Large::kYes ? 1 : 0;
      acknowledged_ += ledger_.acknowledged[id];
      acknowledged_twice_ += ledger_.acknowledged[id] > 1 ? 1 : 0;
    }
    unheard_ = ledger_.issued - obliged_ - ledger_.refused;
  }

  void judge_records() {
    expect_equal(ledger_.mangled, 0, "records mangled");
    expect_equal(ledger_.corrupt, 0, "records corrupt");
    expect_equal(ledger_.after_ack_by_holder, 0, "records handed out after their acknowledgement");
    expect_equal(ledger_.late_again, 0, "slices after the first that a flusher without a lease was handed");
    expect_equal(acknowledged_twice_, 0, "records acknowledged twice");
    // What no flusher was ever handed was evicted; where nothing may be, it is lost.
    if (never_seen_ > evicted()) {
      problem(std::to_string(never_seen_) + " committed records never handed out, " +
              std::to_string(evicted()) + " evicted: the difference is lost");
    }
    // Each record that was accepted was handed out once. Any more handings were in vain: their flusher died, or lost its
    // lease, before the acknowledgement. Its successor counted what it found pinned, which is all but what came late.
    const std::uint64_t told = accounting_.total.duplicates_possible + ledger_.late_records;
    if (in_vain() > told) {
      problem(std::to_string(in_vain()) + " records handed out in vain, " + std::to_string(told) +
              " counted");
    }
  }

  void judge_accounting() {
    const SignalAccounting& total = accounting_.total;
    if (accounting_.closing != Closing::kCloses) problem("the accounting does not close");
    expect_equal(total.pending, 0, "pending");
    expect_equal(total.written, accepted() + evicted(), "written");
    if (!may_evict_) expect_equal(evicted(), 0, "evicted");
    if (!may_evict_) expect_equal(total.written, delivered_, "written, by what arrived");
    if (accepted() > delivered_) problem("more accepted than handed out");
    // An acknowledgement that returned kDone stays. One that was killed before it returned may have been counted.
    if (accepted() < acknowledged_) {
      problem(std::to_string(acknowledged_) + " acknowledged, only " + std::to_string(accepted()) +
              " accepted");
    }
    expect_between(total.written, obliged_, obliged_ + unheard_, "written");
    expect_between(total.dropped_total(), ledger_.refused, ledger_.refused + unheard_, "dropped");
  }

  void judge_ring() {
    expect_equal(accounting_.blocks.free, file_.geometry().block_count, "free blocks");
    for (const WriterSlot& slot : file_.slots()) {
      if (liveness(slot, Ask::kWordAndProc) == Liveness::kAlive) problem("a slot's holder seems to live");
    }
    for (const Finding& finding : fsck(file_)) {
      if (finding.severity == Finding::Severity::kDamage) problem(finding.where + ": " + finding.what);
    }
  }

  std::string verdict(CampaignTotals& totals) {
    empty_the_ring();
    accounting_ = account(file_);
    count_records();
    judge_records();
    judge_accounting();
    judge_ring();
    totals.committed += obliged_;
    totals.large += large_;
    totals.refused += ledger_.refused;
    totals.unheard += unheard_;
    totals.evicted += evicted();
    totals.duplicates += in_vain();
    totals.superseded += ledger_.superseded;
    totals.late_records += ledger_.late_records;
    return problems_;
  }

 private:
  void problem(const std::string& what) { problems_ += what + "\n"; }
  void expect_equal(std::uint64_t got, std::uint64_t expected, const std::string& what) {
    if (got != expected) problem(what + ": " + std::to_string(got) + ", not " + std::to_string(expected));
  }
  void expect_between(std::uint64_t got, std::uint64_t least, std::uint64_t most, const std::string& what) {
    if (got >= least && got <= most) return;
    problem(what + ": " + std::to_string(got) + ", not between " + std::to_string(least) + " and " +
            std::to_string(most));
  }
  std::uint64_t outcome(Outcome which) const {
    return accounting_.total.outcomes[static_cast<std::size_t>(which)];
  }
  std::uint64_t accepted() const { return outcome(Outcome::kAccepted); }
  std::uint64_t evicted() const { return outcome(Outcome::kEvicted); }
  std::uint64_t in_vain() const { return handings_ > accepted() ? handings_ - accepted() : 0; }

  const RingFile& file_;
  CampaignLedger& ledger_;
  const bool may_evict_;
  Accounting accounting_;
  std::uint64_t delivered_ = 0;
  std::uint64_t handings_ = 0;
  std::uint64_t obliged_ = 0;
  std::uint64_t never_seen_ = 0;
  std::uint64_t large_ = 0;
  std::uint64_t acknowledged_ = 0;
  std::uint64_t acknowledged_twice_ = 0;
  std::uint64_t unheard_ = 0;
  std::string problems_;
};

}  // namespace

std::string judge(const RingFile& file, CampaignLedger& ledger, FullPolicy policy, CampaignTotals& totals) {
  return Judge(file, ledger, policy).verdict(totals);
}

}  // namespace shmring::testing
