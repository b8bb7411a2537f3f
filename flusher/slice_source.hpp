// SPDX-License-Identifier: Apache-2.0
// The ring as the pipeline sees it; a seam, so that the pipeline is tested without one.
#pragma once

#include <array>
#include <cstdint>
#include <functional>

#include "libshmring/reader.hpp"
#include "shmring/signal.hpp"

namespace shmring::flusher {

/// The parts of Reader that the pipeline uses; its comments hold.
class SliceSource {
 public:
  virtual ~SliceSource() = default;
  virtual DrainReport drain(const DrainBudget& budget, const std::function<bool(Slice&&)>& sink) = 0;
  virtual Reader::Acknowledged acknowledge(const SliceKey& key, const OutcomeCounts& counts) = 0;
  virtual void count_possible_duplicates(Signal signal, std::uint64_t records) = 0;
};

}  // namespace shmring::flusher
