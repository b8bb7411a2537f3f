// SPDX-License-Identifier: Apache-2.0
// A wave of short-lived children, each with one record, while another process drains the ring.
#include <unistd.h>

#include <algorithm>
#include <array>
#include <string>
#include <vector>

#include "bench/processes/children.hpp"
#include "bench/processes/parts.hpp"
#include "bench/processes/subject.hpp"
#include "bench/processes/ticks.hpp"

namespace shmring::bench {
namespace {

constexpr const char* kPart = "a wave of children";
constexpr std::uint32_t kAtOnce = 100;

/// Microseconds per child; negative: one failed.
double run_wave(const Subject& subject, bool emitting, std::uint32_t& peak_blocks) {
  std::vector<Child> children;
  children.reserve(kAtOnce);
  const std::uint64_t began = stamp_before();
  for (std::uint32_t n = 0; n < kAtOnce; ++n) {
    const pid_t pid = ::fork();
    if (pid == 0) ::_exit(!emitting || subject.emit(n) ? 0 : 1);
    children.emplace_back(pid);
  }
  bool ok = true;
  for (Child& child : children) ok &= child.wait();
  const double us = us_between(began, stamp_after()) / kAtOnce;
  const BlockCensus blocks = subject.accounting().blocks;
  peak_blocks = std::max(peak_blocks, blocks.total - blocks.free);
  return ok ? us : -1;
}

}  // namespace

void measure_wave(Report& report, Scale scale) {
  const Subject subject;
  subject.touch(subject.file().geometry().block_count);
  const std::uint64_t before = subject.accounting().total.written;
  DrainProcess drain(subject);
  const std::uint32_t waves = scaled(scale, 2000) / std::min(kAtOnce, scaled(scale, 2000));
  std::vector<double> silent;
  std::vector<double> emitting;
  std::uint32_t peak = 0;
  std::uint32_t unused = 0;
  for (std::uint32_t wave = 0; wave < waves; ++wave) {
    silent.push_back(run_wave(subject, false, unused));
    emitting.push_back(run_wave(subject, true, peak));
    if (silent.back() < 0 || emitting.back() < 0) return report.fail("a child of the wave failed");
  }
  const std::uint64_t expected = std::uint64_t{waves} * kAtOnce;
  if (!drain.finish() || drain.delivered() != expected) {
    return report.fail("of " + std::to_string(expected) + " records of the wave " +
                       std::to_string(drain.delivered()) + " arrived");
  }
  const Accounting accounting = subject.accounting();
  if (accounting.closing != Closing::kCloses || accounting.total.pending != 0 ||
      accounting.total.written - before != expected)
    return report.fail("the wave's accounting does not close");
  report.add({kPart, "fork, exit, wait, per child", "us", summary(silent)});
  Values with_record = summary(emitting);
  with_record.emplace_back("ratio", median(emitting) / median(silent));
  report.add({kPart, "the same with one record each", "us", with_record});
  report.add({kPart,
              "records arrived, blocks held at the peak",
              "",
              {{"records", static_cast<double>(expected)}, {"blocks", static_cast<double>(peak)}}});
}

}  // namespace shmring::bench
