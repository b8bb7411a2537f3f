// SPDX-License-Identifier: Apache-2.0
// The log record again, where the ring is not warm, and where somebody drains it at the same time.
#include <sys/mman.h>

#include <atomic>
#include <chrono>
#include <cstdio>
#include <fstream>
#include <string>
#include <thread>

#include "bench/harness/loop.hpp"
#include "bench/rendezvous.hpp"

namespace shmring::bench {
namespace {

struct EmitProducer {
  Logger log;
  const SampleRecords& samples;
  bool push(std::uint64_t i) { return samples.emit_log(log, i); }
};

/// Takes the ring's pages out of this process's page tables, so that each is touched for the first time again; what is
/// in them stays, since the mapping is shared.
bool forget_pages_of(const Ring& ring) {
  bool is_done = false;
  std::ifstream maps("/proc/self/maps");
  for (std::string line; std::getline(maps, line);) {
    unsigned long begin = 0;
    unsigned long end = 0;
    if (!line.ends_with(ring.path().string()) || std::sscanf(line.c_str(), "%lx-%lx", &begin, &end) != 2)
      continue;
    is_done = ::madvise(reinterpret_cast<void*>(begin), end - begin, MADV_DONTNEED) == 0;
  }
  return is_done;
}

class FirstTouch {
 public:
  static Result<std::unique_ptr<FirstTouch>> create(Subjects& subjects) {
    auto ring = subjects.ring();
    if (!ring) return ring.error();
    return std::unique_ptr<FirstTouch>(new FirstTouch(subjects.samples(), **ring));
  }
  EmitProducer producer(int) {
    ring_.ring().prepare_thread();
    return {ring_.ring().logger("shop.orders", "1.4.0"), samples_};
  }
  std::uint64_t drain(std::uint64_t) {
    const std::uint64_t taken = ring_.take_all().records;
    return forget_pages_of(ring_.ring()) ? taken : 0;
  }
  std::optional<std::string> complaint() const { return ring_.complaint(); }

 private:
  FirstTouch(const SampleRecords& samples, BenchRing& ring) : samples_(samples), ring_(ring) {}
  const SampleRecords& samples_;
  BenchRing& ring_;
};

/// A thread on the last core takes everything out once in a millisecond.
class DrainedMeanwhile {
 public:
  static Result<std::unique_ptr<DrainedMeanwhile>> create(Subjects& subjects) {
    auto ring = subjects.ring();
    if (!ring) return ring.error();
    return std::unique_ptr<DrainedMeanwhile>(new DrainedMeanwhile(subjects.samples(), **ring));
  }
  EmitProducer producer(int) {
    ring_.ring().prepare_thread();
    return {ring_.ring().logger("shop.orders", "1.4.0"), samples_};
  }
  void begin() {
    is_over_ = false;
    taken_ = expected_ = 0;
    consumer_ = std::thread([this] {
      pin_to_core(core_count() - 1);
      while (!is_over_) {
        taken_ += ring_.take_all().records;
        std::this_thread::sleep_for(std::chrono::milliseconds(1));
      }
    });
  }
  void end() {
    is_over_ = true;
    consumer_.join();
  }
  std::uint64_t drain(std::uint64_t pushed) {
    expected_ += pushed;
    while (taken_ < expected_) std::this_thread::yield();
    return taken_ == expected_ ? pushed : 0;
  }
  std::optional<std::string> complaint() const { return ring_.complaint(); }

 private:
  DrainedMeanwhile(const SampleRecords& samples, BenchRing& ring) : samples_(samples), ring_(ring) {}
  const SampleRecords& samples_;
  BenchRing& ring_;
  std::thread consumer_;
  std::atomic<bool> is_over_ = false;
  std::atomic<std::uint64_t> taken_ = 0;
  std::uint64_t expected_ = 0;
};

}  // namespace

void add_shmring_situations(Rows& rows) {
  constexpr const char* kSurvives = "OTLP in shared memory; survives its process";
  add_row<DrainedMeanwhile>(rows, {.name = "emit_log_drained",
                                   .label = "log record, `Logger::emit`, while somebody drains",
                                   .record = kSurvives,
                                   .group = Group::kShmring});
  add_row<FirstTouch>(rows, {.name = "emit_log_first_touch",
                             .label = "log record, `Logger::emit`, each page of the ring for the first time",
                             .record = kSurvives,
                             .group = Group::kShmring});
}

}  // namespace shmring::bench
