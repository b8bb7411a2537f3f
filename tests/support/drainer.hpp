// SPDX-License-Identifier: Apache-2.0
// The smallest flusher there is: a lease, a reader, and everything that it hands out is delivered and acknowledged at once.
#pragma once

#include <cstdint>
#include <limits>
#include <memory>
#include <utility>
#include <vector>

#include "libshmring/accounting.hpp"
#include "libshmring/lease.hpp"
#include "libshmring/reader.hpp"
#include "libshmring/ring_file.hpp"
#include "tests/support/obligations.hpp"
#include "tests/support/scratch_ring.hpp"

namespace shmring::testing {

inline constexpr std::uint64_t kNoLimit = std::numeric_limits<std::uint64_t>::max();

class Drainer {
 public:
  /// REQUIRES: `ring` outlives the drainer.
  explicit Drainer(const RingFile& ring)
      : ring_(ring),
        lease_(value_or_abort(Lease::try_take(ring))),
        reader_(value_or_abort(Reader::create(ring, lease_))) {}

  Reader& reader() noexcept { return *reader_; }

  /// One pass. Returns the number of records that it found.
  std::uint64_t pass(Deliveries& deliveries) {
    std::vector<std::pair<SliceKey, OutcomeCounts>> done;
    const DrainReport report = reader_->drain(kNoLimit, [&](Slice&& slice) {
      done.emplace_back(slice.key, deliver(slice, deliveries));
      return true;
    });
    for (const auto& [key, counts] : done) {
      if (reader_->acknowledge(key, counts) == Reader::Acknowledged::kSuperseded) ++superseded_;
    }
    return report.records;
  }

  /// Passes until everything that producers have left is delivered, blocks of the dead are free, and every slot was asked about.
  void empty(Deliveries& deliveries) {
    const std::uint32_t looks =
        ring_.geometry().writer_count / 16 + 2;  // a pass asks /proc about a few slots
    for (std::uint32_t quiet = 0; quiet < looks;) quiet = pass(deliveries) == 0 ? quiet + 1 : 0;
  }

  std::uint64_t corrupt() const noexcept { return corrupt_; }
  std::uint64_t superseded() const noexcept { return superseded_; }

 private:
  OutcomeCounts deliver(const Slice& slice, Deliveries& deliveries) {
    SliceWalk walk(slice);
    OutcomeCounts counts{};
    while (const auto record = walk.next()) {
      deliveries.record(record->payload);
      ++counts[static_cast<std::size_t>(Outcome::kAccepted)];
    }
    counts[static_cast<std::size_t>(Outcome::kCorrupt)] = walk.corrupt();
    corrupt_ += walk.corrupt();
    return counts;
  }

  const RingFile& ring_;
  Lease lease_;
  std::unique_ptr<Reader> reader_;
  std::uint64_t corrupt_ = 0;
  std::uint64_t superseded_ = 0;
};

}  // namespace shmring::testing
