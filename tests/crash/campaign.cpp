// SPDX-License-Identifier: Apache-2.0
// Real SIGKILLs at random instants: producers of one and of several threads, and the flusher, die and are replaced, again and
// again, on one small ring. Some flushers lose their lease while they stand still, and go on beside their successors. At the
// end of each round the oracle judges. usage: crash_campaign KILLS [SEED]
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "tests/crash/campaign_judge.hpp"
#include "tests/crash/two_flushers.hpp"
#include "tests/support/child.hpp"
#include "tests/support/eventually.hpp"
#include "tests/support/scratch_ring.hpp"
#include "tests/support/shared_page.hpp"

namespace shmring::testing {
namespace {

constexpr std::uint32_t kSpareIds = 4096;      // left when a round ends
constexpr std::uint32_t kKillsPerRound = 200;  // at most: each round has a policy of its own
constexpr std::size_t kProducers = 4;
constexpr std::size_t kFlusher = kProducers;  // index of its process
constexpr int kRefused = 2;                   // exit code of a flusher
constexpr std::size_t kMostSuperseded = 3;    // flushers that live on without a lease

/// Every third round drops the oldest.
FullPolicy policy_of(std::uint64_t round) {
  return round % 3 == 2 ? FullPolicy::kDropOldest : FullPolicy::kDropNewest;
}

/// One ring and everybody who uses it until the round's kills are done.
class Round {
 public:
  Round(std::uint64_t seed, FullPolicy policy, CampaignTotals& totals)
      : random_(seed),
        policy_(policy),
        totals_(totals),
        scratch_({.blocks = 64, .block_bytes = 4096, .writers = 32, .on_full = policy}),
        file_(scratch_.attach()) {
    for (std::size_t who = 0; who <= kFlusher; ++who) processes_.push_back(start(who));
  }

  void kill(std::uint64_t kills) {
    const std::uint64_t enough = totals_.kills + kills;
    while (totals_.kills < enough && CampaignLedger::read(ledger_->issued) < kMaxIds - kSpareIds) {
      spin(random_.below(std::uint64_t{1} << random_.below(18)));  // from nothing to a millisecond or so
      stir_the_superseded();
      const std::size_t who = random_.below(kFlusher + 1);
      // Some stand still for a while before they die.
      if (random_.one_in(16)) {
        processes_[who].signal(SIGSTOP);
      } else if (who == kFlusher && random_.one_in(2)) {
        supersede();
      } else {
        end(who);
        processes_[who] = start(who);
      }
    }
    for (std::size_t who = 0; who <= kFlusher; ++who) end(who);
    for (Child& flusher : std::exchange(superseded_, {})) end_flusher(flusher);
  }

  /// What does not hold now that everybody is dead; empty: everything does.
  std::string verdict() { return problems_ + judge(file_, *ledger_, policy_, totals_); }

 private:
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
    if (who == kFlusher) return end_flusher(processes_[who]);
    end(processes_[who]);
  }
  void end_flusher(Child& flusher) {
    end(flusher);
    ++totals_.flusher_kills;
  }
  void end(Child& process) {
    process.signal(SIGKILL);
    const Ended ended = process.wait();
    if (ended.with(kRefused)) {
      problems_ += "an acknowledgement was refused to the holder of the lease\n";
    } else if (!ended.by(SIGKILL) && !ended.with(0)) {
      problems_ += "a process ended by itself: " + ended.text() + "\n";
    }
    ++totals_.kills;
  }

  /// Takes the lease from the flusher while it stands still, wherever that is, and starts its successor.
  void supersede() {
    Child& holder = processes_[kFlusher];
    holder.signal(SIGSTOP);
    siginfo_t info{};
    ::waitid(P_PID, static_cast<id_t>(holder.pid()), &info, WSTOPPED | WEXITED | WNOWAIT);
    if (superseded_.size() == kMostSuperseded) end_flusher(forget_one());
    const bool goes_on_before = random_.one_in(4);  // then it works without its lock, until a successor comes
    if (info.si_code != CLD_STOPPED || take_lease_away(holder.pid()) != Taken::kYes) {
      holder.signal(SIGCONT);  // it has not got so far as to have one, or this kernel cannot
      return;
    }
    if (goes_on_before) holder.signal(SIGCONT);
    superseded_.push_back(std::move(holder));
    processes_[kFlusher] = start(kFlusher);
    ++totals_.takeovers;
  }
  /// Those without a lease go on, or die as they stand, sooner or later.
  void stir_the_superseded() {
    for (const Child& flusher : superseded_) {
      if (random_.one_in(8)) flusher.signal(SIGCONT);
    }
    if (!superseded_.empty() && random_.one_in(64)) end_flusher(forget_one());
  }
  Child& forget_one() {
    std::swap(superseded_[random_.below(superseded_.size())], superseded_.back());
    forgotten_ = std::move(superseded_.back());
    superseded_.pop_back();
    return forgotten_;
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
    for (std::uint64_t n = 0; n < records && CampaignLedger::read(ledger_->issued) < kMaxIds - kSpareIds / 2;
         ++n) {
      const Large size = random.one_in(64) ? Large::kYes : Large::kNo;  // a run of two or three blocks
      if (!ledger_->emit(logger, size)) ::usleep(100);                  // full: the flusher's turn
      spin(random.below(300));
    }
  }

  int flush(std::uint64_t seed) {
    SplitMix random(seed);
    LosingFlusher flusher(file_, *ledger_);
    if (!flusher.started()) return 1;
    for (;;) {
      const std::uint64_t found = flusher.drain(random.one_in(4) ? random.below(20'000) : ~std::uint64_t{0});
      spin(random.below(2000));
      if (!random.one_in(4) && !flusher.acknowledge()) return kRefused;
      if (found == 0) ::usleep(50);
    }
  }

  SplitMix random_;
  const FullPolicy policy_;
  CampaignTotals& totals_;
  ScratchRing scratch_;
  RingFile file_;
  Shared<CampaignLedger> ledger_;
  std::vector<Child> processes_;
  std::vector<Child> superseded_;
  Child forgotten_;
  std::string problems_;
};

void print(const CampaignTotals& totals, std::chrono::duration<double> taken) {
  const auto number = [](std::uint64_t n) { return static_cast<unsigned long long>(n); };
  std::printf(
      "%llu kills (%llu of flushers), %llu leases taken from the living, %.0f kills per second; %llu records "
      "committed (%llu of them runs), %llu refused, %llu evicted, %llu cut off in the middle; %llu delivered "
      "in vain, %llu of them late; %llu acknowledgements superseded\n",
      number(totals.kills), number(totals.flusher_kills), number(totals.takeovers),
      static_cast<double>(totals.kills) / taken.count(), number(totals.committed), number(totals.large),
      number(totals.refused), number(totals.evicted), number(totals.unheard), number(totals.duplicates),
      number(totals.late_records), number(totals.superseded));
  std::fflush(stdout);
}

/// A fault that never fired shows nothing.
bool everything_happened(const CampaignTotals& totals) {
  const std::pair<std::uint64_t, const char*> happened[] = {
      {totals.unheard, "no kill hit a producer in the middle of a record"},
      {totals.duplicates, "no kill hit a flusher before an acknowledgement"},
      {totals.takeovers, "no flusher lost its lease while it lived (that takes pidfd_getfd, Linux 5.6)"},
      {totals.superseded, "no acknowledgement came too late"},
      {totals.large, "no run of blocks was committed"},
      {totals.evicted, "nothing was evicted"}};
  bool all = true;
  for (const auto& [times, what] : happened) {
    if (times == 0) std::printf("%s\n", what);
    all = all && times != 0;
  }
  return all;
}

int campaign(std::uint64_t kills, std::uint64_t seed) {
  static_cast<void>(text_of(0));  // made once, here, and not in each child
  CampaignTotals totals;
  const auto start = std::chrono::steady_clock::now();
  for (std::uint64_t round = 0; totals.kills < kills; ++round) {
    Round fresh(seed + round, policy_of(round), totals);
    fresh.kill(std::min<std::uint64_t>(kills - totals.kills, kKillsPerRound));
    const std::string problems = fresh.verdict();
    print(totals, std::chrono::steady_clock::now() - start);
    if (problems.empty()) continue;
    std::printf("round %llu, seed %llu:\n%s", static_cast<unsigned long long>(round),
                static_cast<unsigned long long>(seed), problems.c_str());
    return 1;
  }
  if (!everything_happened(totals)) return 1;
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
