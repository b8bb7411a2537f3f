// SPDX-License-Identifier: Apache-2.0
// The flusher's own pipeline over a ring, with a destination that accepts every request at once: from committed records to
// finished, validated request bodies, acknowledged. Nothing is compressed or sent.
#pragma once

#include <cstdint>
#include <memory>
#include <utility>

#include "bench/bench_ring.hpp"
#include "flusher/pipeline.hpp"
#include "flusher/ring_source.hpp"

namespace shmring::bench {

/// Looks at what it gets, and is done with it.
class AcceptingExporter final : public flusher::Exporter {
 public:
  void submit(std::shared_ptr<const flusher::Batch> batch, Done done) override {
    records_ += batch->records;
    bytes_ += batch->request.size();
    ++requests_;
    done({});
  }

  std::uint64_t records() const noexcept { return records_; }
  std::uint64_t bytes() const noexcept { return bytes_; }
  std::uint64_t requests() const noexcept { return requests_; }

 private:
  std::uint64_t records_ = 0;
  std::uint64_t bytes_ = 0;
  std::uint64_t requests_ = 0;
};

class AcceptingPipeline {
 public:
  explicit AcceptingPipeline(BenchRing& ring)
      : ring_(ring),
        source_(ring.reader()),
        log_(flusher::LogLevel::kError, [](std::string_view) {}),
        pipeline_(config_, source_, {&exporter_}, log_) {}

  /// As the flusher does at a tick and until nothing is left. The number of records that are in requests and acknowledged.
  std::uint64_t run() {
    const std::uint64_t before = pipeline_.totals().accepted;
    ring_.reader().consume_wake();
    do {
      pipeline_.drain();
    } while (pipeline_.wants_more());
    return pipeline_.totals().accepted - before;
  }

  /// What the flusher does at a tick, from the look at the file to the drain.
  bool tick() {
    const bool is_valid = static_cast<bool>(ring_.file().still_valid());
    ring_.reader().beat(200);
    ring_.reader().consume_wake();
    return is_valid && pipeline_.drain().records == 0;
  }

  const AcceptingExporter& exporter() const noexcept { return exporter_; }

 private:
  BenchRing& ring_;
  flusher::Config config_;
  flusher::RingSource source_;
  flusher::Log log_;
  AcceptingExporter exporter_;
  flusher::Pipeline pipeline_;
};

}  // namespace shmring::bench
