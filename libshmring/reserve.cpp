// SPDX-License-Identifier: Apache-2.0
// The slow half of Writer::try_reserve(): registers the thread, finds its level, seals the full block and claims another.
#include <algorithm>
#include <utility>

#include "libshmring/claim.hpp"
#include "libshmring/evict.hpp"
#include "libshmring/map_ahead.hpp"
#include "libshmring/nesting.hpp"
#include "libshmring/system.hpp"

namespace shmring {
namespace {

/// A full scan costs some ten microseconds. On a ring that stays full no record pays for it again until a block is freed;
/// an owner's death frees nothing, so orphans to adopt are looked for every now and then.
constexpr std::uint64_t kRescanNs = 1'000'000;
constexpr std::uint64_t kLookForOrphansNs = 5'000'000;  // likewise for a writer that waits

bool known_to_be_full(const FullRing& full, std::uint32_t freed, std::size_t bytes) noexcept {
  return full.until_ns != 0 && full.at_freed == freed && bytes >= full.bytes &&
         monotonic_ns() < full.until_ns;
}

/// One that was torn out of a claim forgot what it had won. Another level in the middle of a claim may have won a block that is
/// in no list yet: then somebody else looks after it, later.
void look_after_forgotten(RingCore& ring, WriterState& state, WriterLevel& level) noexcept {
  // relaxed, all of them: only this thread and its handlers look
  if (!level.claiming.load(std::memory_order_relaxed) &&
      !level.forgot_a_block.load(std::memory_order_relaxed))
    return;
  level.forgot_a_block.store(true, std::memory_order_relaxed);  // relaxed: as above
  for (const WriterLevel& other : state.levels) {
    if (&other != &level && other.claiming.load(std::memory_order_relaxed)) return;  // relaxed: as above
  }
  seal_forgotten(ring, state);
  level.forgot_a_block.store(false, std::memory_order_relaxed);  // relaxed: as above
}

/// The block that a claim won replaces the level's. Left by longjmp anywhere in here: a block that is in no list, or one list without
/// a block; never a list that names what was given away.
void install(const WriterState& state, OpenBlock& listed, const OpenBlock& fresh) noexcept {
  const bool is_mine =
      listed.capacity != 0;  // else its descriptor may be anybody's by now, ours of another list included
  const OpenBlock full = listed;
  listed.capacity = 0;
  std::atomic_signal_fence(std::memory_order_acq_rel);  // signal fence: nothing is appended from here on
  if (is_mine) seal_block(state, full);
  OpenBlock without_room = fresh;
  without_room.capacity = 0;
  listed = without_room;
  std::atomic_signal_fence(std::memory_order_acq_rel);  // signal fence: complete before it can be used
  listed.capacity = fresh.capacity;
}

/// Whether a thread that held no block of this signal keeps the one that it has won.
bool may_keep(RingCore& ring, WriterState& state, Signal signal) noexcept {
  constexpr std::uint64_t kBurstNs = 1'000'000;
  if (Crowd::is_roomy(ring.file())) return true;
  const std::uint64_t now = monotonic_ns();
  const Room room = ring.crowd().room(ring.file(), now);
  if (room == Room::kForAll) return true;
  const std::uint64_t before = std::exchange(state.not_kept_ns[static_cast<std::size_t>(signal)], now);
  return room == Room::kForTheBusy && before != 0 && now - before < kBurstNs;
}

/// Claims once, and gives the level what was won.
[[gnu::hot]] bool claim(RingCore& ring, WriterState& state, WriterLevel& level,
                        const Wanted& wanted) noexcept {
  OpenBlock& listed = level.open[static_cast<std::size_t>(wanted.signal)];
  look_after_forgotten(ring, state, level);
  level.claiming.store(true, std::memory_order_relaxed);  // relaxed: for this thread's handlers
  std::atomic_signal_fence(std::memory_order_acq_rel);    // signal fence: set before anything is won
  OpenBlock fresh = wanted.bytes <= ring.file().geometry().block_bytes ? claim_block(ring, state, wanted)
                                                                       : claim_run(ring, state, wanted);
  const bool won = fresh.capacity != 0;
  if (won) {
    state.is_new = false;
    append_resource(ring, fresh, state.pid);
    if (listed.capacity == 0 && fresh.conts == 0 && !may_keep(ring, state, wanted.signal))
      fresh.conts = OpenBlock::kSealedAtCommit;
    install(state, listed, fresh);
  }
  std::atomic_signal_fence(std::memory_order_acq_rel);     // signal fence: listed before the flag goes
  level.claiming.store(false, std::memory_order_relaxed);  // relaxed: for this thread's handlers
  return won;
}

/// Whether the record is dropped if there is no room now, or its caller asks again.
enum class Attempt : std::uint8_t { kFinal, kTry };

/// Policy block: waits for a freed block, never without an end; a handler that interrupted an emit never.
[[gnu::hot]] bool claim_or_wait(RingCore& ring, WriterState& state, WriterLevel& level, const Wanted& wanted,
                                Attempt attempt, DropCause& cause) noexcept {
  RingHeader& header = ring.header();
  FullRing& full = state.full[static_cast<std::size_t>(wanted.signal)];
  std::uint64_t deadline = 0;
  for (;;) {
    const std::uint32_t seen = header.freed.load(std::memory_order_acquire);  // P7
    if (!known_to_be_full(full, seen, wanted.bytes)) {
      if (claim(ring, state, level, wanted)) return full.until_ns = 0, true;
      full = {.at_freed = seen, .until_ns = monotonic_ns() + kRescanNs, .bytes = wanted.bytes};
    }
    if (attempt == Attempt::kTry) return false;
    wake_flusher(header);
    const std::uint32_t policy = header.on_full.load(std::memory_order_relaxed);  // relaxed: a setting
    cause = DropCause::kRingFull;
    if (policy != static_cast<std::uint32_t>(FullPolicy::kBlock) || wanted.level != 0) return false;
    const std::uint64_t now = monotonic_ns();
    if (deadline == 0) {
      const std::uint64_t timeout_us = std::min<std::uint64_t>(
          header.block_timeout_us.load(std::memory_order_relaxed), 60'000'000);  // relaxed: a setting
      deadline = now + timeout_us * 1000;
    }
    cause = DropCause::kBlockTimeout;
    if (now >= deadline) return false;
    // What if we die while we are counted as waiting? Then every freed block costs its flusher a needless wake.
    // Sequentially consistent, as its counterpart in make_free(): either we see `freed` move, or the other sees us wait.
    header.waiters.fetch_add(1, std::memory_order_seq_cst);  // P7
    futex_wait(header.freed, seen, std::min(deadline - now, kLookForOrphansNs));
    header.waiters.fetch_sub(1, std::memory_order_relaxed);  // relaxed: an error on the safe side
  }
}

/// What is asked for.
struct Request {
  RecordKind kind = RecordKind::kLog;
  std::size_t size = 0;
  ScopeId scope = {};
  Ticks ticks = {};
};

/// The level's block gets room for the record and, where they are needed, its scope and a clock.
[[gnu::hot]] bool make_room(RingCore& ring, WriterState& state, WriterLevel& level, const Request& request,
                            Attempt attempt, DropCause& cause) noexcept {
  const Signal signal = signal_of(request.kind);
  OpenBlock& block = level.open[static_cast<std::size_t>(signal)];
  const std::size_t scope_bytes =
      request.scope.value == 0 ? 0 : record_bytes(ring.scope(request.scope).size());
  const std::size_t clock_bytes = request.ticks.fields == 0 ? 0 : kClockRecordBytes;
  const std::size_t needed = (block.declares(request.scope) ? 0 : scope_bytes) +
                             (block.is_anchored(request.ticks) ? 0 : clock_bytes) + request.size;
  cause = DropCause::kTooLarge;
  if (request.size > ring.max_payload()) return false;
  if (!block.has_room(needed)) {
    const std::size_t context = record_bytes(ring.resource().encoded.size() + kProcessResourceMax);
    const Wanted wanted{signal, context + scope_bytes + clock_bytes + record_bytes(request.size),
                        number_of(state, level)};
    // A run takes as many blocks as its record needs, which is not known yet.
    if (attempt == Attempt::kTry && wanted.bytes > ring.file().geometry().block_bytes) return false;
    if (!claim_or_wait(ring, state, level, wanted, attempt, cause)) return false;
  }
  if (!block.declares(request.scope)) declare_scope(ring, block, request.scope);
  if (!block.is_anchored(request.ticks)) append_clock(level, block, request.ticks.value);
  return true;
}

}  // namespace

void wake_flusher(RingHeader& header) noexcept {
  if (header.wake.load(std::memory_order_relaxed) != 0) return;  // relaxed: somebody has asked already
  if (header.wake.exchange(1, std::memory_order_release) == 0) futex_wake_all(header.wake);  // P8
}

[[gnu::hot]] Writer::Entered Writer::enter_slowly(std::uintptr_t frame, RecordKind kind, std::size_t size,
                                                  ScopeId scope, Ticks ticks) const noexcept {
  RingCore& ring = *ring_;
  const Signal signal = signal_of(kind);
  DropCause cause = DropCause::kNested;
  WriterState* state = find_writer(ring);
  if (state == nullptr) {
    map_ring_ahead();
    state = register_thread(ring, cause);
  }
  if (state == nullptr) return count_drop(ring, nullptr, signal, cause, Tell::kYes), Entered{};
  WriterLevel* level = enter_level(*state, frame);
  if (level == nullptr) return count_drop(ring, state, signal, DropCause::kNested, Tell::kNo), Entered{};
  if (!make_room(ring, *state, *level, {kind, size, scope, ticks}, Attempt::kFinal, cause)) {
    const Tell tell = number_of(*state, *level) == 0 ? Tell::kYes : Tell::kNo;
    leave_level(*level);
    return count_drop(ring, state, signal, cause, tell), Entered{};
  }
  return {state, level};
}

[[gnu::hot]] Writer::Entered Writer::enter_if_possible(std::uintptr_t frame, RecordKind kind,
                                                       std::size_t size, ScopeId scope,
                                                       Ticks ticks) const noexcept {
  RingCore& ring = *ring_;
  DropCause cause = DropCause::kNested;
  WriterState* state = find_writer(ring);
  if (state == nullptr) state = register_thread(ring, cause);
  // On a ring that was full a moment ago the caller need not hear it twice.
  if (state == nullptr || state->full[static_cast<std::size_t>(signal_of(kind))].until_ns != 0) return {};
  WriterLevel* level = enter_level(*state, frame);
  if (level == nullptr) return {};
  if (make_room(ring, *state, *level, {kind, size, scope, ticks}, Attempt::kTry, cause))
    return {state, level};
  leave_level(*level);
  return {};
}

[[gnu::hot]] void Writer::map_ring_ahead() const noexcept {
  map_ahead(ring_->file().base(),
            kHeaderBytes + RingCore::kPage);  // the header, and the slots that are used most
}

bool Slot::refuse_after_fork(const WriterState& inherited_state, RecordKind kind) noexcept {
  // In memory that the fork copied, so still the parent's view of it: whose ring, which signal.
  RingCore& ring = *inherited_state.ring;
  count_drop(ring, find_writer(ring), signal_of(kind), DropCause::kAfterFork, Tell::kYes);
  return false;
}

}  // namespace shmring
