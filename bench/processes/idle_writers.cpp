// SPDX-License-Identifier: Apache-2.0
// Threads that emitted once and sleep: how many blocks they hold, and what one more thread, a busy one, still gets.
#include <pthread.h>

#include <algorithm>
#include <atomic>
#include <string>
#include <vector>

#include "bench/processes/children.hpp"
#include "bench/processes/parts.hpp"
#include "bench/processes/subject.hpp"
#include "bench/processes/ticks.hpp"

namespace shmring::bench {
namespace {

constexpr const char* kPart = "threads that emitted once and sleep, in a ring of 32 MiB";
constexpr std::uint32_t kBusyRecords = 50'000;

struct Case {
  std::uint32_t threads;
  std::uint32_t signals;
  std::uint32_t writers;
  std::uint32_t block_bytes;
};

/// What the process with the many threads tells.
struct Told {
  std::atomic<std::uint32_t> refused;   // of the idle threads' records
  std::atomic<std::uint32_t> done;      // threads that have emitted
  std::atomic<bool> idle_all_there;     // asks the busy thread to begin
  std::atomic<bool> drained;            // its answer: the idle threads' records are delivered
  std::atomic<std::uint32_t> accepted;  // of the busy thread's records
  std::atomic<std::uint64_t> busy_ticks;
};

struct Crowd {
  const Subject& subject;
  const Case& what;
  Told& told;
  pthread_mutex_t gate = PTHREAD_MUTEX_INITIALIZER;  // held for ever: who waits for it sleeps
};

void* emit_and_sleep(void* argument) {
  auto& crowd = *static_cast<Crowd*>(argument);
  for (std::uint32_t signal = 0; signal < crowd.what.signals; ++signal) {
    if (!crowd.subject.emit(static_cast<Signal>(signal))) ++crowd.told.refused;
  }
  ++crowd.told.done;
  ::pthread_mutex_lock(&crowd.gate);
  return nullptr;
}

/// As fast as it can, in bursts of a quarter MiB, each when the one before it has had time to be drained.
void* be_busy(void* argument) {
  constexpr std::uint32_t kBurst = 1000;
  auto& crowd = *static_cast<Crowd*>(argument);
  for (std::uint32_t n = 0; n < kBusyRecords; n += kBurst) {
    const std::uint64_t began = stamp_before();
    std::uint32_t accepted = 0;
    for (std::uint32_t i = 0; i < kBurst; ++i) accepted += crowd.subject.emit(std::uint64_t{i}) ? 1 : 0;
    crowd.told.busy_ticks += stamp_after() - began;
    crowd.told.accepted += accepted;
    wait_until([&] { return crowd.subject.accounting().total.pending == 0; }, 1);
  }
  return nullptr;
}

/// The process of the crowd. Its end ends the threads.
int crowd_process(const Subject& subject, const Case& what, Told& told) {
  Crowd crowd{subject, what, told};
  ::pthread_mutex_lock(&crowd.gate);
  pthread_attr_t attributes;
  ::pthread_attr_init(&attributes);
  ::pthread_attr_setstacksize(&attributes, 256U << 10U);
  pthread_t thread{};
  for (std::uint32_t n = 0; n < what.threads; ++n) {
    if (::pthread_create(&thread, &attributes, emit_and_sleep, &crowd) != 0) return 1;
  }
  if (!wait_until([&] { return told.done == what.threads; })) return 2;
  told.idle_all_there = true;
  if (!wait_until([&] { return told.drained.load(); })) return 3;
  if (::pthread_create(&thread, &attributes, be_busy, &crowd) != 0) return 4;
  ::pthread_join(thread, nullptr);
  return 0;
}

std::string name_of(const Case& what) {
  return std::to_string(what.threads) + " threads, " + std::to_string(what.signals) +
         (what.signals == 1 ? " signal, " : " signals, ") + std::to_string(what.block_bytes >> 10U) +
         " KiB blocks";
}

void measure(Report& report, const Case& what) {
  const Subject subject({.block_bytes = what.block_bytes, .writers = what.writers});
  Shared<Told> told;
  DrainProcess drain(subject);
  Child crowd = Child::forked([&] { return crowd_process(subject, what, *told); });
  bool ok = wait_until([&] { return told->idle_all_there.load(); });
  // Whatever the flusher can give back, it has given back then.
  ok &= wait_until([&] { return subject.accounting().total.pending == 0; });
  const std::uint64_t passes = drain.passes();
  ok &= wait_until([&] { return drain.passes() > passes + 3; });
  const BlockCensus blocks = subject.accounting().blocks;
  told->drained = true;
  ok &= crowd.wait();
  ok &= drain.finish();
  const std::string name = name_of(what);
  if (!ok) return report.fail(name + ": did not come to its end");
  const Accounting accounting = subject.accounting();
  if (accounting.closing != Closing::kCloses || accounting.total.pending != 0 ||
      drain.delivered() != accounting.total.written)
    return report.fail(name + ": the accounting does not close");
  const double busy_ns = 1000 * us_between(0, told->busy_ticks.load());
  report.add({kPart,
              name,
              "",
              {{"blocks held", static_cast<double>(blocks.total - blocks.free)},
               {"of", static_cast<double>(blocks.total)},
               {"idle threads' records refused", static_cast<double>(told->refused.load())},
               {"busy thread's records accepted, %", 100.0 * told->accepted.load() / kBusyRecords},
               {"ns each", busy_ns / kBusyRecords}}});
}

}  // namespace

void measure_idle_writers(Report& report, Scale scale) {
  constexpr std::uint32_t kDefaultBlock = 16U << 10U;
  const std::uint32_t thousand = scaled(scale, 1000);
  const std::uint32_t four_thousand = scaled(scale, 4000);
  for (const std::uint32_t signals : {1U, 3U}) {
    for (const std::uint32_t block : {kDefaultBlock, kDefaultBlock / 2, kDefaultBlock / 4}) {
      measure(report, {thousand, signals, 1024, block});
      measure(report, {four_thousand, signals, 4096, block});
    }
  }
}

}  // namespace shmring::bench
