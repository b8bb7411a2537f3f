// SPDX-License-Identifier: Apache-2.0
// A look at what the ring holds without taking it.
#include "libshmring/snapshot.hpp"

#include <algorithm>
#include <utility>
#include <vector>

#include "libshmring/fence.hpp"
#include "libshmring/record_walk.hpp"
#include "libshmring/recycle.hpp"
#include "libshmring/tick_times.hpp"

namespace shmring {
namespace {

/// Where the record lies that has `skip` counted records before it in the block.
std::uint32_t offset_behind(std::span<const std::byte> bytes, Signal signal, std::uint64_t skip) noexcept {
  std::uint32_t offset = 0;
  while (skip > 0) {
    const RecordStep step = step_record(bytes, offset, signal);
    if (step.kind == RecordStep::Kind::kEnd || step.kind == RecordStep::Kind::kBroken) break;
    if (step.kind == RecordStep::Kind::kRecord) --skip;
    offset = step.next;
  }
  return offset;
}

}  // namespace

std::optional<Slice> peek(const RingFile& ring, std::uint32_t block,
                          std::optional<std::uint64_t> from_count) {
  const BlockDescriptor& d = ring.descriptors()[block];
  const StateWord state = StateWord::unpack(d.state.load(std::memory_order_acquire));  // P3
  if (!holds_records(state.state) || static_cast<std::size_t>(state.signal) >= kSignalCount)
    return std::nullopt;
  const ExportedWord exported = ExportedWord::unpack(d.exported.load(std::memory_order_acquire));  // P4
  const CommittedWord committed{d.committed.load(std::memory_order_acquire)};                      // P1
  const std::uint32_t end = std::min(committed.offset_bytes(), reach(ring, block));
  if (from_count ? committed.count() == *from_count : exported.offset_bytes >= end) return std::nullopt;

  Slice slice;
  slice.bytes.assign(ring.block(block), ring.block(block) + end);
  loads_before_loads();
  const StateWord after = StateWord::unpack(d.state.load(std::memory_order_acquire));  // P3
  if (after.block_generation != state.block_generation || !holds_records(after.state)) return std::nullopt;
  // A run loses its blocks while the head still is in this life, but not before `committed` is reset.
  if (CommittedWord{d.committed.load(std::memory_order_acquire)}.life() != committed.life())
    return std::nullopt;  // P1

  slice.key = {.block = block,
               .block_generation = state.block_generation,
               .begin = exported.offset_bytes,
               .end = end,
               .begin_count = exported.count,
               .end_count = committed.count(),
               .signal = state.signal};
  if (from_count) {
    // Counts go on over the lives of a block: what this life holds tells with which count it began.
    const std::uint64_t held = count_records(slice.bytes, 0, state.signal);
    const std::uint64_t life_began = (committed.count() - held) & kCountMask;
    const std::uint64_t seen = (*from_count - life_began) & kCountMask;
    const std::uint64_t skip = seen <= held ? seen : 0;  // a count of an earlier life: all of this one is new
    slice.key.begin = offset_behind(slice.bytes, state.signal, skip);
    slice.key.begin_count = (life_began + skip) & kCountMask;
  }
  if (slice.key.records() == 0) return std::nullopt;
  convert_ticks(slice.bytes, state.signal);
  return slice;
}

void peek_all(const RingFile& ring, const std::function<void(Slice&&)>& sink) {
  std::vector<std::pair<std::uint64_t, std::uint32_t>> order;
  for (std::uint32_t block = 0; block < ring.geometry().block_count; ++block) {
    const BlockDescriptor& d = ring.descriptors()[block];
    if (!holds_records(StateWord::unpack(d.state.load(std::memory_order_acquire)).state)) continue;  // P3
    order.emplace_back(d.ticket.load(std::memory_order_relaxed), block);  // relaxed: an order, no more
  }
  std::sort(order.begin(), order.end());
  for (const auto& [ticket, block] : order) {
    if (auto slice = peek(ring, block)) sink(std::move(*slice));
  }
}

}  // namespace shmring
