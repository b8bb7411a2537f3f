// SPDX-License-Identifier: Apache-2.0
// The ring that is measured, in a folder of its own, and a process that drains it as a flusher would.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>

#include "bench/bench_ring.hpp"
#include "bench/processes/children.hpp"
#include "bench/sample_records.hpp"
#include "libshmring/accounting.hpp"
#include "libshmring/ring_file.hpp"
#include "shmring/shmring.hpp"

namespace shmring::bench {

class Subject {
 public:
  /// The default ring but for what `options` says; its path is chosen here. Ends the program, with the reason, when it cannot be made.
  explicit Subject(OpenOptions options = {});

  const Ring& ring() const noexcept { return ring_; }
  const RingFile& file() const noexcept { return file_; }
  /// One log record of 211 bytes.
  bool emit(std::uint64_t index) const noexcept { return samples_.emit_log(log_, index); }
  /// One record of any signal: of as many bytes, but no OTLP where it is no log. Nobody looks into it here.
  bool emit(Signal signal) const noexcept;

  /// Drains and acknowledges, in this process, until nothing is left. Gives the number of records.
  std::uint64_t drain() const;
  /// Writes and drains `blocks` blocks' worth of records, in this process.
  void touch(std::uint32_t blocks) const;
  Accounting accounting() const { return account(file_); }

 private:
  ScratchFolder folder_;
  Ring ring_;
  RingFile file_;
  Logger log_;
  SampleRecords samples_;
};

/// A process that drains the ring whenever it is asked to, and every 5 ms; takes what it drains for delivered.
class DrainProcess {
 public:
  explicit DrainProcess(const Subject& subject);
  /// Drains what is left and ends. False: it failed.
  bool finish();
  void send(int signal) const noexcept { child_.send(signal); }
  std::uint64_t delivered() const noexcept { return page_->delivered.load(); }
  /// Passes over the ring since it began.
  std::uint64_t passes() const noexcept { return page_->passes.load(); }

 private:
  struct Page {
    std::atomic<std::uint64_t> delivered{0};
    std::atomic<std::uint64_t> passes{0};
    std::atomic<bool> stop{false};
  };
  static int run(const RingFile& file, Page& page);

  Shared<Page> page_;
  Child child_;
};

}  // namespace shmring::bench
