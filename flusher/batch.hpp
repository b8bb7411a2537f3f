// SPDX-License-Identifier: Apache-2.0
// What travels from the batch stage to the exporters: one encoded export request, and whose records are in it.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "libshmring/reader.hpp"
#include "shmring/signal.hpp"

namespace shmring::flusher {

/// A stretch of a slice whose records lie in one batch, or were found bad on the way there. Acknowledged as a whole:
/// so a crash sends no more again than the batches that were under way.
struct Piece {
  SliceKey key;               // as the slice's, with ends of its own
  std::uint64_t valid = 0;    // in the batch
  std::uint64_t invalid = 0;  // no OTLP
  std::uint64_t corrupt = 0;  // counted by the ring, but not to be found in its bytes

  std::uint64_t records() const noexcept { return valid + invalid + corrupt; }
};

struct Batch {
  Signal signal = Signal::kLogs;
  std::uint64_t number = 0;   // counts up for each signal
  std::string request = {};   // an encoded Export<Signal>ServiceRequest
  std::uint64_t records = 0;  // in the request; 0: nothing to send, only pieces of bad records
  std::vector<Piece> pieces = {};

  std::uint64_t memory() const noexcept {
    return request.capacity() + pieces.capacity() * sizeof(Piece) + sizeof(Batch);
  }
};

}  // namespace shmring::flusher
