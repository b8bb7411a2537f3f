// SPDX-License-Identifier: Apache-2.0
// How a thread becomes a writer: it takes a slot whose holder is gone. Once per thread; a thread that ends does nothing.
#include <linux/futex.h>
#include <pthread.h>
#include <signal.h>
#include <time.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "libshmring/fork_page.hpp"
#include "libshmring/liveness.hpp"
#include "libshmring/nesting.hpp"
#include "libshmring/raw_syscall.hpp"
#include "libshmring/ring_core.hpp"
#include "libshmring/robust_mutex.hpp"
#include "libshmring/system.hpp"

namespace shmring {
namespace {

/// A handler that emitted in the middle of this would find half a registration; a cancellation, for which open() and others
/// are points, would unwind through noexcept and so end the process.
class Undisturbed {
 public:
  Undisturbed() noexcept {
    // The kernel's own form: a bit for each signal, from 1. Without the two that the C library keeps for itself (nptl(7)). Not a
    // constant, which would be one more page to read.
    const std::uint64_t all = ~(std::uint64_t{3} << 31U);
    raw_syscall(SYS_rt_sigprocmask, SIG_BLOCK, argument(&all), argument(&signals_before_), sizeof(all));
    ::pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &cancellation_before_);
  }
  ~Undisturbed() {
    ::pthread_setcancelstate(cancellation_before_, nullptr);
    raw_syscall(SYS_rt_sigprocmask, SIG_SETMASK, argument(&signals_before_), 0, sizeof(signals_before_));
  }
  Undisturbed(const Undisturbed&) = delete;
  Undisturbed& operator=(const Undisturbed&) = delete;

 private:
  std::uint64_t signals_before_ = 0;
  int cancellation_before_ = PTHREAD_CANCEL_ENABLE;
};

struct Self {
  std::uint32_t tid = 0;
  std::uint32_t pid = 0;
  std::uint64_t pid_namespace = 0;
};

/// A thread made by a raw clone() has no robust list: nobody would learn of its end (R16).
robust_list_head* robust_list() noexcept {
  robust_list_head* head = nullptr;
  std::size_t length = 0;
  return raw_syscall(SYS_get_robust_list, 0, argument(&head), argument(&length)) == 0 ? head : nullptr;
}

/// A handler that interrupted the C library while it locks a robust mutex must not lock another: the list is half linked then. On the
/// alternate stack a handler runs for sure, mostly one for a fault that may have left anything behind.
bool in_an_unsafe_handler(const robust_list_head* list) noexcept {
  return list->list_op_pending != nullptr || on_alternate_stack();
}

enum class Takeable : std::uint8_t { kNo, kAfterLock, kAfterInit };

/// Whether the slot's holder is gone, and whether its mutex says so itself or must be made anew.
Takeable takeable(const WriterSlot& slot, const ClaimWord& claim, Ask ask) noexcept {
  if (claim.phase == SlotPhase::kVacant) return Takeable::kAfterInit;
  if (claim.phase == SlotPhase::kHeld && word_says_gone(futex_word(slot))) return Takeable::kAfterLock;
  if (ask == Ask::kWord) return Takeable::kNo;
  return liveness(slot, ask) == Liveness::kGone ? Takeable::kAfterInit : Takeable::kNo;
}

/// On a wrap of the generation: blocks of holders a million lives ago must not seem to be ours (R15).
void seal_all_blocks_of(const RingCore& ring, std::uint32_t slot_index) noexcept {
  for (BlockDescriptor& descriptor : ring.file().descriptors()) {
    std::uint64_t word = descriptor.state.load(std::memory_order_acquire);  // P3
    for (;;) {
      StateWord state = StateWord::unpack(word);
      const bool has_owner = state.state == BlockState::kOpen || state.state == BlockState::kEvict;
      if (!has_owner || state.writer != slot_index) break;
      state.state = BlockState::kSealed;
      if (descriptor.state.compare_exchange_weak(word, state.pack(), std::memory_order_acq_rel)) break;  // P3
    }
  }
}

enum class Lock : std::uint8_t { kHeld, kRefused, kUnsupported };

/// REQUIRES: this thread has won the slot's claim.
Lock lock_slot(WriterSlot& slot, Takeable how, std::uint32_t tid) noexcept {
  if (how == Takeable::kAfterInit && init_robust_mutex(slot) != 0) return Lock::kRefused;
  const int locked = ::pthread_mutex_trylock(mutex_of(slot));
  if (locked == EOWNERDEAD) ::pthread_mutex_consistent(mutex_of(slot));
  if (locked != 0 && locked != EOWNERDEAD) return Lock::kRefused;
  if ((futex_word(slot) & kFutexTidMask) == tid) return Lock::kHeld;
  // The C library believes to be another thread: whose death would this slot announce?
  ::pthread_mutex_unlock(mutex_of(slot));
  return Lock::kUnsupported;
}

/// CLOCK_BOOTTIME, by number: the first look at the clock without the kernel makes a new process read pages of it, 3 microseconds'
/// worth, and it may have no other reason to.
std::uint64_t boottime_from_kernel() noexcept {
  timespec now{};
  if (raw_syscall(SYS_clock_gettime, CLOCK_BOOTTIME, argument(&now)) != 0) return boottime_ns();
  return static_cast<std::uint64_t>(now.tv_sec) * 1'000'000'000U + static_cast<std::uint64_t>(now.tv_nsec);
}

void write_identity(WriterSlot& slot, const Self& self) noexcept {
  slot.pid_namespace.store(self.pid_namespace, std::memory_order_relaxed);      // relaxed: P5 follows
  slot.registered_ns.store(boottime_from_kernel(), std::memory_order_relaxed);  // relaxed: P5 follows
  slot.pid.store(self.pid, std::memory_order_relaxed);                          // relaxed: P5 follows
  slot.tid.store(self.tid, std::memory_order_relaxed);                          // relaxed: P5 follows
  std::uint64_t command[2] = {};
  const char* name = program_invocation_short_name;
  auto* bytes = reinterpret_cast<char*>(command);
  for (std::size_t n = 0; n < sizeof(command) - 1 && name[n] != '\0'; ++n) bytes[n] = name[n];
  slot.command[0].store(command[0], std::memory_order_relaxed);  // relaxed: P5 follows
  slot.command[1].store(command[1], std::memory_order_relaxed);  // relaxed: P5 follows
}

/// Tries to take one slot. What if this thread dies in here? Before the CAS: nothing happened. After it: the claim names
/// us, and /proc says that we are gone. After the lock: the kernel marks the word as well.
[[gnu::hot]] Lock take(RingCore& ring, std::uint32_t index, Ask ask, const Self& self,
                       std::uint32_t& generation) noexcept {
  WriterSlot& slot = ring.slot(index);
  std::uint64_t word = slot.claim.load(std::memory_order_acquire);  // P5
  const ClaimWord before = ClaimWord::unpack(word);
  const Takeable how = takeable(slot, before, ask);
  if (how == Takeable::kNo) return Lock::kRefused;
  // Every claim has a generation of its own, so that none comes back (a thread id does). Except at the wrap: a claim never shows
  // generation 0, so whoever takes over from a claimer that died on the way to it seals as well (I9).
  const std::uint32_t next = (before.generation + 1) & StateWord::kGenerationMask;
  ClaimWord mine{.generation = next == 0 ? before.generation : next,
                 .phase = SlotPhase::kClaiming,
                 .tid = self.tid,
                 .namespace_tag = static_cast<std::uint32_t>(self.pid_namespace & 0xFFFFFU)};
  if (!slot.claim.compare_exchange_strong(word, mine.pack(), std::memory_order_acq_rel))
    return Lock::kRefused;  // P5
  const Lock lock = lock_slot(slot, how, self.tid);
  if (lock == Lock::kHeld) {
    if (next == 0) seal_all_blocks_of(ring, index);
    write_identity(slot, self);
    mine.generation = next;
    generation = next;
  }
  mine.phase = lock == Lock::kHeld ? SlotPhase::kHeld : SlotPhase::kVacant;
  slot.claim.store(mine.pack(), std::memory_order_release);  // P5
  return lock;
}

/// What the parent's thread knew of the clock holds for its child as well.
TickAnchor inherited_anchor(const RingCore& ring) noexcept {
  const WriterState* state = inherited_writers;
  while (state != nullptr && state->ring != &ring) state = state->next;
  return state == nullptr ? TickAnchor{} : state->levels[0].anchor;
}

[[gnu::hot]] WriterState* begin_writing(RingCore& ring, std::uint32_t index, std::uint32_t generation,
                                        const Self& self, const ThreadSeed& seed) noexcept {
  WriterState& state = ring.state(index);
  // The state's last user was this slot's last holder in this process; its thread has ended.
  // Read by a write: a new process's first touch of the page is one fault, then, not two.
  for (WriterLevel& level : state.levels)
    static_cast<void>(level.busy.fetch_or(WriterLevel::kFree, std::memory_order_acquire));  // P12
  state.ring = &ring;
  state.fork_page = &ring.fork_page();
  state.slot_index = index;
  state.slot_generation = generation;
  state.pid = self.pid;
  for (FullRing& full : state.full) full = FullRing{};
  for (std::uint64_t& not_kept : state.not_kept_ns) not_kept = 0;
  for (WriterLevel& level : state.levels) {
    level.claiming.store(false, std::memory_order_relaxed);        // relaxed: only this thread looks
    level.forgot_a_block.store(false, std::memory_order_relaxed);  // relaxed: likewise
    for (OpenBlock& block : level.open) block = OpenBlock{};
    level.calibration = ring.calibration();
    level.anchor = inherited_anchor(ring);
  }
  std::memcpy(state.random, seed.words, sizeof(state.random));
  state.is_new = true;
  state.process_generation = process_generation();
  state.next = this_thread_writers;
  for (WriterLevel& level : state.levels) leave_level(level);
  this_thread_writers = &state;
  return &state;
}

}  // namespace

WriterState* register_thread(RingCore& ring, DropCause& cause) noexcept {
  const Undisturbed undisturbed;
  // A handler may have registered this thread after it was asked whether it is, and before signals were blocked.
  if (WriterState* registered = find_writer(ring)) return registered;
  const robust_list_head* const list = robust_list();
  cause = DropCause::kUnsupportedProcess;
  if (ring.lost_in_child() || list == nullptr) return nullptr;
  cause = DropCause::kNested;
  if (in_an_unsafe_handler(list)) return nullptr;
  cause = DropCause::kUnsupportedProcess;
  const ThreadSeed seed = seed_thread();  // before anything else of the fork page
  const Self self{static_cast<std::uint32_t>(raw_syscall(SYS_gettid)),
                  static_cast<std::uint32_t>(raw_syscall(SYS_getpid)), remembered_pid_namespace()};
  // The lowest slot first, so that few slots (and the blocks of their former holders) are used again and again. Only when
  // all seem taken, /proc is asked: it knows of deaths that the kernel did not mark (R13).
  for (Ask ask = Ask::kWord;; ask = Ask::kWordAndProc) {
    for (std::uint32_t index = 0; index < ring.file().geometry().writer_count; ++index) {
      std::uint32_t generation = 0;
      const Lock lock = take(ring, index, ask, self, generation);
      if (lock == Lock::kUnsupported) return nullptr;
      if (lock == Lock::kHeld) return begin_writing(ring, index, generation, self, seed);
    }
    if (ask == Ask::kWordAndProc || !ring.may_ask_proc()) break;
  }
  cause = DropCause::kNoWriterSlot;
  return nullptr;
}

WriterState* find_writer(const RingCore& ring) noexcept {
  if (this_thread_writers == nullptr) return nullptr;
  if (this_thread_writers->process_generation != process_generation()) {
    this_thread_writers = nullptr;  // a parent's: its thread lives on there, and so do its slots
    return nullptr;
  }
  WriterState* state = this_thread_writers;
  while (state != nullptr && state->ring != &ring) state = state->next;
  return state;
}

}  // namespace shmring
