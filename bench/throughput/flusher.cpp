// SPDX-License-Identifier: Apache-2.0
// Producers that emit as fast as they can, a ring, shmring-flusher, a sink.
#include <signal.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <limits>

#include "bench/bench_ring.hpp"
#include "bench/processes/children.hpp"
#include "bench/rendezvous.hpp"
#include "bench/sample_records.hpp"
#include "bench/throughput/measured.hpp"
#include "bench/throughput/sink.hpp"
#include "libshmring/accounting.hpp"
#include "libshmring/ring_file.hpp"
#include "shmring/shmring.hpp"

namespace shmring::bench {
namespace {

constexpr std::uint64_t kWarmUp =
    200'000;  // records: all of the ring, and the flusher's memory, has been touched then

double seconds_of(clockid_t clock) {
  timespec now{};
  ::clock_gettime(clock, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
}

/// What the producers tell.
struct Page {
  SpinBarrier barrier;
  std::atomic<double> begin{std::numeric_limits<double>::max()};  // of the first of them
  std::atomic<double> cpu{0};
};

void keep_lowest(std::atomic<double>& lowest, double value) {
  double seen = lowest.load();
  while (value < seen && !lowest.compare_exchange_weak(seen, value)) {
  }
}

/// One of `load.processes` producers. Gives the exit code.
int produce(const std::filesystem::path& ring_path, const Load& load, std::uint64_t records, Page& page) {
  pin_to_core(kOtherCore);
  const auto ring = Ring::open(ring_path, {.service_name = "shop"});
  if (!ring) return 1;
  const SampleRecords samples;
  const Logger logger = ring->logger("shop.orders", "1.4.0");
  const Tracer tracer = ring->tracer("shop.orders", "1.4.0");
  page.barrier.arrive_and_wait(load.processes);
  const double cpu_before = seconds_of(CLOCK_PROCESS_CPUTIME_ID);
  keep_lowest(page.begin, seconds_of(CLOCK_MONOTONIC));
  for (std::uint64_t i = 0; i < records; ++i) {
    const bool is_in = load.what == What::kLogs ? samples.emit_log(logger, i) : samples.emit_span(tracer, i);
    if (!is_in) return 1;
  }
  page.cpu.fetch_add(seconds_of(CLOCK_PROCESS_CPUTIME_ID) - cpu_before);
  return 0;
}

bool produce_all(const std::filesystem::path& ring_path, const Load& load, Page& page) {
  std::vector<Child> producers;
  const auto each = load.records / static_cast<std::uint64_t>(load.processes);
  for (int i = 0; i < load.processes; ++i)
    producers.push_back(Child::forked([&] { return produce(ring_path, load, each, page); }));
  // All of them are waited for, whatever the first one says.
  return std::count_if(producers.begin(), producers.end(), [](Child& child) { return child.wait(); }) ==
         load.processes;
}

Child start_flusher(const std::filesystem::path& ring, const Sink& sink,
                    const std::vector<std::string>& options) {
  std::vector<std::string> words{SHMRING_BENCH_FLUSHER, "--ring",   ring.string(), "--exporter", "otlp",
                                 "--endpoint",          sink.url(), "--log-level", "warning"};
  words.insert(words.end(), options.begin(), options.end());
  return Child::forked([&] {
    pin_to_core(kExportingCore);
    std::vector<char*> argv;
    for (std::string& word : words) argv.push_back(word.data());
    argv.push_back(nullptr);
    ::setenv("no_proxy", "127.0.0.1", 1);
    ::execv(argv[0], argv.data());
    return 127;
  });
}

bool complain(const char* what) {
  std::fprintf(stderr, "shmring-throughput-bench: %s\n", what);
  return false;
}

bool is_fine(const Accounting& accounting, std::uint64_t records) {
  const auto accepted = accounting.total.outcomes[static_cast<std::size_t>(Outcome::kAccepted)];
  return accounting.closing == Closing::kCloses && accepted == records &&
         accounting.total.dropped_total() == 0;
}

}  // namespace

std::optional<Measured> measure_flusher(const Load& load, const std::vector<std::string>& options) {
  const ScratchFolder folder;
  const std::filesystem::path path = folder.path() / "bench.ring";
  const auto created =
      Ring::create({.path = path, .on_full = FullPolicy::kBlock, .block_timeout = std::chrono::seconds(10)});
  const auto file = created ? RingFile::attach(path) : Result<RingFile>(created.error());
  if (!file) return complain(file.error().message.c_str()), std::nullopt;
  pin_to_core(kOtherCore);
  const Sink sink(kOtherCore);
  Child flusher = start_flusher(path, sink, options);
  const auto is_drained = [&] { return account(*file).total.pending == 0; };

  Shared<Page> warm_up;
  const Load before{.what = load.what, .processes = load.processes, .records = kWarmUp};
  if (!produce_all(path, before, *warm_up) || !wait_until(is_drained))
    return complain("the flusher does not take what is in the ring"), std::nullopt;

  clockid_t flushers_time{};
  if (::clock_getcpuclockid(flusher.pid(), &flushers_time) != 0)
    return complain("the flusher has ended"), std::nullopt;
  const double cpu_before = seconds_of(flushers_time);
  const std::uint64_t requests_before = sink.requests();
  const std::uint64_t bytes_before = sink.body_bytes();
  Shared<Page> page;
  if (!produce_all(path, load, *page)) return complain("a producer failed"), std::nullopt;
  if (!wait_until(is_drained)) return complain("the ring was not drained within a minute"), std::nullopt;
  const double end = seconds_of(CLOCK_MONOTONIC);
  const Measured measured{.records = load.records,
                          .seconds = end - page->begin,
                          .exporting_cpu = seconds_of(flushers_time) - cpu_before,
                          .emitting_cpu = page->cpu,
                          .requests = sink.requests() - requests_before,
                          .body_bytes = sink.body_bytes() - bytes_before};
  flusher.send(SIGTERM);
  if (!flusher.wait() || !is_fine(account(*file), load.records + kWarmUp))
    return complain("not every record was accepted"), std::nullopt;
  return measured;
}

}  // namespace shmring::bench
