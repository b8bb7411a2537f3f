// SPDX-License-Identifier: Apache-2.0
// Real SIGKILLs at random instants: producers of one and of several threads, and the flusher, die and are replaced, again and
// again, on one small ring. At the end of each round the oracle judges. usage: crash_campaign KILLS [SEED]
#include <signal.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <thread>
#include <vector>

#include "libshmring/accounting.hpp"
#include "libshmring/fsck.hpp"
#include "libshmring/liveness.hpp"
#include "tests/crash/ledger.hpp"
#include "tests/support/child.hpp"
#include "tests/support/eventually.hpp"
#include "tests/support/scratch_ring.hpp"
#include "tests/support/shared_page.hpp"

namespace shmring::testing {
namespace {

using LargeLedger = BasicLedger<kMaxIds>;
using Flusher = EnteringFlusher<LargeLedger>;

constexpr std::uint32_t kSpareIds = 4096;       // left when a round ends
constexpr std::uint32_t kKillsPerRound = 1000;  // at most
constexpr std::size_t kProducers = 4;
constexpr std::size_t kFlusher = kProducers;  // index of its process
constexpr RingShape kShape{.blocks = 64, .block_bytes = 4096, .writers = 32};

struct Totals {
  std::uint64_t kills = 0;
  std::uint64_t flusher_kills = 0;
  std::uint64_t issued = 0;
  std::uint64_t committed = 0;
  std::uint64_t refused = 0;
  std::uint64_t unheard = 0;     // the kill came between an issue and the answer
  std::uint64_t duplicates = 0;  // handed out again because the flusher died before its acknowledgement
};

/// One ring and everybody who uses it until the round's kills are done.
class Round {
 public:
  Round(std::uint64_t seed, Totals& totals)
      : random_(seed), totals_(totals), scratch_(kShape), file_(scratch_.attach()) {
    for (std::size_t who = 0; who <= kFlusher; ++who) processes_.push_back(start(who));
  }

  void kill(std::uint64_t kills) {
    for (std::uint64_t done = 0; done < kills && LargeLedger::read(ledger_->issued) < kMaxIds - kSpareIds;) {
      spin(random_.below(std::uint64_t{1} << random_.below(18)));  // from nothing to a millisecond or so
      const std::size_t who = random_.below(kFlusher + 1);
      // Some stand still for a while before they die.
      if (random_.one_in(16)) {
        processes_[who].signal(SIGSTOP);
        continue;
      }
      end(who);
      processes_[who] = start(who);
      ++done;
    }
    for (std::size_t who = 0; who <= kFlusher; ++who) end(who);
  }

  /// What does not hold now that everybody is dead; empty: everything does.
  std::string verdict() {
    {
      Flusher flusher(file_, *ledger_);
      if (!flusher.started()) return "no flusher can start\n";
      if (!flusher.empty(file_)) problem("an acknowledgement fails");
    }
    judge_records();
    judge_ring();
    return problems_;
  }

 private:
  void problem(const std::string& what) { problems_ += what + "\n"; }
  void expect_equal(std::uint64_t got, std::uint64_t expected, const std::string& what) {
    if (got != expected) problem(what + ": " + std::to_string(got) + ", not " + std::to_string(expected));
  }

  Child start(std::size_t who) {
    const std::uint64_t seed = random_.bits();
    const pid_t parent = ::getpid();
    return Child::forked([&] {
      ::prctl(PR_SET_PDEATHSIG, SIGKILL);
      if (::getppid() != parent) return 1;
      return who == kFlusher ? flush(seed) : produce(seed);
    });
  }
  void end(std::size_t who) {
    processes_[who].signal(SIGKILL);
    const Ended ended = processes_[who].wait();
    if (!ended.by(SIGKILL) && !ended.with(0)) problem("a process ended by itself: " + ended.text());
    ++totals_.kills;
    totals_.flusher_kills += who == kFlusher ? 1 : 0;
  }

  /// Opens the ring and writes, in one thread or two, some of which end early, until it is killed or has enough.
  int produce(std::uint64_t seed) {
    SplitMix random(seed);
    const Ring ring = scratch_.open();
    const Logger logger = ring.logger("test");
    const std::uint64_t threads = random.below(3);
    std::vector<std::thread> others;
    for (std::uint64_t n = 0; n < threads; ++n) {
      others.emplace_back(
          [&, seed = random.bits(), records = random.below(200)] { write(logger, seed, records); });
    }
    write(logger, random.bits(), random.one_in(8) ? random.below(50) : kMaxIds);
    for (std::thread& thread : others) thread.join();
    return 0;
  }
  void write(const Logger& logger, std::uint64_t seed, std::uint64_t records) {
    SplitMix random(seed);
    for (std::uint64_t n = 0; n < records && LargeLedger::read(ledger_->issued) < kMaxIds - kSpareIds / 2;
         ++n) {
      if (!ledger_->emit(logger)) ::usleep(100);  // full: the flusher's turn
      spin(random.below(300));
    }
  }

  int flush(std::uint64_t seed) {
    SplitMix random(seed);
    Flusher flusher(file_, *ledger_);
    if (!flusher.started()) return 1;
    for (;;) {
      const std::uint64_t found = flusher.drain(random.one_in(4) ? random.below(20'000) : ~std::uint64_t{0});
      spin(random.below(2000));
      if (!random.one_in(4) && !flusher.acknowledge()) return 2;
      if (found == 0) ::usleep(50);
    }
  }

  void judge_records() {
    std::uint64_t lost = 0;
    std::uint64_t duplicates = 0;
    for (std::uint32_t id = 0; id < ledger_->issued; ++id) {
      lost += ledger_->obliged[id] != 0 && ledger_->handed[id] == 0 ? 1 : 0;
      duplicates += ledger_->handed[id] > 1 ? ledger_->handed[id] - 1U : 0;
      delivered_ += ledger_->handed[id] != 0 ? 1 : 0;
      obliged_ += ledger_->obliged[id];
    }
    expect_equal(lost, 0, "records lost");
    expect_equal(ledger_->mangled, 0, "records mangled");
    expect_equal(ledger_->corrupt, 0, "records corrupt");
    expect_equal(ledger_->after_ack, 0, "records handed out after their acknowledgement");
    const std::uint64_t told = account(file_).total.duplicates_possible;
    if (duplicates > told)
      problem(std::to_string(duplicates) + " duplicates, " + std::to_string(told) + " counted");
    totals_.issued += ledger_->issued;
    totals_.committed += obliged_;
    totals_.refused += ledger_->refused;
    totals_.unheard += ledger_->issued - obliged_ - ledger_->refused;
    totals_.duplicates += duplicates;
  }

  void judge_ring() {
    const Accounting accounting = account(file_);
    if (accounting.closing != Closing::kCloses) problem("the accounting does not close");
    expect_equal(accounting.total.written, delivered_, "written");
    expect_equal(accounting.total.outcomes[static_cast<std::size_t>(Outcome::kAccepted)], delivered_,
                 "accepted");
    expect_equal(accounting.total.pending, 0, "pending");
    expect_equal(accounting.blocks.free, kShape.blocks, "free blocks");
    const std::uint64_t unheard = ledger_->issued - obliged_ - ledger_->refused;
    const std::uint64_t dropped = accounting.total.dropped_total();
    if (dropped < ledger_->refused || dropped > ledger_->refused + unheard) {
      problem(std::to_string(dropped) + " drops counted, " + std::to_string(ledger_->refused) +
              " emits refused");
    }
    for (const WriterSlot& slot : file_.slots()) {
      if (liveness(slot, Ask::kWordAndProc) == Liveness::kAlive) problem("a slot's holder seems to live");
    }
    for (const Finding& finding : fsck(file_)) {
      if (finding.severity == Finding::Severity::kDamage) problem(finding.where + ": " + finding.what);
    }
  }

  SplitMix random_;
  Totals& totals_;
  ScratchRing scratch_;
  RingFile file_;
  Shared<LargeLedger> ledger_;
  std::vector<Child> processes_;
  std::uint64_t delivered_ = 0;
  std::uint64_t obliged_ = 0;
  std::string problems_;
};

void print(const Totals& totals, std::chrono::duration<double> taken) {
  const auto number = [](std::uint64_t n) { return static_cast<unsigned long long>(n); };
  std::printf(
      "%llu kills (%llu of the flusher), %.0f per second; %llu records committed, %llu refused, %llu cut off "
      "in the "
      "middle; %llu delivered again\n",
      number(totals.kills), number(totals.flusher_kills), static_cast<double>(totals.kills) / taken.count(),
      number(totals.committed), number(totals.refused), number(totals.unheard), number(totals.duplicates));
  std::fflush(stdout);
}

int campaign(std::uint64_t kills, std::uint64_t seed) {
  static_cast<void>(text_of(0));  // made once, here, and not in each child
  Totals totals;
  const auto start = std::chrono::steady_clock::now();
  for (std::uint64_t round = 0; totals.kills < kills; ++round) {
    Round fresh(seed + round, totals);
    fresh.kill(std::min<std::uint64_t>(kills - totals.kills, kKillsPerRound));
    const std::string problems = fresh.verdict();
    print(totals, std::chrono::steady_clock::now() - start);
    if (problems.empty()) continue;
    std::printf("round %llu, seed %llu:\n%s", static_cast<unsigned long long>(round),
                static_cast<unsigned long long>(seed), problems.c_str());
    return 1;
  }
  // A fault that never fired shows nothing.
  if (totals.unheard == 0 || totals.duplicates == 0) {
    std::printf(
        "no kill hit a producer in the middle of a record, or none the flusher before an acknowledgement\n");
    return 1;
  }
  std::printf("nothing lost, nothing mangled, every account closed\n");
  return 0;
}

}  // namespace
}  // namespace shmring::testing

int main(int argc, char** argv) {
  if (argc < 2 || argc > 3) {
    std::fprintf(stderr, "usage: crash_campaign KILLS [SEED]\n");
    return 2;
  }
  const std::uint64_t kills = std::strtoull(argv[1], nullptr, 10);
  const std::uint64_t seed = argc > 2 ? std::strtoull(argv[2], nullptr, 10) : 1;
  return shmring::testing::campaign(kills, seed);
}
