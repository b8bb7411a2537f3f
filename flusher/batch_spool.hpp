// SPDX-License-Identifier: Apache-2.0
// Where batches go whose destinations stay away: the seam between stage "deliver" and the disk.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "flusher/batch.hpp"

namespace shmring::flusher {

/// What became of a batch at all of its destinations together. A record that one of them refused does not count as
/// accepted: each number is the largest that any of them gave, and one that is lost to somebody is not called kept.
struct BatchOutcome {
  std::uint64_t rejected = 0;
  std::uint64_t dead_lettered = 0;  // refused, but kept as dead letters
  std::string reason = {};          // the first that was given
  bool is_spooled = false;  // the numbers are in the spool's books: its valid records' fate is decided there
};

struct Handover {
  std::shared_ptr<const Batch> batch;
  std::vector<std::size_t> destinations;  // who has still to get it
  BatchOutcome so_far;                    // of the others
};

class BatchSpool {
 public:
  virtual ~BatchSpool() = default;
  /// True: all of them are on the disk. False: none is, the caller keeps them.
  using Kept = std::function<void(bool)>;
  /// Calls `kept` later, on this thread; never after this object's end. Batches of one signal, in their order.
  virtual void keep(std::vector<Handover> batches, Kept kept) = 0;
};

}  // namespace shmring::flusher
