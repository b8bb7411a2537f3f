// SPDX-License-Identifier: Apache-2.0
// Stage "acknowledge": pieces get their outcomes in any order; each block is acknowledged in the order of its records.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <unordered_map>

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
  struct Entry {
    SliceKey key;
    OutcomeCounts counts{};
    bool is_settled = false;
  };

  void forget(std::uint32_t block);

  Acknowledge acknowledge_;
  std::unordered_map<std::uint32_t, std::deque<Entry>> blocks_;
  std::uint64_t open_ = 0;
  std::uint64_t superseded_ = 0;
};

}  // namespace shmring::flusher
