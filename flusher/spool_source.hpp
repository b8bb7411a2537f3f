// SPDX-License-Identifier: Apache-2.0
// The spool as the replay sees it; a seam, so that the replay is tested without a disk.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "shmring/signal.hpp"
#include "spool/spool_file.hpp"

namespace shmring::flusher {

class SpoolSource {
 public:
  virtual ~SpoolSource() = default;

  using Rows = std::function<void(std::vector<spool::SpooledBatch>)>;
  /// Calls `rows` later with those behind `after`; with none also when the file cannot be read at the moment.
  virtual void next(std::size_t destination, Signal signal, std::int64_t after, std::uint64_t most,
                    Rows rows) = 0;

  /// The batch has its outcome there. Calls `settled` once that is on the disk, however long that takes.
  virtual void settle(std::int64_t batch, std::size_t destination, std::uint64_t rejected,
                      std::uint64_t dead_lettered, std::function<void()> settled) = 0;
};

}  // namespace shmring::flusher
