// SPDX-License-Identifier: Apache-2.0
// Stage "deliver": hands batches to every exporter, a window of them at a time for each signal, and says when all of
// them have their outcome. A batch is sent only within `window` batches of its signal's oldest unfinished one, so a
// crash sends at most that many again.
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "flusher/batch.hpp"
#include "flusher/exporter.hpp"

namespace shmring::flusher {

/// What became of a batch at all of its destinations together. A record that one of them refused does not count as
/// accepted: each number is the largest that any of them gave, and one that is lost to somebody is not called kept.
struct BatchOutcome {
  std::uint64_t rejected = 0;
  std::uint64_t dead_lettered = 0;  // refused, but kept as dead letters
  std::string reason = {};          // the first that was given
};

class Delivery {
 public:
  using Finished = std::function<void(const Batch&, const BatchOutcome&)>;

  /// REQUIRES: at least one exporter; they outlive this object's last batch.
  Delivery(std::vector<Exporter*> exporters, std::uint64_t window, Finished finished);

  /// Sends it now, or when it comes into its signal's window.
  void send(Batch&& batch);

  /// Of batches of a signal that are under way or wait.
  std::uint64_t memory(Signal signal) const noexcept {
    return lanes_[static_cast<std::size_t>(signal)].memory;
  }
  std::uint64_t unfinished_batches() const noexcept;
  std::uint64_t unfinished_records() const noexcept;

 private:
  struct Entry {
    std::shared_ptr<const Batch> batch;  // nullptr: finished
    std::size_t open_destinations = 0;
    bool is_sent = false;
    BatchOutcome outcome;
  };
  struct Lane {
    std::deque<std::shared_ptr<Entry>>
        entries;  // oldest first; a finished one waits here for those before it
    std::uint64_t memory = 0;
    bool is_advancing = false;
  };

  void advance(Lane& lane);
  void submit(Lane& lane, const std::shared_ptr<Entry>& entry);
  void on_result(Lane& lane, Entry& entry, const SendResult& result);
  void finish(Lane& lane, Entry& entry);

  std::vector<Exporter*> exporters_;
  std::uint64_t window_;
  Finished finished_;
  std::array<Lane, kSignalCount> lanes_;
};

}  // namespace shmring::flusher
