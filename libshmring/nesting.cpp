// SPDX-License-Identifier: Apache-2.0
// Who works on which level, and who has been torn away from it.
#include "libshmring/nesting.hpp"

#include <signal.h>

#include <iterator>

#include "libshmring/raw_syscall.hpp"

namespace shmring {
namespace {

constexpr std::uintptr_t kSameStack = std::uintptr_t{1} << 20U;  // further apart: nothing is concluded

/// The thread's alternate signal stack, as the kernel knows it at this moment.
struct AlternateStack {
  std::uintptr_t begin = 0;
  std::size_t bytes = 0;
  bool is_in_use = false;

  static AlternateStack now() noexcept {
    stack_t stack{};
    if (raw_syscall(SYS_sigaltstack, 0, argument(&stack)) != 0 || (stack.ss_flags & SS_DISABLE) != 0)
      return {};
    return {reinterpret_cast<std::uintptr_t>(stack.ss_sp), stack.ss_size, (stack.ss_flags & SS_ONSTACK) != 0};
  }
  bool holds(std::uintptr_t address) const noexcept { return address - begin < bytes; }
};

/// Whether the emit whose function had the frame `holder` is over, asked from a function with the frame `here`. Stacks grow
/// downwards: as long as a function runs, all that it calls, and every handler that interrupts that, lies below it. So a frame at
/// or above the holder's means that the holder was left. So does the ordinary stack in use, when the holder's is on the alternate
/// one. Otherwise nothing is concluded across two stacks. Not knowing is always allowed: then the level is taken until its thread
/// ends, and never used by two.
bool is_over(std::uintptr_t holder, std::uintptr_t here) noexcept {
  if (holder == WriterLevel::kUnknownFrame) return false;
  const AlternateStack alternate = AlternateStack::now();
  const bool holder_on_alternate = alternate.holds(holder);
  if (holder_on_alternate && !alternate.is_in_use) return true;
  if (holder_on_alternate != alternate.is_in_use) return false;
  return here >= holder && here - holder < kSameStack;
}

}  // namespace

bool on_alternate_stack() noexcept { return AlternateStack::now().is_in_use; }

WriterLevel* enter_level(WriterState& state, std::uintptr_t frame) noexcept {
  const auto here = frame != WriterLevel::kUnknownFrame
                        ? frame
                        : reinterpret_cast<std::uintptr_t>(__builtin_frame_address(0));
  for (WriterLevel& level : state.levels) {
    const std::uintptr_t holder =
        level.busy.load(std::memory_order_relaxed);  // relaxed: only this thread stores it
    if (holder != WriterLevel::kFree && !is_over(holder, here)) continue;
    // Whoever held an inner one was left with it: a handler, which is always deeper, could not tell later.
    for (WriterLevel* inner = &level + 1; inner != std::end(state.levels); ++inner) {
      const std::uintptr_t left = inner->busy.load(std::memory_order_relaxed);  // relaxed: as above
      if (left != WriterLevel::kFree && is_over(left, here)) leave_level(*inner);
    }
    level.busy.store(frame, std::memory_order_relaxed);   // relaxed: for this thread's handlers
    std::atomic_signal_fence(std::memory_order_acq_rel);  // signal fence: as in Writer::try_reserve
    return &level;
  }
  return nullptr;
}

}  // namespace shmring
