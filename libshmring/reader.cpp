// SPDX-License-Identifier: Apache-2.0
// Draining a ring, as the flusher calls it.
#include "libshmring/reader.hpp"

#include <utility>

#include "libshmring/reader_impl.hpp"
#include "libshmring/system.hpp"

namespace shmring {

Reader::Reader(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Reader::~Reader() = default;

Result<std::unique_ptr<Reader>> Reader::create(const RingFile& ring, const Lease& lease) {
  auto impl = std::make_unique<Impl>(ring, lease);
  impl->fence_predecessors();
  return std::unique_ptr<Reader>(new Reader(std::move(impl)));
}

DrainReport Reader::drain(std::uint64_t max_bytes, const std::function<bool(Slice&&)>& sink) {
  return drain(DrainBudget{max_bytes, max_bytes, max_bytes}, sink);
}

DrainReport Reader::drain(const DrainBudget& budget, const std::function<bool(Slice&&)>& sink) {
  Impl& impl = *impl_;
  impl.report = {};
  impl.budget = budget;
  if (impl.superseded()) return impl.report;
  impl.ask_proc();
  impl.list_candidates();
  impl.limit_pins();
  bool wanted = true;
  for (const Candidate& candidate : impl.candidates) {
    if (wanted) {
      wanted = impl.visit(candidate, sink);
    } else {
      impl.settle(candidate.index);  // room for producers, also when the sink is full
    }
  }
  impl.ring.header().free_blocks.store(impl.report.free_blocks + impl.report.recycled,
                                       std::memory_order_relaxed);  // relaxed: an estimate
  return impl.report;
}

Reader::Acknowledged Reader::acknowledge(const SliceKey& key, const OutcomeCounts& counts) {
  if (key.block >= impl_->tracks.size()) return Acknowledged::kSuperseded;
  Track& track = impl_->tracks[key.block];
  if (track.generation != key.block_generation || !track.outstanding() || key.end > track.handed_offset) {
    return Acknowledged::kSuperseded;
  }
  if (!impl_->advance(key.block, key, counts)) {
    // No successor's doing, so damage: what was not acknowledged is handed out again, or the block would be lost.
    if (!impl_->superseded()) track = Track{};
    return Acknowledged::kSuperseded;
  }
  track.acknowledged_offset = key.end;
  impl_->settle(key.block);
  return Acknowledged::kDone;
}

Reader::Applied Reader::apply(const SliceKey& key, const OutcomeCounts& counts) {
  if (key.block >= impl_->tracks.size()) return Applied::kCannot;
  // Counts are never reset, so this says whether `exported` has passed the stretch, in whatever life of the block.
  const ExportedWord exported =
      ExportedWord::unpack(impl_->descriptor(key.block).exported.load(std::memory_order_acquire));  // P4
  if (((exported.count - key.end_count) & kCountMask) <= kCountMask / 2) return Applied::kWasDone;
  if (!impl_->advance(key.block, key, counts)) return Applied::kCannot;
  impl_->settle(key.block);
  return Applied::kDone;
}

void Reader::release_all() {
  for (std::uint32_t index = 0; index < impl_->tracks.size(); ++index) {
    if (!impl_->tracks[index].outstanding()) continue;
    impl_->tracks[index] = Track{};
    impl_->settle(index);
  }
}

void Reader::count_possible_duplicates(Signal signal, std::uint64_t records) {
  impl_->ring.header().duplicates_possible[static_cast<std::size_t>(signal)].fetch_add(
      records, std::memory_order_relaxed);  // relaxed: a count of its own
}

bool Reader::consume_wake() {
  return impl_->ring.header().wake.exchange(0, std::memory_order_acq_rel) != 0;  // P8
}

bool Reader::wait_for_wake(std::uint32_t timeout_ms) {
  std::atomic<std::uint32_t>& wake = impl_->ring.header().wake;
  if (wake.load(std::memory_order_acquire) != 0) return true;  // P8
  futex_wait(wake, 0, std::uint64_t{timeout_ms} * 1'000'000U);
  return wake.load(std::memory_order_acquire) != 0;  // P8
}

void Reader::beat(std::uint32_t interval_ms) {
  if (impl_->superseded()) return;
  impl_->ring.header().heartbeat_ns.store(boottime_ns(), std::memory_order_relaxed);  // relaxed: for people
  impl_->ring.header().interval_ms.store(interval_ms, std::memory_order_relaxed);     // relaxed: for people
}

}  // namespace shmring
