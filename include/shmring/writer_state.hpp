// SPDX-License-Identifier: Apache-2.0
// What a thread remembers of the rings that it writes to: its slot, its blocks, its clock. Private to its process, and to it; for the
// hot path in writer.hpp, not for programs.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>

#include "shmring/layout.hpp"

#if defined(__GNUC__)
#pragma GCC visibility push(default)
#endif

namespace shmring {

class RingCore;

/// An instrumentation scope that a ring knows by number in this process. 0: none.
struct ScopeId {
  std::uint16_t value = 0;
};

/// Times of a record that are ticks of the TSC, to be converted by who reads it (see RecordHeader::ticks).
struct Ticks {
  std::uint64_t value = 0;  // the latest of them
  std::uint8_t fields = 0;  // leading fixed64 fields of the payload that hold ticks: 0 to kMaxTickFields
};

/// Process-private memory that the kernel zeroes in every forked child (MADV_WIPEONFORK): how a child learns, at the
/// price of one load, that it is one. A vfork() child shares its parent's memory and writes as its parent.
struct ForkPage {
  std::atomic<std::uint64_t> generation;     // of this process; 0: not yet used since the fork
  std::atomic<std::uint64_t> instance[2];    // random: service.instance.id
  std::atomic<std::uint64_t> pid_namespace;  // inode; 0: not asked for yet
};

/// The block that a thread appends to, one per level and signal. Private to its thread.
///
/// A handler may leave an emit by longjmp between any two instructions. What follows is right all the same: `committed` alone
/// says where the thread is, and moves before the ring's word does. (Left in between: the record is whole, and the next commit
/// publishes it as well.) `capacity` is set last, and cleared first.
struct OpenBlock {
  std::byte* base = nullptr;   // of the block
  std::uint32_t capacity = 0;  // bytes: of the block, or of all blocks of a run; 0: nothing to write to
  std::uint32_t index = 0;     // of the block
  BlockDescriptor* descriptor = nullptr;
  CommittedWord committed;           // as last stored, or about to be
  std::uint64_t declared[4] = {};    // scope ids below 256 that this section has declared
  std::uint64_t anchored_at = 0;     // ticks: this section's last clock record
  std::uint64_t anchor_ticks = 0;    // how long that one holds; 0: there is none
  std::uint32_t conts = 0;           // CONT blocks to its right: it is the head of a run; or kSealedAtCommit
  std::uint16_t declared_large = 0;  // the last declared id of 256 or more

  /// An ordinary block that its thread does not keep, but seals as it seals a run.
  static constexpr std::uint32_t kSealedAtCommit = ~std::uint32_t{0};

  bool declares(ScopeId scope) const noexcept {
    if (scope.value >= 256) return declared_large == scope.value;
    return scope.value == 0 || (declared[scope.value / 64] >> (scope.value % 64) & 1U) != 0;
  }
  bool has_room(std::size_t payload) const noexcept {
    return payload <= capacity && committed.offset_bytes() + sizeof(RecordHeader) + payload <= capacity;
  }
  /// The largest payload that it has room for. REQUIRES: has_room(0).
  std::size_t room() const noexcept { return capacity - sizeof(RecordHeader) - committed.offset_bytes(); }
  /// Whether a reader can convert these ticks.
  bool is_anchored(Ticks ticks) const noexcept {
    return ticks.fields == 0 || ticks.value - anchored_at < anchor_ticks;
  }
  std::byte* next() const noexcept { return base + committed.offset_bytes(); }
};

/// What a claim that found no room remembers, so that the next one need not look again.
struct FullRing {
  std::uint32_t at_freed = 0;  // RingHeader::freed then
  std::uint64_t until_ns = 0;  // CLOCK_MONOTONIC: before it no new scan, unless something was freed
  std::size_t bytes = 0;       // what was asked for
};

/// What a thread knows of the TSC's pace: a moment by both clocks, and the rate since an earlier one.
struct Calibration {
  std::uint64_t ticks = 0;  // 0: none yet
  std::uint64_t monotonic_ns = 0;
  std::uint64_t rate = 0;  // nanoseconds for 2^32 ticks; 0: not measured over long enough
};

/// What ticks mean, and for how many of them that holds.
struct TickAnchor {
  ClockAnchor clock{};
  std::uint64_t holds_ticks = 0;  // 0: it never did

  bool holds_for(std::uint64_t ticks) const noexcept { return ticks - clock.ticks < holds_ticks; }
};

/// One emit at a time. A thread has two: a handler that interrupts an emit takes the second.
struct WriterLevel {
  static constexpr std::uintptr_t kFree = 0;
  static constexpr std::uintptr_t kUnknownFrame = 1;  // a slot that its holder may have moved anywhere

  std::atomic<std::uintptr_t> busy{kFree};  // the frame that has a slot open, or claims for one
  std::atomic<bool> claiming{false};  // still set at the next claim: an emit was left in the middle of one
  std::atomic<bool> forgot_a_block{false};  // the same, to be looked after when no other level is claiming
  OpenBlock open[kSignalCount];
  Calibration calibration;
  TickAnchor anchor;  // the latest; holds_ticks is set last, and cleared first
};

/// What one thread needs to write to one ring. Lies in memory of the process, one for each writer slot, and is reused
/// with it: nothing has to run when a thread ends.
struct WriterState {
  std::uint64_t process_generation = 0;  // ForkPage::generation when this thread registered
  const ForkPage* fork_page = nullptr;
  RingCore* ring = nullptr;
  WriterState* next = nullptr;  // the same thread's state for another ring
  std::uint32_t slot_index = 0;
  std::uint32_t slot_generation = 0;
  std::uint32_t pid = 0;
  bool is_new = false;  // it has claimed nothing yet: the ring's pages may not be in its process's page table
  FullRing full[kSignalCount];
  std::uint64_t not_kept_ns[kSignalCount] =
      {};                        // CLOCK_MONOTONIC: when it last got a block that it was not to keep
  std::uint64_t random[2] = {};  // state of the id generator
  WriterLevel levels[kMaxNesting];
};

/// The calling thread's writers, one for each ring, the latest first. No destructor: a thread that ends does nothing.
extern thread_local constinit WriterState* this_thread_writers __attribute__((tls_model("initial-exec")));

}  // namespace shmring

#if defined(__GNUC__)
#pragma GCC visibility pop
#endif
