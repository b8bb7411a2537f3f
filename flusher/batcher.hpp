// SPDX-License-Identifier: Apache-2.0
// Stages "batch" and "encode": collects records of one signal, whatever it is, into requests of a limited size.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "flusher/batch.hpp"
#include "flusher/config.hpp"
#include "flusher/validator.hpp"
#include "libshmring/otlp/request.hpp"

namespace shmring::flusher {

class Batcher {
 public:
  using Emit = std::function<void(Batch&&)>;

  Batcher(Signal signal, const BatchLimits& limits, Emit emit);

  /// Takes copies: the slice can go. Emits each batch that becomes full.
  void add(const CheckedSlice& slice);

  /// Emits what was collected, if anything was.
  void flush();

 private:
  otlp::RequestBuilder::Group group_of(const CheckedSlice& slice, std::uint32_t context);
  bool is_full_for(otlp::RequestBuilder::Group group, std::size_t payload) const;

  Signal signal_;
  BatchLimits limits_;
  Emit emit_;
  otlp::RequestBuilder builder_;
  std::vector<Piece> pieces_;
  std::uint64_t next_number_ = 0;
  std::vector<std::optional<otlp::RequestBuilder::Group>>
      groups_;  // of the slice at hand, by context, in this request
};

}  // namespace shmring::flusher
