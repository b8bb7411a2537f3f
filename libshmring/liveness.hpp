// SPDX-License-Identifier: Apache-2.0
// Who is alive: the robust mutex's futex word first, /proc where that word cannot know (DESIGN 3.2, R13 to R15).
#pragma once

#include <cstdint>

#include "shmring/layout.hpp"

namespace shmring {

enum class Liveness : std::uint8_t {
  kVacant,   // never held
  kAlive,    // the word says so (and /proc, where it was asked, does not contradict)
  kGone,     // the kernel marked its end, or /proc proves it
  kUnknown,  // another pid namespace, and the word says alive: nobody here can tell more
};

/// How hard to look: at the words of the slot, or also at /proc (some ten microseconds).
enum class Ask : std::uint8_t { kWord, kWordAndProc };

Liveness liveness(const WriterSlot& slot, Ask ask) noexcept;

/// Where /proc can be asked about threads at all: half of what a look costs, and the same for all of them.
struct ProcView {
  std::uint64_t pid_namespace = 0;  // ours
  bool is_ours = false;             // what is mounted there shows that namespace
};
ProcView view_of_proc() noexcept;

/// As with Ask::kWordAndProc, with one view for many looks.
Liveness liveness(const WriterSlot& slot, const ProcView& proc) noexcept;

/// Whether the owner that a state word names is gone: its slot is in other hands, or its holder is.
/// REQUIRES: state.writer was checked against the number of slots.
bool owner_gone(const WriterSlot& slot, const StateWord& state) noexcept;

/// Inode of this process's pid namespace; 0 when /proc does not say.
std::uint64_t pid_namespace() noexcept;
/// CLOCK_BOOTTIME, the clock of everything in a ring that is compared between processes.
std::uint64_t boottime_ns() noexcept;

}  // namespace shmring
