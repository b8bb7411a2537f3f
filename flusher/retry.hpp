// SPDX-License-Identifier: Apache-2.0
// Repeats what can be repeated, with growing and jittered waits, for as long as the ring holds the data.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <random>
#include <set>
#include <string>

#include "flusher/config.hpp"
#include "flusher/exporter.hpp"
#include "flusher/log.hpp"
#include "flusher/timers.hpp"

namespace shmring::flusher {

/// Waits before the first, second, ... repetition: initial, doubled up to longest, each between half and all of that.
/// What a server asks for is waited at least, and up to twice as long; but not beyond the limit for that.
class Backoff {
 public:
  Backoff(const RetryLimits& limits, std::uint64_t seed) : limits_(limits), random_(seed) {}
  std::chrono::microseconds wait(unsigned attempt, std::optional<std::chrono::microseconds> asked_for);

 private:
  RetryLimits limits_;
  std::mt19937_64 random_;
};

class RetryingExporter final : public Exporter {
 public:
  /// Told once for a batch, when it is sent again although it may have arrived.
  using PossibleDuplicates = std::function<void(const Batch&)>;
  /// Told of each attempt that failed for now.
  using Delayed = std::function<void(Signal, const std::string& reason)>;

  struct Options {
    std::string name;  // of the destination, for the log
    RetryLimits limits = {};
    std::uint64_t seed = 0;
    PossibleDuplicates on_possible_duplicates;
    Delayed on_delayed = {};
    /// Told of each attempt that repeats one.
    std::function<void(Signal)> on_retry = [](Signal) {};
  };

  RetryingExporter(std::unique_ptr<Exporter> next, Timers& timers, Log& log, Options options);

  void submit(std::shared_ptr<const Batch> batch, Done done) override;
  void set_patience(Signal signal, Patience patience) override;

 private:
  struct Attempt {
    std::shared_ptr<const Batch> batch;
    Done done;
    SendResult last = {};  // the result of the attempt before
    unsigned failures = 0;
    bool is_counted_as_duplicate = false;
    bool is_given_back = false;  // its timer finds nothing to do
  };

  void try_now(const std::shared_ptr<Attempt>& attempt);
  void on_result(const std::shared_ptr<Attempt>& attempt, const SendResult& result);

  Timers& timers_;
  Log& log_;
  Options options_;
  Backoff backoff_;
  std::array<Patience, kSignalCount> patience_{};
  std::set<std::shared_ptr<Attempt>> waiting_;  // for their next attempt
  std::shared_ptr<int> self_ = std::make_shared<int>();
  std::unique_ptr<Exporter> next_;  // goes first
};

}  // namespace shmring::flusher
