// SPDX-License-Identifier: Apache-2.0
// The way of a record out of the ring: fence earlier flushers, find what is new, pin it, copy it, hand it out.
#include <algorithm>
#include <optional>
#include <utility>

#include "libshmring/fence.hpp"
#include "libshmring/outcomes.hpp"
#include "libshmring/reader_impl.hpp"
#include "libshmring/recycle.hpp"
#include "libshmring/tick_times.hpp"

namespace shmring {
namespace {

/// /proc costs some microseconds a look: a tick looks at a few slots, and so at all of them every now and then.
constexpr std::uint32_t kProcLooksPerTick = 16;

}  // namespace

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

void Reader::Impl::ask_proc() {
  const auto slots = ring.slots();
  std::optional<ProcView> proc;
  for (std::uint32_t n = 0; n < std::min<std::uint32_t>(kProcLooksPerTick, ring.geometry().writer_count);
       ++n) {
    WriterSlot& slot = slots[next_slot_to_ask];
    next_slot_to_ask = (next_slot_to_ask + 1) % ring.geometry().writer_count;
    const std::uint64_t claim = slot.claim.load(std::memory_order_acquire);  // P5
    if (ClaimWord::unpack(claim).phase == SlotPhase::kVacant ||
        liveness(slot, Ask::kWord) != Liveness::kAlive)
      continue;
    if (!proc) proc = view_of_proc();
    if (liveness(slot, *proc) == Liveness::kGone) vacate(slot, claim);
  }
}

/// Whether a CONT block belongs to a head (I11). A free block there, or the ring's beginning, is none.
bool Reader::Impl::has_head(std::uint32_t index) const noexcept {
  const auto head = head_of(ring, index);
  return head && holds_records(
                     StateWord::unpack(descriptor(*head).state.load(std::memory_order_acquire)).state);  // P3
}

/// A state that no code of ours leaves behind (a CONT without a head included): once its owner is gone the block is
/// drained and recycled like any other, or it would be lost for good.
bool Reader::Impl::mend_state(std::uint32_t index) {
  BlockDescriptor& d = descriptor(index);
  std::uint64_t word = d.state.load(std::memory_order_acquire);  // P3
  StateWord state = StateWord::unpack(word);
  if (state.state == BlockState::kFree || holds_records(state.state) || !gone(state)) return false;
  // While the word is the one read, so was the head's state that was read in between: a head goes last.
  if (state.state == BlockState::kCont && has_head(index)) return false;
  state.state = BlockState::kSealed;
  state.pin = Pin::kUnpinned;
  return d.state.compare_exchange_strong(word, state.pack(), std::memory_order_acq_rel);  // P3
}

void Reader::Impl::list_candidates() {
  candidates.clear();
  first_ticket_after = ring.header().ticket.load(std::memory_order_acquire);  // P14
  report.free_blocks = 0;
  for (std::uint32_t index = 0; index < ring.geometry().block_count; ++index) {
    const BlockDescriptor& d = descriptor(index);
    const StateWord state = StateWord::unpack(d.state.load(std::memory_order_acquire));  // P3
    if (state.state == BlockState::kFree) ++report.free_blocks;
    if (!holds_records(state.state) && !mend_state(index)) continue;
    candidates.push_back({d.ticket.load(std::memory_order_relaxed), index});  // relaxed: an order, no more
  }
  const auto is_older = [](const Candidate& a, const Candidate& b) {
    return a.ticket != b.ticket ? a.ticket < b.ticket : a.index < b.index;
  };
  // Blocks are claimed round the ring: as a rule the list is in order, but for where it begins.
  std::rotate(candidates.begin(), std::min_element(candidates.begin(), candidates.end(), is_older),
              candidates.end());
  if (!std::is_sorted(candidates.begin(), candidates.end(), is_older))
    std::sort(candidates.begin(), candidates.end(), is_older);
}

/// Whether the block was opened or adopted after this pass began, or while it listed the blocks. A thread's later block may then be on
/// the list, or in an earlier place, and an earlier one not: such a block waits for the next pass, so that a thread's
/// records keep their order. (Whoever is in the middle of a claim at this pass's beginning gets its next ticket after it.) A ticket
/// that nobody has been given yet is damage, and no reason to wait.
bool Reader::Impl::opened_since(const Candidate& candidate) const noexcept {
  const std::uint64_t ticket =
      descriptor(candidate.index)
          .ticket.load(std::memory_order_relaxed);  // relaxed: `committed` was acquired before
  if (ticket == candidate.ticket && ticket < first_ticket_after) return false;
  return ticket < ring.header().ticket.load(std::memory_order_relaxed);  // relaxed: only damage is larger
}

/// Pins what is read (R5). Its owner may be sealing it: then the new word is as good, as long as it is of the same owner and life.
bool Reader::Impl::pin(BlockDescriptor& d, std::uint64_t& word) noexcept {
  const StateWord before = StateWord::unpack(word);
  for (int attempt = 0; attempt < 3 && !superseded(); ++attempt) {
    if (set_pin(d, word, my_pin())) return true;
    const StateWord now = StateWord::unpack(word);
    if (now.state != BlockState::kSealed || now.block_generation != before.block_generation ||
        now.writer != before.writer || now.writer_generation != before.writer_generation) {
      return false;
    }
  }
  return false;
}

/// Hands out what is new in a block, or finishes with it. False: the sink wants no more.
bool Reader::Impl::visit(const Candidate& candidate, const std::function<bool(Slice&&)>& sink) {
  const std::uint32_t index = candidate.index;
  BlockDescriptor& d = descriptor(index);
  // The order of these loads is R4: state, owner, exported, committed.
  std::uint64_t word = d.state.load(std::memory_order_acquire);  // P3
  StateWord state = StateWord::unpack(word);
  if (!holds_records(state.state)) return true;
  if (state.state == BlockState::kEvict && !gone(state)) return true;
  if (is_left(state.signal)) return settle(index), true;
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
  if (opened_since(candidate)) return report.more = true;
  // The state word was loaded before the header's epoch (in fence_exported): if a later holder has pinned it in between, the CAS fails.
  if (state.pin != my_pin() && !pin(d, word)) return leave(state.signal), true;
  state = StateWord::unpack(word);
  if (contradictory(index, state, exported, committed)) {
    // A run that somebody is recycling loses its CONT blocks after its words: only words that stay are damage.
    if (d.committed.load(std::memory_order_acquire) == committed.word) write_off(index);  // P1
    return true;
  }
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
  const auto signal = static_cast<std::size_t>(state.signal);
  const bool is_pin_more = !track.outstanding();  // OPEN blocks too: their owners seal them with the pin on
  if (slice.key.end - slice.key.begin > budget[signal] ||
      (is_pin_more && !pins[signal].allow(blocks_of(slice.key.end)))) {
    leave(state.signal);
    return settle(index), true;  // the other signals go on (R11)
  }
  copy_out(slice, track);
  // Another life, or another owner than a seal explains: what we copied is not of one piece (R5).
  loads_before_loads();
  const StateWord after = StateWord::unpack(d.state.load(std::memory_order_acquire));  // P3
  if (after.block_generation != state.block_generation || after.pin != my_pin() ||
      after.writer != state.writer || after.writer_generation != state.writer_generation) {
    return true;
  }
  // Of a block that was open something may follow.
  auto context = state.state == BlockState::kOpen ? context_behind(slice, carried_bytes) : nullptr;
  // The blocks behind a head are freed while the head still is in this life, but not before `committed` is reset.
  if (is_run(slice.key.end) &&
      CommittedWord{d.committed.load(std::memory_order_acquire)}.life() != committed.life()) {  // P1
    return true;
  }
  convert_ticks(slice.bytes, state.signal);
  const SliceKey key = slice.key;
  if (!sink(std::move(slice))) {
    leave(key.signal);
    return settle(index), false;
  }
  if (is_pin_more) pins[signal].under_way += blocks_of(key.end);
  track.signal = key.signal;
  track.context = std::move(context);
  track.handed_offset = key.end;
  track.handed_count = key.end_count;
  ++report.slices;
  report.records += key.records();
  report.bytes += key.end - key.begin;
  budget[static_cast<std::size_t>(key.signal)] -= key.end - key.begin;
  return true;
}

/// The block from its beginning, since its context lies there; or what is new in it, behind the context that is known.
void Reader::Impl::copy_out(Slice& slice, const Track& track) const {
  const std::byte* bytes = ring.block(slice.key.block);
  std::uint32_t from = 0;
  if (track.context && track.context->at() == slice.key.begin) {
    from = slice.key.begin;
    slice.bytes.reserve(track.context->records().size() + (slice.key.end - from));
    slice.bytes = track.context->records();
    slice.left_out = from - static_cast<std::uint32_t>(slice.bytes.size());
  }
  slice.bytes.insert(slice.bytes.end(), bytes + from, bytes + slice.key.end);
}

/// With policy drop-oldest at most a quarter of the blocks is pinned, a third of that for each signal (R11): the rest can be
/// evicted, whatever becomes of this flusher and its destinations.
void Reader::Impl::limit_pins() noexcept {
  const std::uint32_t policy = ring.header().on_full.load(std::memory_order_relaxed);  // relaxed: a setting
  const bool is_limited = policy == static_cast<std::uint32_t>(FullPolicy::kDropOldest);
  for (PinLimit& limit : pins) {
    limit.most =
        is_limited ? std::max(1U, ring.geometry().block_count / 4 / static_cast<std::uint32_t>(kSignalCount))
                   : ~0U;
    limit.under_way = 0;
  }
  if (!is_limited) return;
  for (const Track& track : tracks) {
    if (track.outstanding())
      pins[static_cast<std::size_t>(track.signal)].under_way += blocks_of(track.handed_offset);
  }
}

bool Reader::Impl::is_left(Signal signal) const noexcept {
  const auto index = static_cast<std::size_t>(signal);
  return index < kSignalCount && report.left[index];
}

/// No more of this signal in this pass, smaller blocks included: a thread's records keep their order.
void Reader::Impl::leave(Signal signal) noexcept {
  const auto index = static_cast<std::size_t>(signal);
  report.more = true;
  report.left[index] = true;
  budget[index] = 0;
}

}  // namespace shmring
