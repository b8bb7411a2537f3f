// SPDX-License-Identifier: Apache-2.0
// Stage "acknowledge": pieces get their outcomes in any order; each block is acknowledged in the order of its records.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "flusher/batch.hpp"
#include "libshmring/reader.hpp"

namespace shmring::flusher {

class Acknowledger {
 public:
  using Acknowledge = std::function<Reader::Acknowledged(const SliceKey&, const OutcomeCounts&)>;

  explicit Acknowledger(Acknowledge acknowledge) : acknowledge_(std::move(acknowledge)) {}

  /// A piece is under way. REQUIRES: called in the order of a block's records.
  void expect(const SliceKey& key);

  /// Every record of the piece has its outcome. Acknowledges it, and what waited for it, once all before it are.
  void settle(const SliceKey& key, const OutcomeCounts& counts);

  /// Pieces that are under way, or settled and waiting for one before them.
  std::uint64_t open_pieces() const noexcept { return open_; }
  /// Pieces that the ring did not want any more: another flusher has them.
  std::uint64_t superseded() const noexcept { return superseded_; }

 private:
  static constexpr std::uint32_t kNone = ~0U;

  struct Entry {
    SliceKey key;
    OutcomeCounts counts{};
    bool is_settled = false;
    std::uint32_t next = kNone;  // of the same block, or of the unused ones
  };
  /// Of one block: oldest first.
  struct Queue {
    std::uint32_t first = kNone;
    std::uint32_t last = kNone;
  };

  std::uint32_t new_entry(const SliceKey& key);
  void remove_first(Queue& queue);
  void forget(Queue& queue);

  Acknowledge acknowledge_;
  std::vector<Queue> blocks_;   // by number
  std::vector<Entry> entries_;  // those in use are in queues, the others in a list that begins at `unused_`
  std::uint32_t unused_ = kNone;
  std::uint64_t open_ = 0;
  std::uint64_t superseded_ = 0;
};

}  // namespace shmring::flusher
