// SPDX-License-Identifier: Apache-2.0
// What it costs a child to end: with and without having emitted. Also the whole life of a child, as its parent sees it.
#include <unistd.h>

#include <array>
#include <cstddef>
#include <string>
#include <vector>

#include "bench/processes/children.hpp"
#include "bench/processes/parts.hpp"
#include "bench/processes/subject.hpp"
#include "bench/processes/ticks.hpp"

namespace shmring::bench {
namespace {

constexpr const char* kPart = "a child's exit";

/// As many pages as a first record touches, of both kinds: the kernel takes them back at the exit, whoever touched them.
constexpr std::size_t kPage = 4096;
constexpr std::size_t kSharedPages = 6;
constexpr std::size_t kPrivatePages = 6;
struct alignas(kPage) Pages {
  volatile char shared[kSharedPages * kPage];
};
alignas(kPage) volatile char private_pages[kPrivatePages * kPage];

void touch_pages(Pages& pages) {
  for (std::size_t page = 0; page < kSharedPages; ++page) pages.shared[page * kPage] = 1;
  for (std::size_t page = 0; page < kPrivatePages; ++page) private_pages[page * kPage] = 1;
}

struct Life {
  const char* name;
  std::uint32_t records;  // that it emits
  bool touches_pages = false;
  std::vector<double> exit_us = {};
  std::vector<double> life_us = {};
};

/// From the last instruction before _exit() to the parent's knowledge of it; and from before the fork to then.
bool live(Life& life, const Subject& subject, Pages& pages, std::uint64_t& last_instruction) {
  last_instruction = 0;
  const std::uint64_t began = stamp_before();
  const pid_t pid = ::fork();
  if (pid == 0) {
    bool ok = true;
    for (std::uint32_t n = 0; n < life.records; ++n) ok &= subject.emit(n);
    if (life.touches_pages) touch_pages(pages);
    last_instruction = 1;  // the page fault is not the exit's
    last_instruction = stamp_after();
    ::_exit(ok ? 0 : 1);
  }
  if (pid < 0 || !Child(pid).wait()) return false;
  const std::uint64_t ended = stamp_after();
  life.exit_us.push_back(us_between(last_instruction, ended));
  life.life_us.push_back(us_between(began, ended));
  return true;
}

}  // namespace

void measure_child_exit(Report& report, Scale scale) {
  const Subject subject;
  subject.touch(subject.file().geometry().block_count);
  Shared<std::uint64_t> last_instruction;
  Shared<Pages> pages;
  touch_pages(*pages);
  std::array<Life, 4> lives = {{{"without a record", 0},
                                {"without a record, 12 pages touched", 0, true},
                                {"after 1 record", 1},
                                {"after 100 records", 100}}};
  const std::uint32_t children = scaled(scale, 800);
  for (std::uint32_t n = 0; n < children; ++n) {
    for (Life& life : lives) {
      if (!live(life, subject, *pages, *last_instruction)) return report.fail("a child of \"exit\" failed");
    }
    if (n % 100 == 99) subject.drain();
  }
  const double exit_without = median(lives[0].exit_us);
  const double life_without = median(lives[0].life_us);
  for (const Life& life : lives) {
    Values exits = summary(life.exit_us);
    exits.emplace_back("ratio", median(life.exit_us) / exit_without);
    report.add({kPart, life.name, "us", exits});
    Values whole = summary(life.life_us);
    whole.emplace_back("ratio", median(life.life_us) / life_without);
    report.add({kPart, std::string("fork, exit, wait: ") + life.name, "us", whole});
  }
  if (subject.accounting().total.dropped_total() != 0) report.fail("records of \"exit\" were dropped");
}

}  // namespace shmring::bench
