// SPDX-License-Identifier: Apache-2.0
// Each single emit timed, claims included, while this and that goes on. Records are emitted in bursts; between bursts the
// ring is given the time to be drained, where anybody drains it.
#include <time.h>

#include <memory>
#include <string>

#include "bench/harness/histogram.hpp"
#include "bench/processes/children.hpp"
#include "bench/processes/parts.hpp"
#include "bench/processes/situations.hpp"
#include "bench/processes/subject.hpp"
#include "bench/processes/ticks.hpp"

namespace shmring::bench {
namespace {

struct Burst {
  std::uint32_t records;
  std::uint32_t bursts;
};
constexpr Burst kDrainedBetween{10'000, 40};  // 2.5 MiB at a time
constexpr Burst kAllAtOnce{100'000, 1};       // what an empty ring holds without a drain
constexpr Burst kRefused{400'000, 1};

/// What the emitting process tells.
struct Told {
  Histogram ticks;
  std::uint64_t accepted;
};

void wait_for_room(const Subject& subject) {
  const RingHeader& header = subject.file().header();
  const std::uint32_t enough = subject.file().geometry().block_count / 4;
  // An estimate, but the drain recomputes it at each pass. relaxed: likewise
  wait_until([&] { return header.free_blocks.load(std::memory_order_relaxed) >= enough; }, 2);
  const timespec breath{0, 2'000'000};
  ::nanosleep(&breath, nullptr);
}

int emit_timed(const Subject& subject, const Burst& burst, Told& told) {
  subject.emit(std::uint64_t{0});  // registration has a table of its own
  for (std::uint32_t round = 0; round < burst.bursts; ++round) {
    if (burst.bursts > 1) wait_for_room(subject);
    for (std::uint32_t n = 0; n < burst.records; ++n) {
      const std::uint64_t began = stamp_before();
      const bool accepted = subject.emit(n);
      told.ticks.add(stamp_after() - began);
      told.accepted += accepted ? 1 : 0;
    }
  }
  return 0;
}

int stamp_only(Told& told) {
  for (std::uint32_t n = 0; n < 400'000; ++n) {
    const std::uint64_t began = stamp_before();
    __asm__ volatile("" : : : "memory");
    told.ticks.add(stamp_after() - began);
  }
  return 0;
}

enum class Expect : std::uint8_t { kAllAccepted, kNoneAccepted };

struct Setting {
  const char* name;
  Burst burst;
  Expect expect = Expect::kAllAccepted;
  FullPolicy on_full = FullPolicy::kDropNewest;
};

template <typename MakeSituation>
void measure(Report& report, Scale scale, Setting setting, const MakeSituation& make) {
  setting.burst.records = scaled(scale, setting.burst.records);
  const Subject subject({.writers = 2048, .on_full = setting.on_full});
  subject.touch(subject.file().geometry().block_count);
  const std::unique_ptr<Situation> situation = make(subject);
  Shared<Told> told;
  Child emitter = Child::forked([&] { return emit_timed(subject, setting.burst, *told); });
  const bool emitted = emitter.wait();
  const bool ended = situation->end();
  const std::uint64_t expected = setting.expect == Expect::kAllAccepted
                                     ? std::uint64_t{setting.burst.records} * setting.burst.bursts
                                     : 0;
  if (!emitted || !ended) return report.fail(std::string(setting.name) + ": did not come to its end");
  if (told->accepted != expected)
    return report.fail(std::string(setting.name) + ": " + std::to_string(told->accepted) +
                       " records were accepted, not " + std::to_string(expected));
  if (subject.accounting().closing != Closing::kCloses)
    return report.fail(std::string(setting.name) + ": the accounting does not close");
  report.add({setting.name, told->ticks});
}

}  // namespace

void measure_latency(Report& report, Scale scale) {
  {
    Shared<Told> told;
    Child child = Child::forked([&] { return stamp_only(*told); });
    if (!child.wait()) return report.fail("stamps: did not come to its end");
    report.add({"two stamps and nothing between them", told->ticks});
  }
  measure(report, scale, {"idle: nothing but a flusher's drain", kDrainedBetween}, while_drained);
  measure(report, scale, {"flusher stopped (SIGSTOP)", kAllAtOnce}, while_drain_is_stopped);
  measure(report, scale, {"ring full, drop-newest: refused", kRefused, Expect::kNoneAccepted}, while_full);
  measure(report, scale,
          {"ring full, drop-oldest: another's record goes", kRefused, Expect::kAllAccepted,
           FullPolicy::kDropOldest},
          while_full);
  measure(report, scale, {"a peer killed every millisecond", kDrainedBetween}, while_peers_die);
  measure(report, scale, {"1000 attached processes", kDrainedBetween},
          [&](const Subject& subject) { return while_attached(subject, scaled(scale, 1000)); });
}

}  // namespace shmring::bench
