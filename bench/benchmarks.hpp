// SPDX-License-Identifier: Apache-2.0
// What there is to measure. The order of registration is the order of the README's table; labels are its rows.
#pragma once

#include "bench/bench_ring.hpp"
#include "bench/fetch_add_ring.hpp"
#include "bench/sample_records.hpp"

namespace shmring::bench {

/// Made once, before anything is measured; outlives all benchmarks.
struct Subjects {
  BenchRing& ring;
  FetchAddRing& fetch_add;
  const SampleRecords& samples;
};

/// What emits: every row a record, or a part of what emitting one takes.
void register_producer_benchmarks(const Subjects& subjects);
/// The flusher's share: drain, validate, encode, acknowledge.
void register_drain_benchmarks(const Subjects& subjects);
/// What the machine costs: the clock, the copy, the contended line.
void register_floor_benchmarks(const Subjects& subjects);

}  // namespace shmring::bench
