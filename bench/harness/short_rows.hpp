// SPDX-License-Identifier: Apache-2.0
// Rows that need no class of their own: what writes no records, and what writes them to a ring. `make` is a lambda without
// captures; it is called by each producer, and what it returns is the operation.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "bench/harness/loop.hpp"

namespace shmring::bench {

template <typename Operation>
struct OperationProducer {
  Operation operation;
  [[gnu::always_inline]] bool push(std::uint64_t i) { return operation(i); }
};
template <typename Operation>
OperationProducer(Operation) -> OperationProducer<Operation>;

/// `make(Subjects&, producer's index)` -> `operation(i)`, which returns true. Nothing is to be taken out again.
template <typename Make>
class FloorAdapter {
 public:
  static Result<std::unique_ptr<FloorAdapter>> create(Subjects& subjects) {
    if (auto memory = subjects.memory(); !memory) return memory.error();
    return std::unique_ptr<FloorAdapter>(new FloorAdapter(subjects));
  }
  auto producer(int index) { return OperationProducer{Make{}(subjects_, index)}; }
  std::uint64_t drain(std::uint64_t pushed) { return pushed; }

 private:
  explicit FloorAdapter(Subjects& subjects) : subjects_(subjects) {}
  Subjects& subjects_;
};

template <typename Make>
void add_floor_row(Rows& rows, const About& about, Make) {
  add_row<FloorAdapter<Make>>(rows, about);
}

/// `make(const Ring&, const SampleRecords&)` -> `operation(i)`: true if the record was committed. Each has to arrive with this
/// many bytes, and the ring's accounting has to close.
template <std::size_t kPayload, typename Make>
class RingAdapter {
 public:
  static Result<std::unique_ptr<RingAdapter>> create(Subjects& subjects) {
    auto ring = subjects.ring();
    if (!ring) return ring.error();
    return std::unique_ptr<RingAdapter>(new RingAdapter(subjects.samples(), **ring));
  }
  auto producer(int) {
    ring_.ring().prepare_thread();
    return OperationProducer{Make{}(ring_.ring(), samples_)};
  }
  std::uint64_t drain(std::uint64_t pushed) {
    const Taken taken = ring_.take_all();
    return taken.payload_bytes == pushed * kPayload ? taken.records : 0;
  }
  std::optional<std::string> complaint() const { return ring_.complaint(); }

 private:
  RingAdapter(const SampleRecords& samples, BenchRing& ring) : samples_(samples), ring_(ring) {}
  const SampleRecords& samples_;
  BenchRing& ring_;
};

template <std::size_t kPayload, typename Make>
void add_ring_row(Rows& rows, About about, Make) {
  about.group = Group::kShmring;
  add_row<RingAdapter<kPayload, Make>>(rows, about);
}

}  // namespace shmring::bench
