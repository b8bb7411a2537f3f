// SPDX-License-Identifier: Apache-2.0
// The first record of a forked child: from fork()'s return to the commit, page faults included, and what it is made of.
#include <fcntl.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <string>
#include <vector>

#include "bench/processes/children.hpp"
#include "bench/processes/parts.hpp"
#include "bench/processes/subject.hpp"
#include "bench/processes/ticks.hpp"

namespace shmring::bench {
namespace {

constexpr const char* kPart = "first record of a child";

/// What a child has to say.
struct Told {
  std::uint64_t ticks[4];
  std::uint64_t faults;
  bool ok;
};

std::uint64_t minor_faults() noexcept {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  return static_cast<std::uint64_t>(usage.ru_minflt);
}

/// What a child does; every one of them with a fresh process, one after the other.
struct Way {
  const char* name;
  void (*run)(const Subject& subject, int pipe, Told& told);
  std::vector<double> us = {};
  std::vector<double> faults = {};
};

void only_read_clock(const Subject&, int, Told& told) {
  char record[kRecordBytes];
  timespec now{};
  ::clock_gettime(CLOCK_REALTIME, &now);
  std::memset(record, static_cast<int>(now.tv_nsec & 0xFF), sizeof(record));
  __asm__ volatile("" : : "r"(record) : "memory");  // so that no compiler leaves the bytes out
  told.ok = true;
}

void write_to_pipe(const Subject&, int pipe, Told& told) {
  char record[kRecordBytes];
  std::memset(record, 'x', sizeof(record));
  told.ok = ::write(pipe, record, sizeof(record)) == static_cast<ssize_t>(sizeof(record));
}

void emit_once(const Subject& subject, int, Told& told) { told.ok = subject.emit(std::uint64_t{0}); }

/// The child's story in Told: when fork() returned, and when it was done.
template <typename Body>
bool tell(Told& told, const Body& body) {
  const pid_t pid = ::fork();
  if (pid != 0) return pid > 0 && Child(pid).wait();
  const std::uint64_t began = stamp_before();
  body();
  const std::uint64_t ended = stamp_after();
  told.ticks[0] = began;
  told.ticks[1] = ended;
  ::_exit(told.ok ? 0 : 1);
}

/// Time and faults come from different children: asking for the faults costs time.
bool run_once(Way& way, const Subject& subject, int pipe, Told& told) {
  told = {};
  if (!tell(told, [&] { way.run(subject, pipe, told); })) return false;
  way.us.push_back(us_between(told.ticks[0], told.ticks[1]));
  const bool counted = tell(told, [&] {
    const std::uint64_t before = minor_faults();
    way.run(subject, pipe, told);
    told.faults = minor_faults() - before;
  });
  way.faults.push_back(static_cast<double>(told.faults));
  return counted;
}

/// Registration, claim and the record, and a second record.
bool run_steps(const Subject& subject, Told& told, std::array<std::vector<double>, 3>& steps) {
  const pid_t pid = ::fork();
  if (pid == 0) {
    const std::uint64_t began = stamp_before();
    bool ok = subject.ring().prepare_thread();
    const std::uint64_t registered = stamp_after();
    ok &= subject.emit(std::uint64_t{0});
    const std::uint64_t first = stamp_after();
    ok &= subject.emit(std::uint64_t{1});
    const std::uint64_t second = stamp_after();
    told = {{began, registered, first, second}, 0, ok};
    ::_exit(ok ? 0 : 1);
  }
  if (pid < 0 || !Child(pid).wait()) return false;
  for (std::size_t step = 0; step < steps.size(); ++step)
    steps[step].push_back(us_between(told.ticks[step], told.ticks[step + 1]));
  return true;
}

void measure(Report& report, Scale scale, const std::string& state, std::uint32_t touched_blocks) {
  const Subject subject;
  subject.emit(std::uint64_t{0});
  subject.touch(touched_blocks);
  int pipe[2] = {-1, -1};
  if (::pipe2(pipe, O_CLOEXEC | O_NONBLOCK) != 0) return report.fail("no pipe");
  Shared<Told> told;
  std::array<Way, 3> ways = {{{"a clock read and 211 bytes to the stack", only_read_clock},
                              {"write(2) of 211 bytes to a pipe", write_to_pipe},
                              {"shmring", emit_once}}};
  std::array<std::vector<double>, 3> steps;
  const std::uint32_t children = scaled(scale, 600);
  for (std::uint32_t n = 0; n < children; ++n) {
    bool ok = run_steps(subject, *told, steps);
    for (Way& way : ways) ok &= run_once(way, subject, pipe[1], *told);
    if (!ok) return report.fail("a child of \"first record\" failed");
    char emptied[4 * kRecordBytes];
    while (::read(pipe[0], emptied, sizeof(emptied)) > 0) {
    }
  }
  ::close(pipe[0]);
  ::close(pipe[1]);
  for (const Way& way : ways) {
    const bool ours = &way == &ways.back();
    if (!ours && touched_blocks != 0) continue;  // the same whatever the ring has seen
    const std::string name = ours ? std::string(way.name) + ", " + state : way.name;
    report.add({kPart, name, "us", summary(way.us)});
    report.add({kPart, name + ": page faults", "", summary(way.faults)});
  }
  const std::array<const char*, 3> names = {"registration", "claim and first record", "second record"};
  for (std::size_t step = 0; step < names.size(); ++step)
    report.add({kPart, std::string("shmring, ") + state + ": " + names[step], "us", summary(steps[step])});
  if (subject.accounting().total.dropped_total() != 0)
    report.fail("records of \"first record\" were dropped");
}

}  // namespace

void measure_first_record(Report& report, Scale scale) {
  measure(report, scale, "a new ring", 0);
  measure(report, scale, "100 blocks used before", 100);
  measure(report, scale, "every block used before", 2048);
}

}  // namespace shmring::bench
