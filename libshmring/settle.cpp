// SPDX-License-Identifier: Apache-2.0
// The end of a block: its records get their fates, and it becomes FREE, also where its words contradict each other.
#include <algorithm>
#include <span>

#include "libshmring/outcomes.hpp"
#include "libshmring/reader_impl.hpp"
#include "libshmring/record_walk.hpp"
#include "libshmring/recycle.hpp"

namespace shmring {

/// Moves `exported` from key.begin to key.end. False: superseded.
bool Reader::Impl::advance(std::uint32_t index, const SliceKey& key, const OutcomeCounts& counts) {
  if (superseded()) return false;
  BlockDescriptor& d = descriptor(index);
  const StateWord state = StateWord::unpack(d.state.load(std::memory_order_acquire));  // P3
  std::uint64_t word = d.exported.load(std::memory_order_acquire);                     // P4
  ExportedWord exported = ExportedWord::unpack(word);
  if (state.block_generation != key.block_generation ||
      exported.epoch != (lease.epoch() & ExportedWord::kEpochMask) || exported.offset_bytes != key.begin ||
      exported.count != key.begin_count) {
    return false;
  }
  if (!fill_other_set(ring.header(), d, exported, key.signal, counts, lease.epoch())) return false;
  exported.set ^= 1U;
  exported.offset_bytes = key.end;
  exported.count = key.end_count;
  // What if we die before this? Nothing was acknowledged. After it? Everything was, totals included.
  return d.exported.compare_exchange_strong(word, exported.pack(), std::memory_order_acq_rel);  // P4
}

/// Nothing of ours is on its way: recycles a block that is done, an orphan that is exported included; unpins the rest.
void Reader::Impl::settle(std::uint32_t index) {
  BlockDescriptor& d = descriptor(index);
  if (tracks[index].outstanding()) return;
  for (;;) {
    std::uint64_t word = d.state.load(std::memory_order_acquire);  // P3
    StateWord state = StateWord::unpack(word);
    // The header's epoch behind the state word: see visit().
    if (!holds_records(state.state) || superseded()) return;
    if (state.pin != Pin::kUnpinned && state.pin != my_pin()) {
      // A later holder's would have come with a later epoch (I7): it is of a lease that ended, or damage.
      if (!set_pin(d, word, my_pin())) return;
      continue;
    }
    const bool finished = state.state == BlockState::kSealed || gone(state);
    const std::uint64_t exported = d.exported.load(std::memory_order_acquire);    // P4
    const std::uint64_t committed = d.committed.load(std::memory_order_acquire);  // P1
    if (finished && nothing_left(CommittedWord{committed}, ExportedWord::unpack(exported))) {
      // The words of one life: a flusher that stood still between its loads would reset those of a later one.
      if (d.state.load(std::memory_order_acquire) != word) return;  // P3
      if (state.state == BlockState::kSealed && state.pin == my_pin()) {
        if (recycle(ring, index, word, exported, committed)) ++report.recycled;
        tracks[index].context.reset();
        return;
      }
      state.state = BlockState::kSealed;
      state.pin = my_pin();
      if (!d.state.compare_exchange_strong(word, state.pack(), std::memory_order_acq_rel))
        return;  // P3: adopted
      continue;  // `committed` must be read again behind the seal (R4)
    }
    // A pin keeps adopters off; an orphan with nothing on its way is theirs (R9).
    if (state.pin == Pin::kUnpinned || set_pin(d, word, Pin::kUnpinned)) return;
  }
}

/// Words that no code of ours leaves behind: what the counters still promise is counted as corrupt, once the owner is done.
/// REQUIRES: the block bears our pin.
void Reader::Impl::write_off(std::uint32_t index) {
  BlockDescriptor& d = descriptor(index);
  std::uint64_t word = d.state.load(std::memory_order_acquire);  // P3
  StateWord state = StateWord::unpack(word);
  if (tracks[index].outstanding() || state.pin != my_pin()) return;
  if (state.state != BlockState::kSealed) {
    if (!gone(state)) return;
    state.state = BlockState::kSealed;
    if (!d.state.compare_exchange_strong(word, state.pack(), std::memory_order_acq_rel)) return;  // P3
  }
  const ExportedWord exported = ExportedWord::unpack(d.exported.load(std::memory_order_acquire));  // P4
  std::uint64_t committed_word = d.committed.load(std::memory_order_acquire);                      // P1
  const CommittedWord committed{committed_word};
  const std::uint64_t lost = believable_loss(index, state, exported, committed);
  const SliceKey key{
      .block = index,
      .block_generation = state.block_generation,
      .begin = exported.offset_bytes,
      .end = 0,
      .begin_count = exported.count,
      .end_count = (exported.count + lost) & kCountMask,
      .signal = static_cast<std::size_t>(state.signal) < kSignalCount ? state.signal : Signal::kLogs};
  OutcomeCounts counts{};
  counts[static_cast<std::size_t>(Outcome::kCorrupt)] = lost;
  if (!advance(index, key, counts)) return;
  // `committed` takes the same count and loses its offset; then the ordinary recycling fits.
  const CommittedWord mended = CommittedWord::of(0, committed.life() + 1, key.end_count);
  if (d.committed.compare_exchange_strong(committed_word, mended.word, std::memory_order_acq_rel))
    settle(index);  // P2
}

/// As many records as the counters say are left, or, where no block could hold so many, as can be found (at least one).
std::uint64_t Reader::Impl::believable_loss(std::uint32_t index, const StateWord& state,
                                            const ExportedWord& exported,
                                            const CommittedWord& committed) const {
  const std::uint32_t block_bytes = ring.geometry().block_bytes;
  const std::uint64_t promised = (committed.count() - exported.count) & kCountMask;
  if (promised <= block_bytes / sizeof(RecordHeader)) return promised;
  const std::uint32_t end = std::min(committed.offset_bytes(), reach(ring, index));
  const std::span<const std::byte> bytes(ring.block(index), end);
  return std::max<std::uint64_t>(1, count_records(bytes, exported.offset_bytes, state.signal));
}

}  // namespace shmring
