// SPDX-License-Identifier: Apache-2.0
// A flusher of a schedule: enters in the book what it is handed and what it acknowledges.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "libshmring/lease.hpp"
#include "libshmring/reader.hpp"
#include "tests/schedules/book.hpp"
#include "tests/support/scratch_ring.hpp"

namespace shmring::testing {

class BookedFlusher {
 public:
  BookedFlusher(const RingFile& ring, Book& book) : ring_(ring), book_(book) {}
  ~BookedFlusher() { forget(); }
  BookedFlusher(const BookedFlusher&) = delete;
  BookedFlusher& operator=(const BookedFlusher&) = delete;

  void take_over() {
    lease_.emplace(value_or_abort(Lease::try_take(ring_)));
    reader_ = value_or_abort(Reader::create(ring_, *lease_));
  }
  /// Its lock is another's to take, and it knows nothing of it: as one that stood still while its lease was ended.
  void lose_lease() { const Lease lost(std::move(*lease_)); }

  /// One pass. Returns how many records it found.
  std::uint64_t drain() {
    return reader_
        ->drain(~std::uint64_t{0},
                [this](Slice&& slice) {
                  under_way_.push_back({slice.key, book_.receive(slice)});
                  check_order(under_way_.back().ids);
                  return true;
                })
        .records;
  }

  /// Everything that is under way was accepted.
  void acknowledge() {
    for (const UnderWay& slice : std::exchange(under_way_, {})) {
      OutcomeCounts counts{};
      counts[static_cast<std::size_t>(Outcome::kAccepted)] = slice.ids.size();
      counts[static_cast<std::size_t>(Outcome::kCorrupt)] = slice.key.records() - slice.ids.size();
      for (const std::uint32_t id : slice.ids) ++book_.acknowledging[id];
      const bool done = reader_->acknowledge(slice.key, counts) == Reader::Acknowledged::kDone;
      for (const std::uint32_t id : slice.ids) ++(done ? book_.acknowledged : book_.superseded)[id];
      if (!done) ++book_.refused_acks;
      actor_learned_something();
    }
  }

  /// Gives everything back: it has sent nothing yet.
  void release_all() {
    forget();
    highest_.fill(0);
    reader_->release_all();
  }

  /// Until a pass finds nothing more. False: there is no end.
  bool empty() {
    constexpr unsigned kTooManyPasses = 64;
    for (unsigned passes = 0, quiet = 0; quiet < 2; ++passes) {
      if (passes == kTooManyPasses) return false;
      quiet = drain() == 0 ? quiet + 1 : 0;
      acknowledge();
    }
    return true;
  }

 private:
  struct UnderWay {
    SliceKey key;
    std::vector<std::uint32_t> ids;
  };

  void forget() {
    for (const UnderWay& slice : std::exchange(under_way_, {})) {
      for (const std::uint32_t id : slice.ids) ++book_.given_back[id];
    }
  }

  void check_order(const std::vector<std::uint32_t>& ids) {
    for (const std::uint32_t id : ids) {
      if (id / Book::kIdsEach == static_cast<std::uint32_t>(Author::kBefore)) continue;  // several threads
      std::uint32_t& highest = highest_[id / Book::kIdsEach];
      if (id + 1 < highest) ++book_.out_of_order;
      highest = std::max(highest, id + 1);
    }
  }

  const RingFile& ring_;
  Book& book_;
  std::optional<Lease> lease_;
  std::unique_ptr<Reader> reader_;
  std::vector<UnderWay> under_way_;
  std::array<std::uint32_t, Book::kAuthors> highest_{};
};

}  // namespace shmring::testing
