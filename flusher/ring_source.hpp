// SPDX-License-Identifier: Apache-2.0
// A real ring behind the pipeline's seam.
#pragma once

#include "flusher/slice_source.hpp"

namespace shmring::flusher {

class RingSource final : public SliceSource {
 public:
  explicit RingSource(Reader& reader) : reader_(reader) {}

  DrainReport drain(const DrainBudget& budget, const std::function<bool(Slice&&)>& sink) override {
    return reader_.drain(budget, sink);
  }
  Reader::Acknowledged acknowledge(const SliceKey& key, const OutcomeCounts& counts) override {
    return reader_.acknowledge(key, counts);
  }
  void count_possible_duplicates(Signal signal, std::uint64_t records) override {
    reader_.count_possible_duplicates(signal, records);
  }

 private:
  Reader& reader_;
};

}  // namespace shmring::flusher
