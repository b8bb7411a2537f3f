// SPDX-License-Identifier: Apache-2.0
// Policy drop-oldest (R8).
//
//   SEALED or orphan, unpinned --(1)--> EVICT(me) --(2,3,4) fates--> --(5) words reset, (6) CONT blocks freed--> --(7)--> next life
//
// The next life is OPEN(me), or FREE where neighbours are wanted for a run.
//
// What if the evictor dies? An EVICT block whose owner is gone counts as SEALED, for flushers and for evictors. Before (4)
// nothing has its fate yet; after it everything has; from (5) on it is a recycling that was interrupted.
#include "libshmring/evict.hpp"

#include "libshmring/claim.hpp"
#include "libshmring/liveness.hpp"
#include "libshmring/outcomes.hpp"
#include "libshmring/recycle.hpp"

namespace shmring {
namespace {

constexpr int kAttempts = 4;  // with as many candidates: somebody else was faster each time

struct Candidate {
  std::uint32_t index = 0;
  std::uint64_t word = 0;
  std::uint64_t ticket = 0;
};

bool may_be_evicted(const RingCore& ring, const StateWord& state) noexcept {
  if (state.pin != Pin::kUnpinned) return false;
  if (state.state == BlockState::kSealed) return true;
  if (state.state != BlockState::kOpen && state.state != BlockState::kEvict) return false;
  return state.writer < ring.file().geometry().writer_count && owner_gone(ring.slot(state.writer), state);
}

std::optional<Candidate> find_oldest(const RingCore& ring) noexcept {
  std::optional<Candidate> oldest;
  const auto descriptors = ring.file().descriptors();
  for (std::uint32_t index = 0; index < descriptors.size(); ++index) {
    const std::uint64_t word = descriptors[index].state.load(std::memory_order_acquire);  // P3
    if (!may_be_evicted(ring, StateWord::unpack(word))) continue;
    const std::uint64_t ticket =
        descriptors[index].ticket.load(std::memory_order_relaxed);  // relaxed: an order, no more
    if (!oldest || ticket < oldest->ticket) oldest = Candidate{index, word, ticket};
  }
  return oldest;
}

/// A count that no block can hold is damage: nothing is left of `committed` to believe but that it ends here.
void forget_damaged_count(BlockDescriptor& d, std::uint64_t committed,
                          std::uint64_t exported_count) noexcept {
  const CommittedWord word{committed};
  const CommittedWord mended = CommittedWord::of(word.offset_bytes(), word.life(), exported_count + 1);
  d.committed.compare_exchange_strong(committed, mended.word,
                                      std::memory_order_acq_rel);  // P2: else looked at again
}

/// (2) to (4) Whatever is left in the block gets its fate, by one CAS of `exported`. It fails when a new flusher fences
/// the word at this moment; then all is looked at again.
void count_the_rest(const RingHeader& header, BlockDescriptor& d, const StateWord& state,
                    std::uint64_t most) noexcept {
  for (;;) {
    const std::uint64_t epoch = header.epoch.load(std::memory_order_acquire);    // P11
    std::uint64_t word = d.exported.load(std::memory_order_acquire);             // P4
    const CommittedWord committed{d.committed.load(std::memory_order_acquire)};  // P1
    ExportedWord exported = ExportedWord::unpack(word);
    const std::uint64_t rest = (committed.count() - exported.count) & kCountMask;
    if (rest == 0) return;
    if (rest > most) {
      forget_damaged_count(d, committed.word, exported.count);
      continue;
    }
    OutcomeCounts counts{};
    counts[static_cast<std::size_t>(Outcome::kEvicted)] = rest;
    const Signal signal =
        static_cast<std::size_t>(state.signal) < kSignalCount ? state.signal : Signal::kLogs;
    if (!fill_other_set(header, d, exported, signal, counts, epoch)) continue;  // a later flusher came
    exported.set ^= 1U;
    exported.offset_bytes = committed.offset_bytes();
    exported.count = committed.count();
    if (d.exported.compare_exchange_strong(word, exported.pack(), std::memory_order_acq_rel)) return;  // P4
  }
}

/// (5) Offsets to 0, `committed` first (R7). A flusher that saw the block SEALED may be doing the same.
void reset_words(BlockDescriptor& d) noexcept {
  std::uint64_t committed = d.committed.load(std::memory_order_acquire);  // P1
  while (CommittedWord{committed}.offset_bytes() != 0 &&
         !d.committed.compare_exchange_weak(committed, CommittedWord{committed}.reset().word,
                                            std::memory_order_acq_rel)) {  // P2
  }
  std::uint64_t exported = d.exported.load(std::memory_order_acquire);  // P4
  for (ExportedWord reset = ExportedWord::unpack(exported); reset.offset_bytes != 0;
       reset = ExportedWord::unpack(exported)) {
    reset.offset_bytes = 0;
    if (d.exported.compare_exchange_weak(exported, reset.pack(), std::memory_order_acq_rel)) break;  // P4
  }
}

/// (1) to (6). The word that the block has then; nullopt: it was taken away.
std::optional<std::uint64_t> empty_out(RingCore& ring, const WriterState& state,
                                       const Candidate& candidate) noexcept {
  BlockDescriptor& d = ring.file().descriptors()[candidate.index];
  const StateWord before = StateWord::unpack(candidate.word);
  // The life stays the same: what is in it still has to get its fate.
  const std::uint64_t mine =
      word_of(state, BlockState::kEvict, before.signal, before.block_generation).pack();
  std::uint64_t word = candidate.word;
  if (!d.state.compare_exchange_strong(word, mine, std::memory_order_acq_rel)) return std::nullopt;  // P3
  count_the_rest(ring.header(), d, before, ring.file().geometry().block_bytes / sizeof(RecordHeader));
  reset_words(d);
  if (!free_conts(ring.file(), candidate.index, mine)) return std::nullopt;
  return mine;
}

/// Whether this block could be made FREE, with the run that it belongs to.
bool can_be_freed(const RingCore& ring, std::uint32_t index) noexcept {
  const auto head = head_of(ring.file(), index);
  if (!head) return false;
  const StateWord state =
      StateWord::unpack(ring.file().descriptors()[*head].state.load(std::memory_order_acquire));  // P3
  return state.state == BlockState::kFree || may_be_evicted(ring, state);
}

/// The first of so many neighbours, looked for from `from` on, round the ring.
std::optional<std::uint32_t> find_neighbours(const RingCore& ring, std::uint32_t from,
                                             std::uint32_t blocks) noexcept {
  const std::uint32_t total = ring.file().geometry().block_count;
  std::uint32_t together = 0;
  for (std::uint32_t step = 0; step < total + blocks; ++step) {
    const std::uint32_t index = (from + step) % total;
    if (index == 0) together = 0;  // never across the ring's end
    together = can_be_freed(ring, index) ? together + 1 : 0;
    if (together == blocks) return index + 1 - blocks;
  }
  return std::nullopt;
}

/// Makes one of them FREE; the head of its run too, if that lies further left. False: somebody is using it now.
bool free_block(RingCore& ring, const WriterState& state, std::uint32_t index) noexcept {
  const auto head = head_of(ring.file(), index);
  if (!head) return false;
  BlockDescriptor& descriptor = ring.file().descriptors()[*head];
  const std::uint64_t word = descriptor.state.load(std::memory_order_acquire);  // P3
  if (StateWord::unpack(word).state == BlockState::kFree) return true;
  if (!may_be_evicted(ring, StateWord::unpack(word))) return false;
  const auto mine = empty_out(ring, state, {.index = *head, .word = word});
  return mine && make_free(ring.header(), descriptor, *mine);  // (7)
}

}  // namespace

bool drops_oldest(const RingHeader& header) noexcept {
  return header.on_full.load(std::memory_order_relaxed) ==  // relaxed: a setting
         static_cast<std::uint32_t>(FullPolicy::kDropOldest);
}

std::optional<std::uint32_t> evict_oldest(RingCore& ring, const WriterState& state, Signal signal) noexcept {
  for (int attempt = 0; attempt < kAttempts; ++attempt) {
    const std::optional<Candidate> oldest = find_oldest(ring);
    if (!oldest) return std::nullopt;
    std::optional<std::uint64_t> word = empty_out(ring, state, *oldest);
    if (!word) continue;
    const StateWord next =
        word_of(state, BlockState::kOpen, signal,
                (StateWord::unpack(*word).block_generation + 1) & StateWord::kGenerationMask);
    BlockDescriptor& d = ring.file().descriptors()[oldest->index];
    if (d.state.compare_exchange_strong(*word, next.pack(), std::memory_order_acq_rel))
      return oldest->index;  // (7) P2, P3
  }
  return std::nullopt;
}

std::optional<std::uint32_t> evict_neighbours(RingCore& ring, const WriterState& state,
                                              std::uint32_t blocks) noexcept {
  const std::optional<Candidate> oldest = find_oldest(ring);
  const auto first = find_neighbours(ring, oldest ? oldest->index : 0, blocks);
  if (!first) return std::nullopt;
  // Downwards: a run that is in the way goes with its first CONT.
  for (std::uint32_t n = blocks; n > 0; --n) free_block(ring, state, *first + n - 1);
  return first;  // somebody was faster somewhere: the claim finds out
}

}  // namespace shmring
