// SPDX-License-Identifier: Apache-2.0
// Draining: one pass over the descriptors, copies under a pin, acknowledgements, recycling.
#include "libshmring/reader.hpp"

#include <algorithm>
#include <utility>

#include "libshmring/liveness.hpp"
#include "libshmring/outcomes.hpp"
#include "libshmring/record_walk.hpp"
#include "libshmring/recycle.hpp"
#include "libshmring/system.hpp"

namespace shmring {
namespace {

/// /proc costs some ten microseconds a look: a tick looks at a few slots, and so at all of them every now and then.
constexpr std::uint32_t kProcLooksPerTick = 16;

/// What this reader has handed out of a block's present life.
struct Track {
  std::uint32_t generation = ~0U;
  std::uint32_t handed_offset = 0;
  std::uint64_t handed_count = 0;
  std::uint32_t acknowledged_offset = 0;  // below handed_offset: something is on its way

  bool outstanding() const noexcept { return acknowledged_offset < handed_offset; }

  bool follows(const StateWord& state) const noexcept { return generation == state.block_generation; }
};

struct Candidate {
  std::uint64_t ticket = 0;
  std::uint32_t index = 0;
};

bool holds_records(BlockState state) noexcept {
  return state == BlockState::kOpen || state == BlockState::kSealed || state == BlockState::kEvict;
}

/// Sets, renames or removes a pin. On failure `word` is what is there now.
bool set_pin(BlockDescriptor& descriptor, std::uint64_t& word, Pin pin) noexcept {
  StateWord state = StateWord::unpack(word);
  state.pin = pin;
  if (!descriptor.state.compare_exchange_strong(word, state.pack(), std::memory_order_acq_rel))
    return false;  // P3
  word = state.pack();
  return true;
}

}  // namespace

struct Reader::Impl {
  const RingFile& ring;
  const Lease& lease;
  bool all_owners_gone;  // the machine was started anew since the ring was made
  std::vector<Track> tracks;
  std::vector<Candidate> candidates;
  std::uint32_t next_slot_to_ask = 0;
  // Of the drain under way.
  DrainReport report;
  DrainBudget budget{};
  std::uint32_t sealed_pins_left = 0;  // policy drop-oldest outlives a flusher that dies with its pins (R5)

  Impl(const RingFile& file, const Lease& held)
      : ring(file),
        lease(held),
        all_owners_gone(file.of_an_earlier_boot()),
        tracks(file.geometry().block_count) {}

  bool superseded() const noexcept {
    return ring.header().epoch.load(std::memory_order_acquire) != lease.epoch();  // P11
  }
  BlockDescriptor& descriptor(std::uint32_t index) const noexcept { return ring.descriptors()[index]; }
  Pin my_pin() const noexcept { return pin_of(lease.epoch()); }
  bool contradictory(const StateWord& state, const ExportedWord& exported,
                     const CommittedWord& committed) const noexcept {
    return static_cast<std::size_t>(state.signal) >= kSignalCount ||
           committed.offset_bytes() > ring.geometry().block_bytes ||
           exported.offset_bytes >= committed.offset_bytes();
  }
  bool gone(const StateWord& state) const noexcept {
    return all_owners_gone || state.writer >= ring.geometry().writer_count ||
           owner_gone(ring.slots()[state.writer], state);
  }

  void fence_predecessors();
  void ask_proc();
  bool mend_state(std::uint32_t index);
  void list_candidates();
  bool visit(std::uint32_t index, const std::function<bool(Slice&&)>& sink);
  bool hand_out(std::uint32_t index, std::uint64_t word, CommittedWord committed,
                const std::function<bool(Slice&&)>& sink);
  void settle(std::uint32_t index);
  void leave(Signal signal) noexcept;
  void limit_pins() noexcept;
  bool advance(std::uint32_t index, const SliceKey& key, const OutcomeCounts& counts);
  void write_off(std::uint32_t index);
  std::uint64_t believable_loss(std::uint32_t index, const StateWord& state, const ExportedWord& exported,
                                const CommittedWord& committed) const;
};

// ------------------------------------------------------------------------------------------------------- takeover

/// From here on nothing that an earlier flusher still does can move an `exported` word.
void Reader::Impl::fence_predecessors() {
  for (std::uint32_t index = 0; index < ring.geometry().block_count; ++index) {
    BlockDescriptor& d = descriptor(index);
    std::uint64_t state_word = d.state.load(std::memory_order_acquire);  // P3
    StateWord state = StateWord::unpack(state_word);
    if (!holds_records(state.state)) continue;
    const auto word = fence_exported(ring.header(), d, lease.epoch());
    while (word && holds_records(state.state) && state.pin != Pin::kUnpinned && state.pin != my_pin() &&
           !superseded()) {
      if (set_pin(d, state_word, my_pin())) break;
      state = StateWord::unpack(state_word);
    }
    if (!word || state.pin == Pin::kUnpinned) continue;
    // A pin of a predecessor that died (or lost its lease) while these were on their way: they may arrive twice.
    const std::uint64_t committed = CommittedWord{d.committed.load(std::memory_order_acquire)}.count();  // P1
    const std::uint64_t records = (committed - ExportedWord::unpack(*word).count) & kCountMask;
    if (records > ring.geometry().block_bytes / sizeof(RecordHeader)) continue;  // no count that fits a block
    const auto signal = static_cast<std::size_t>(state.signal);
    if (signal >= kSignalCount) continue;
    ring.header().duplicates_possible[signal].fetch_add(
        records, std::memory_order_relaxed);  // relaxed: a count of its own
  }
}

// ---------------------------------------------------------------------------------------------------------- drain

void Reader::Impl::ask_proc() {
  const auto slots = ring.slots();
  for (std::uint32_t n = 0; n < std::min<std::uint32_t>(kProcLooksPerTick, ring.geometry().writer_count);
       ++n) {
    WriterSlot& slot = slots[next_slot_to_ask];
    next_slot_to_ask = (next_slot_to_ask + 1) % ring.geometry().writer_count;
    const std::uint64_t claim = slot.claim.load(std::memory_order_acquire);  // P5
    if (ClaimWord::unpack(claim).phase == SlotPhase::kVacant ||
        liveness(slot, Ask::kWord) != Liveness::kAlive)
      continue;
    if (liveness(slot, Ask::kWordAndProc) == Liveness::kGone) vacate(slot, claim);
  }
}

/// A state that no code of ours leaves behind (a CONT without its head included): once its owner is gone the block is
/// drained and recycled like any other, or it would be lost for good.
bool Reader::Impl::mend_state(std::uint32_t index) {
  BlockDescriptor& d = descriptor(index);
  std::uint64_t word = d.state.load(std::memory_order_acquire);  // P3
  StateWord state = StateWord::unpack(word);
  if (state.state == BlockState::kFree || holds_records(state.state) || !gone(state)) return false;
  state.state = BlockState::kSealed;
  state.pin = Pin::kUnpinned;
  return d.state.compare_exchange_strong(word, state.pack(), std::memory_order_acq_rel);  // P3
}

void Reader::Impl::list_candidates() {
  candidates.clear();
  report.free_blocks = 0;
  for (std::uint32_t index = 0; index < ring.geometry().block_count; ++index) {
    const BlockDescriptor& d = descriptor(index);
    const StateWord state = StateWord::unpack(d.state.load(std::memory_order_acquire));  // P3
    if (state.state == BlockState::kFree) ++report.free_blocks;
    if (!holds_records(state.state) && !mend_state(index)) continue;
    candidates.push_back({d.ticket.load(std::memory_order_relaxed), index});  // relaxed: an order, no more
  }
  std::sort(candidates.begin(), candidates.end(), [](const Candidate& a, const Candidate& b) {
    return a.ticket != b.ticket ? a.ticket < b.ticket : a.index < b.index;
  });
}

/// Hands out what is new in a block, or finishes with it. False: the sink wants no more.
bool Reader::Impl::visit(std::uint32_t index, const std::function<bool(Slice&&)>& sink) {
  BlockDescriptor& d = descriptor(index);
  // The order of these loads is R4: state, owner, exported, committed.
  std::uint64_t word = d.state.load(std::memory_order_acquire);  // P3
  const StateWord state = StateWord::unpack(word);
  if (!holds_records(state.state)) return true;
  if (state.state == BlockState::kEvict && !gone(state)) return true;
  Track& track = tracks[index];
  if (!track.follows(state)) track = Track{.generation = state.block_generation};

  const auto fenced = fence_exported(ring.header(), d, lease.epoch());
  if (!fenced) return true;
  const ExportedWord exported = ExportedWord::unpack(*fenced);
  const CommittedWord committed{d.committed.load(std::memory_order_acquire)};  // P1
  if (!track.outstanding()) {
    track.acknowledged_offset = exported.offset_bytes;
    track.handed_offset = exported.offset_bytes;
    track.handed_count = exported.count;
  }
  if (nothing_left(committed, exported)) return settle(index), true;
  if (track.outstanding() && committed.offset_bytes() <= track.handed_offset)
    return true;  // all of it is on its way
  // What is read is pinned first (R5). The state word was loaded before the header's epoch (in fence_exported): if a later
  // holder has pinned it in between, the CAS fails.
  if (state.pin != my_pin() && !set_pin(d, word, my_pin())) return true;  // next time
  if (contradictory(state, exported, committed)) return write_off(index), true;
  return hand_out(index, word, committed, sink);
}

bool Reader::Impl::hand_out(std::uint32_t index, std::uint64_t word, CommittedWord committed,
                            const std::function<bool(Slice&&)>& sink) {
  BlockDescriptor& d = descriptor(index);
  Track& track = tracks[index];
  const StateWord state = StateWord::unpack(word);
  Slice slice;
  slice.key = {.block = index,
               .block_generation = state.block_generation,
               .begin = track.handed_offset,
               .end = committed.offset_bytes(),
               .begin_count = track.handed_count,
               .end_count = committed.count(),
               .signal = state.signal};
  if (slice.key.records() > (slice.key.end - slice.key.begin) / sizeof(RecordHeader)) {
    return write_off(index), true;  // more records than bytes can hold
  }
  if (slice.key.records() == 0) {
    // Only context: nothing to deliver, nothing to count.
    if (!track.outstanding() && advance(index, slice.key, {})) settle(index);
    return true;
  }
  const bool is_pin_more = state.state == BlockState::kSealed && !track.outstanding();
  if (slice.key.end - slice.key.begin > budget[static_cast<std::size_t>(state.signal)] ||
      (is_pin_more && sealed_pins_left == 0)) {
    leave(state.signal);
    return settle(index), true;  // the other signals go on (R11)
  }
  const std::byte* bytes = ring.block(index);
  slice.bytes.assign(bytes, bytes + slice.key.end);
  // Another life, or another owner than a seal explains: what we copied is not of one piece (R5).
  const StateWord after = StateWord::unpack(d.state.load(std::memory_order_acquire));  // P3
  if (after.block_generation != state.block_generation || after.pin != my_pin() ||
      after.writer != state.writer || after.writer_generation != state.writer_generation) {
    return true;
  }
  const SliceKey key = slice.key;
  if (!sink(std::move(slice))) {
    leave(key.signal);
    return settle(index), false;
  }
  if (is_pin_more) --sealed_pins_left;
  track.handed_offset = key.end;
  track.handed_count = key.end_count;
  ++report.slices;
  report.records += key.records();
  report.bytes += key.end - key.begin;
  budget[static_cast<std::size_t>(key.signal)] -= key.end - key.begin;
  return true;
}

/// With policy drop-oldest at most a quarter of the blocks is sealed and pinned: the rest can be evicted, whatever becomes of
/// this flusher and its destination.
void Reader::Impl::limit_pins() noexcept {
  sealed_pins_left = ~0U;
  const std::uint32_t policy = ring.header().on_full.load(std::memory_order_relaxed);  // relaxed: a setting
  if (policy != static_cast<std::uint32_t>(FullPolicy::kDropOldest)) return;
  const auto under_way = static_cast<std::uint32_t>(
      std::count_if(tracks.begin(), tracks.end(), [](const Track& track) { return track.outstanding(); }));
  const std::uint32_t most = std::max(1U, ring.geometry().block_count / 4);
  sealed_pins_left = under_way < most ? most - under_way : 0;
}

/// No more of this signal in this pass, smaller blocks included: a thread's records keep their order.
void Reader::Impl::leave(Signal signal) noexcept {
  const auto index = static_cast<std::size_t>(signal);
  report.more = true;
  report.left[index] = true;
  budget[index] = 0;
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
        if (recycle(ring.header(), d, word, exported, committed)) ++report.recycled;
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
  const std::span<const std::byte> bytes(ring.block(index), std::min(committed.offset_bytes(), block_bytes));
  return std::max<std::uint64_t>(1, count_records(bytes, exported.offset_bytes, state.signal));
}

// ---------------------------------------------------------------------------------------------------- acknowledge

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

// --------------------------------------------------------------------------------------------------------- public

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
      wanted = impl.visit(candidate.index, sink);
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
