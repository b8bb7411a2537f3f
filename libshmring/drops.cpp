// SPDX-License-Identifier: Apache-2.0
// Nothing is dropped silently: every drop is counted in the ring, and told to the program once per cause.
#include <atomic>

#include "libshmring/fork_page.hpp"
#include "libshmring/ring_core.hpp"
#include "libshmring/system.hpp"

namespace shmring {
namespace {

constinit std::atomic<ErrorHandler> error_handler{nullptr};
// The generation of the process that has told its program about this cause.
constinit std::atomic<std::uint64_t> told[kDropCauseCount]{};

std::string_view explain(DropCause cause) noexcept {
  switch (cause) {
    case DropCause::kRingFull:
      return "the ring is full: records are dropped and counted; is a flusher running, is its destination "
             "reachable?";
    case DropCause::kBlockTimeout:
      return "the ring stayed full for the whole block timeout: records are dropped and counted; is a "
             "flusher running?";
    case DropCause::kTooLarge:
      return "a record is larger than the ring takes: it is dropped and counted; create the ring with a "
             "larger limit for records, or more blocks";
    case DropCause::kNoWriterSlot:
      return "more threads write than the ring has writer slots: records are dropped and counted; create the "
             "ring with more writers";
    case DropCause::kAfterFork:
      return "a slot reserved before fork() was committed in the child: that record is the parent's; it is "
             "counted as dropped";
    case DropCause::kNested:
      return "a signal handler's emit interrupted another handler's, or was its thread's first: it is "
             "dropped and counted";
    case DropCause::kUnsupportedProcess:
      return "this thread was made by a raw clone(), so the kernel would not tell of its death: its records "
             "are refused and counted";
  }
  return "a record was dropped";
}

void tell_once(DropCause cause) noexcept {
  const ErrorHandler handler = error_handler.load(std::memory_order_acquire);  // P10
  if (handler == nullptr) return;
  const std::uint64_t generation = process_generation();
  // relaxed: only decides who calls
  if (told[static_cast<std::size_t>(cause)].exchange(generation, std::memory_order_relaxed) == generation)
    return;
  handler(cause, explain(cause));
}

}  // namespace

ErrorHandler set_error_handler(ErrorHandler handler) noexcept {
  return error_handler.exchange(handler, std::memory_order_acq_rel);  // P10
}

void count_drop(RingCore& ring, const WriterState* state, Signal signal, DropCause cause,
                Tell tell) noexcept {
  const auto s = static_cast<std::size_t>(signal);
  const auto c = static_cast<std::size_t>(cause);
  if (state != nullptr) {
    WriterSlot& slot = ring.slot(state->slot_index);
    const std::uint64_t now = unix_ns();
    std::uint64_t none = 0;
    slot.first_drop_unix_ns.compare_exchange_strong(none, now,
                                                    std::memory_order_relaxed);  // relaxed: for people
    slot.last_drop_unix_ns.store(now, std::memory_order_relaxed);                // relaxed: for people
    slot.dropped[s][c].fetch_add(
        1, std::memory_order_relaxed);  // relaxed: a count of its own, ordered with nothing
  } else {
    ring.header().dropped[s][c].fetch_add(1, std::memory_order_relaxed);  // relaxed: likewise
  }
  if (tell == Tell::kYes && cause != DropCause::kNested) tell_once(cause);
}

}  // namespace shmring
