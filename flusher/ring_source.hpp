// SPDX-License-Identifier: Apache-2.0
// A real ring behind the pipeline's seam.
#pragma once

#include "flusher/slice_source.hpp"

namespace shmring::flusher {

class RingSource final : public SliceSource {
 public:
  explicit RingSource(Reader& reader) : reader_(reader) {}

  DrainReport drain(const DrainBudget& budget, const std::function<bool(Slice&&)>& sink) override {
    return is_detached_ ? DrainReport{} : reader_.drain(budget, sink);
  }
  Reader::Acknowledged acknowledge(const SliceKey& key, const OutcomeCounts& counts) override {
    return is_detached_ ? Reader::Acknowledged::kSuperseded : reader_.acknowledge(key, counts);
  }
  void count_possible_duplicates(Signal signal, std::uint64_t records) override {
    if (!is_detached_) reader_.count_possible_duplicates(signal, records);
  }

  /// The ring must not be touched any more: its file was cut short, and a look at what is missing would end the process.
  void detach() noexcept { is_detached_ = true; }

 private:
  Reader& reader_;
  bool is_detached_ = false;
};

}  // namespace shmring::flusher
