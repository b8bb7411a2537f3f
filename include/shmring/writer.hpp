// SPDX-License-Identifier: Apache-2.0
// The hot path: reserve a slot in the calling thread's block, fill it, commit it. Everything that is not needed for
// each record (registering, claiming, sealing) is behind Writer::enter_slowly() in libshmring/reserve.cpp.
#pragma once

#include <atomic>
#include <cassert>
#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>

#include "shmring/layout.hpp"
#include "shmring/writer_state.hpp"

#if defined(__GNUC__)
#pragma GCC visibility push(default)
#endif

namespace shmring {

class Writer;

/// So far behind a record a commit asks the processor for four lines (measured: bench/README.md).
inline constexpr std::size_t kPrefetchAhead = 1024;

/// A record in the making: bytes in the ring that only this thread sees until commit(). Destroyed without commit() it is
/// abandoned, also when an exception passes through; nothing has been written then, and it is no attempt.
///
/// Move-only; to be used by the thread that reserved it. Per thread and ring one may be alive, and one more in a signal
/// handler that interrupted whoever holds the first.
class [[nodiscard]] Slot {
 public:
  Slot() noexcept = default;
  Slot(Slot&& other) noexcept
      : state_(std::exchange(other.state_, nullptr)),
        level_(other.level_),
        block_(other.block_),
        record_(other.record_),
        process_generation_(other.process_generation_),
        size_(other.size_),
        kind_(other.kind_),
        tick_fields_(other.tick_fields_),
        scope_(other.scope_) {}
  Slot& operator=(Slot&&) = delete;
  Slot(const Slot&) = delete;
  Slot& operator=(const Slot&) = delete;
  [[gnu::always_inline]] ~Slot() { abandon(); }

  /// False: the record was dropped, and counted by its cause.
  explicit operator bool() const noexcept { return state_ != nullptr; }

  /// The bytes to fill: the encoded LogRecord, Span or Metric message. As many as were reserved. 8-byte aligned.
  /// REQUIRES: *this is true.
  std::span<std::byte> payload() const noexcept { return {record_ + sizeof(RecordHeader), size_}; }

  /// Publishes the record: from this instant it is safe, whatever becomes of the process. Async-signal-safe.
  /// Returns false, and counts the record as dropped, in a child forked after the slot was reserved.
  /// REQUIRES: *this is true; used <= payload().size().
  bool commit(std::size_t used) && noexcept;
  /// The same for all bytes reserved.
  bool commit() && noexcept { return std::move(*this).commit(size_); }

  /// What the destructor does, now; *this is empty then.
  [[gnu::always_inline]] void abandon() noexcept {
    if (state_ == nullptr) return;
    if (inherited()) {
      // In a child, an inherited slot has nothing to release: the state may already serve the child's own records.
      state_ = nullptr;
      return;
    }
    if (block_->conts != 0) [[unlikely]]
      give_run_back(*state_, *level_, *block_);
    release();
  }

 private:
  friend class Writer;
  Slot(WriterState& state, WriterLevel& level, OpenBlock& block, std::size_t size, RecordKind kind,
       ScopeId scope, std::uint8_t tick_fields) noexcept
      : state_(&state),
        level_(&level),
        block_(&block),
        record_(block.next()),
        process_generation_(state.process_generation),
        size_(size),
        kind_(kind),
        tick_fields_(tick_fields),
        scope_(scope) {}

  void release() noexcept {
    level_->busy.store(WriterLevel::kFree, std::memory_order_release);  // P12
    state_ = nullptr;
  }
  bool inherited() const noexcept {
    return process_generation_ != state_->fork_page->generation.load(
                                      std::memory_order_relaxed);  // relaxed: as in Writer::try_reserve
  }
  // The rarer ends. Static, so that a slot never needs an address, and lives in registers.
  static bool refuse_after_fork(const WriterState& inherited_state, RecordKind kind) noexcept;
  static void seal_run(const WriterState& state, WriterLevel& level, OpenBlock& run) noexcept;
  static void give_run_back(const WriterState& state, WriterLevel& level, OpenBlock& run) noexcept;

  WriterState* state_ = nullptr;
  WriterLevel* level_ = nullptr;
  OpenBlock* block_ = nullptr;
  std::byte* record_ = nullptr;           // its header
  std::uint64_t process_generation_ = 0;  // of the process that reserved it
  std::size_t size_ = 0;
  RecordKind kind_ = RecordKind::kLog;
  std::uint8_t tick_fields_ = 0;
  ScopeId scope_;
};

/// A ring, seen by those who write to it. A value that may be copied and used by any thread: the state is the thread's.
class Writer {
 public:
  explicit Writer(RingCore* ring) noexcept : ring_(ring) {}

  /// Reserves `size` bytes for the encoded payload of one record. Gives an empty slot when the record has to be
  /// dropped; the cause is counted then. Neither allocates, nor locks, nor calls the kernel while the thread's block has
  /// room; otherwise it claims a block (a run of blocks for a record that is larger than one), and the first time it registers
  /// the thread (some microseconds, a few system calls). Thread-safe; async-signal-safe: a handler that interrupted an emit to
  /// the same ring writes to blocks of its own, never waits for room, and never calls the error handler; one that interrupted
  /// such a handler is refused (DropCause::kNested), and so is a thread's first record on its alternate signal stack
  /// (Ring::prepare_thread() avoids that).
  ///
  /// A slot that is left by longjmp, or by a vfork() child that dies, costs its thread this level until it ends;
  /// try_reserve_in_frame() has a remedy.
  [[gnu::always_inline]] Slot try_reserve(RecordKind kind, std::size_t size,
                                          ScopeId scope = {}) const noexcept {
    return reserve(WriterLevel::kUnknownFrame, kind, size, scope, {});
  }

  /// The same for a slot that does not outlive the function whose `frame` is given, __builtin_frame_address(0): when that
  /// function was left by longjmp, a later emit of the thread finds out, and goes on where that one was.
  /// REQUIRES: the function is not inlined; while the slot is open it reserves no other one of this ring, and the thread switches to no other stack
  /// (fibers): it would be taken for gone. try_reserve() has neither limit. And: `ticks` only where Ring::clock() is Clock::kTsc.
  [[gnu::always_inline]] Slot try_reserve_in_frame(const void* frame, RecordKind kind, std::size_t size,
                                                   ScopeId scope = {}, Ticks ticks = {}) const noexcept {
    return reserve(reinterpret_cast<std::uintptr_t>(frame), kind, size, scope, ticks);
  }

  /// All that is left of the thread's block, `least` bytes or more, for a record whose size shows when it has been written; else an
  /// empty slot. Neither that nor an abandoned one counts: whoever gets no further asks again, by size, with the function above.
  /// REQUIRES: as there.
  [[gnu::always_inline]] Slot reserve_rest(const void* frame, RecordKind kind, std::size_t least,
                                           ScopeId scope = {}, Ticks ticks = {}) const noexcept {
    return slot_of(enter(reinterpret_cast<std::uintptr_t>(frame), signal_of(kind), least, scope, ticks), kind,
                   least, scope, ticks, Take::kRest);
  }

  /// The same, but registers the thread and claims a block where that is needed and `least` bytes fit into one. It never waits for
  /// room.
  [[gnu::always_inline]] Slot reserve_least(const void* frame, RecordKind kind, std::size_t least,
                                            ScopeId scope = {}, Ticks ticks = {}) const noexcept {
    Entered entered = enter(reinterpret_cast<std::uintptr_t>(frame), signal_of(kind), least, scope, ticks);
    if (entered.state == nullptr) [[unlikely]]
      entered = enter_if_possible(reinterpret_cast<std::uintptr_t>(frame), kind, least, scope, ticks);
    return slot_of(entered, kind, least, scope, ticks, Take::kRest);
  }

  /// For whoever reads the ring's header before the thread's first record: a new process gets its pages at less cost.
  [[gnu::always_inline]] void meet_ring() const noexcept {
    if (this_thread_writers == nullptr) [[unlikely]]
      map_ring_ahead();
  }

  RingCore* ring() const noexcept { return ring_; }

 private:
  enum class Take : std::uint8_t { kSize, kRest };
  /// Whose level has been entered, with room in its block; nobody's: refused.
  struct Entered {
    WriterState* state = nullptr;
    WriterLevel* level = nullptr;
  };

  /// Nobody's: for the slow way.
  [[gnu::always_inline]] Entered enter(std::uintptr_t frame, Signal signal, std::size_t size, ScopeId scope,
                                       Ticks ticks) const noexcept {
    WriterState* const state = this_thread_writers;
    if (state == nullptr || state->ring != ring_ ||
        state->levels[0].busy.load(std::memory_order_relaxed) != WriterLevel::kFree) [[unlikely]]
      return {};  // relaxed: only this thread stores it
    WriterLevel& level = state->levels[0];
    level.busy.store(frame, std::memory_order_relaxed);  // relaxed: only this thread reads it
    // What a handler does before the store above is seen below, a fork included; what it tries after it goes to another level.
    std::atomic_signal_fence(std::memory_order_acq_rel);  // signal fence: against our own handlers
    const OpenBlock& block = level.open[static_cast<std::size_t>(signal)];
    // relaxed: the kernel wipes it in a fork; nobody else changes it while this thread is registered
    const std::uint64_t generation = state->fork_page->generation.load(std::memory_order_relaxed);
    if (state->process_generation != generation || !block.has_room(size) || !block.declares(scope) ||
        !block.is_anchored(ticks)) [[unlikely]] {
      level.busy.store(WriterLevel::kFree, std::memory_order_release);  // P12
      return {};
    }
    return {state, &level};
  }
  [[gnu::always_inline]] Slot slot_of(Entered entered, RecordKind kind, std::size_t size, ScopeId scope,
                                      Ticks ticks, Take take) const noexcept {
    if (entered.state == nullptr) [[unlikely]]
      return {};
    OpenBlock& block = entered.level->open[static_cast<std::size_t>(signal_of(kind))];
    return Slot(*entered.state, *entered.level, block, take == Take::kRest ? block.room() : size, kind, scope,
                ticks.fields);
  }
  [[gnu::always_inline]] Slot reserve(std::uintptr_t frame, RecordKind kind, std::size_t size, ScopeId scope,
                                      Ticks ticks) const noexcept {
    Entered entered = enter(frame, signal_of(kind), size, scope, ticks);
    if (entered.state == nullptr) [[unlikely]]
      entered = enter_slowly(frame, kind, size, scope, ticks);
    return slot_of(entered, kind, size, scope, ticks, Take::kSize);
  }
  Entered enter_slowly(std::uintptr_t frame, RecordKind kind, std::size_t size, ScopeId scope,
                       Ticks ticks) const noexcept;
  /// The same, but nothing is counted and nobody waits: the caller will ask again.
  Entered enter_if_possible(std::uintptr_t frame, RecordKind kind, std::size_t size, ScopeId scope,
                            Ticks ticks) const noexcept;
  void map_ring_ahead() const noexcept;

  RingCore* ring_;
};

[[gnu::always_inline]] inline bool Slot::commit(std::size_t used) && noexcept {
  assert(state_ != nullptr && used <= size_);
  if (inherited()) [[unlikely]]
    return refuse_after_fork(*std::exchange(state_, nullptr), kind_);
  OpenBlock& block = *block_;
  const std::size_t bytes = record_bytes(used);
  // Lines of the records to come: another core (the flusher's) had them last, or none. Past the end of the block it fetches in vain.
  const std::byte* const ahead = record_ + kPrefetchAhead + bytes;
  __builtin_prefetch(ahead, 1);
  __builtin_prefetch(ahead + kCacheLine, 1);
  __builtin_prefetch(ahead + 2 * kCacheLine, 1);
  __builtin_prefetch(ahead + 3 * kCacheLine, 1);
  const RecordHeader header{static_cast<std::uint32_t>(used), static_cast<std::uint8_t>(kind_), tick_fields_,
                            scope_.value};
  __builtin_memcpy(record_, &header, sizeof(header));
  // Whoever tears this thread out from here on leaves a record that is whole.
  std::atomic_signal_fence(std::memory_order_release);  // signal fence: against our own handlers
  block.committed = block.committed.advanced(bytes, 1);
  // What if we die right after this store? The record exists, complete: the crash rule.
  block.descriptor->committed.store(block.committed.word, std::memory_order_release);  // P1
  if (block.conts != 0) [[unlikely]]
    seal_run(*state_, *level_, block);
  release();
  return true;
}

}  // namespace shmring

#if defined(__GNUC__)
#pragma GCC visibility pop
#endif
