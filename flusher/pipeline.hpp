// SPDX-License-Identifier: Apache-2.0
// The stages in the order in which data flows: drain -> validate -> batch -> encode -> deliver -> acknowledge.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "flusher/acknowledger.hpp"
#include "flusher/batcher.hpp"
#include "flusher/config.hpp"
#include "flusher/delivery.hpp"
#include "flusher/invalid_records.hpp"
#include "flusher/log.hpp"
#include "flusher/schedule.hpp"
#include "flusher/slice_source.hpp"
#include "flusher/validator.hpp"

namespace shmring::flusher {

/// Records whose fate is settled, by fate.
struct PipelineTotals {
  std::uint64_t accepted = 0;
  std::uint64_t rejected = 0;
  std::uint64_t dead_lettered = 0;
  std::uint64_t spooled = 0;  // what becomes of them is in the spool's books
  std::uint64_t invalid = 0;
  std::uint64_t corrupt = 0;
};

class Pipeline {
 public:
  /// REQUIRES: source and exporters outlive the pipeline; the exporters are given up or done before it ends.
  Pipeline(const Config& config, SliceSource& source, std::vector<Destination> destinations, Log& log,
           BatchSpool* spool = nullptr, DeadLetters* dead_letters = nullptr);
  Pipeline(const Pipeline&) = delete;
  Pipeline& operator=(const Pipeline&) = delete;

  /// Takes from the ring what fits into memory and sends it, of the signals that are due and of those of which something
  /// was left. What is left has to wait: see wants_more().
  DrainReport drain(const SignalSet& due = kAllSignals);

  /// The last drain() left records behind, and there is room for some of them now.
  bool wants_more() const noexcept;
  /// The last drain() left records behind, whether there is room or not.
  bool has_left_some() const noexcept;
  /// A drain() could take something.
  bool has_room() const noexcept;

  /// Nothing is under way.
  bool is_idle() const noexcept { return delivery_.unfinished_batches() == 0; }
  std::uint64_t unfinished_records() const noexcept { return delivery_.unfinished_records(); }
  Delivery& delivery() noexcept { return delivery_; }
  const Delivery& delivery() const noexcept { return delivery_; }
  const PipelineTotals& totals() const noexcept { return totals_; }

 private:
  void take(const Slice& slice);
  void send_ready();
  void on_batch(Batch&& batch);
  void on_finished(const Batch& batch, const BatchOutcome& outcome);
  void on_spooled(const Batch& batch);
  void settle(const Piece& piece, const OutcomeCounts& counts);
  DrainBudget budget() const noexcept;

  std::uint64_t memory_per_signal_;
  SliceSource& source_;
  Log& log_;
  Validator validator_;
  InvalidRecords invalid_;
  std::array<Batcher, kSignalCount> batchers_;
  Delivery delivery_;
  Acknowledger acknowledger_;
  PipelineTotals totals_;
  std::vector<Batch> ready_;                   // full since the last slice
  std::array<bool, kSignalCount> has_left_{};  // by the last drain
};

}  // namespace shmring::flusher
