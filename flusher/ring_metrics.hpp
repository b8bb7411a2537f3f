// SPDX-License-Identifier: Apache-2.0
// What a ring's own books say, and what of it is on its way, as metrics.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "flusher/delivery.hpp"
#include "flusher/metric_sink.hpp"
#include "libshmring/ring_file.hpp"
#include "spool/spool_file.hpp"

namespace shmring::flusher {

/// Fill, records by fate, drops by cause. Exact at every instant, and growing on from one flusher to the next.
void add_ring_metrics(const RingFile& ring, MetricSink& sink);

/// What waits for each destination, and in which memory.
void add_delivery_metrics(const Delivery& delivery, const std::vector<Destination>& destinations,
                          MetricSink& sink);
void add_spool_metrics(const spool::SpoolSize& size, MetricSink& sink);

/// Drops by program: what each writer slot counted since the look before, for the program that holds the slot now. So many
/// programs have a name of their own, the others are "other": a ring can see any number of them.
class DropsByProgram {
 public:
  static constexpr std::size_t kMostPrograms = 20;

  /// What was dropped before belongs to nobody.
  explicit DropsByProgram(const RingFile& ring);
  void add_metrics(MetricSink& sink);

 private:
  using Counts = std::array<std::uint64_t, kDropCauseCount>;

  const RingFile& ring_;
  std::vector<Counts> seen_;  // by slot
  std::map<std::string, Counts> programs_;
};

}  // namespace shmring::flusher
