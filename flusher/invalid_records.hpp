// SPDX-License-Identifier: Apache-2.0
// Records that are no OTLP, on their way to the dead letters: collected, so that a producer of garbage costs a file for each batch
// that goes out, and not one for each record.
#pragma once

#include <array>
#include <cstdint>

#include "flusher/dead_letters.hpp"
#include "flusher/validator.hpp"
#include "libshmring/otlp/request.hpp"

namespace shmring::flusher {

/// They stay counted as invalid, whether they are kept or not.
class InvalidRecords {
 public:
  /// nullptr: there is no store, and nothing is kept.
  explicit InvalidRecords(DeadLetters* store) : store_(store) {}

  /// Takes copies.
  void add(const CheckedSlice& slice);
  /// One letter for each signal.
  void keep();

 private:
  struct Lot {
    otlp::RequestBuilder builder;
    std::array<std::uint64_t, otlp::kReasonCount> reasons{};
    std::uint64_t left_out = 0;
  };
  void add(Lot& lot, const RecordContext& context, const BadRecord& record);
  void keep(Signal signal, Lot& lot);

  DeadLetters* store_;
  std::array<Lot, kSignalCount> lots_;
};

}  // namespace shmring::flusher
