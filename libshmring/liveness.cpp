// SPDX-License-Identifier: Apache-2.0
// Who is alive.
#include "libshmring/liveness.hpp"

#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <cstdio>
#include <cstring>

#include "libshmring/robust_mutex.hpp"

namespace shmring {
namespace {

enum class Task : std::uint8_t { kRuns, kNone, kCannotTell };

/// Whether /proc shows our own pid namespace, and not one above it, where our ids are other threads': proc(5), NSpid names
/// the reader's id in each namespace from that of /proc down to its own.
bool proc_is_ours() noexcept {
  constexpr char kField[] = "\nNSpid:";
  constexpr std::size_t kLongestLine = 512;  // 32 namespaces at most; the lines before it may be longer
  const int fd = ::open("/proc/self/status", O_RDONLY | O_CLOEXEC);
  if (fd < 0) return false;
  bool ours = false;
  char text[4096];
  for (off_t at = 0;; at += static_cast<off_t>(sizeof(text) - kLongestLine)) {
    const ssize_t got = ::pread(fd, text, sizeof(text) - 1, at);
    if (got <= 0) break;
    text[got] = '\0';
    const char* field = std::strstr(text, kField);
    const char* end = field != nullptr ? std::strchr(field + 1, '\n') : nullptr;
    if (end != nullptr) {
      const char* first = field + sizeof(kField) - 1;
      first += std::strspn(first, "\t ");
      ours = first + std::strspn(first, "0123456789") == end;
      break;
    }
  }
  ::close(fd);
  return ours;
}

/// What the kernel says without /proc, which may be mounted with hidepid, be of another pid namespace, or not be there.
Task ask_kernel(std::uint32_t tid) noexcept {
  return ::kill(static_cast<pid_t>(tid), 0) != 0 && errno == ESRCH ? Task::kNone : Task::kCannotTell;
}

/// Whether a thread of this id that began no later than `by_ns` (CLOCK_BOOTTIME) runs in our pid namespace.
Task task_state(std::uint32_t tid, std::uint64_t by_ns, const ProcView& proc) noexcept {
  if (!proc.is_ours) return ask_kernel(tid);
  // Not /proc/TID/stat: that one adds up the times of all threads of the process, a thousand of them for each look.
  char path[48];
  std::snprintf(path, sizeof(path), "/proc/%u/task/%u/stat", tid, tid);
  const int fd = ::open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return errno == ENOENT ? ask_kernel(tid) : Task::kCannotTell;
  char text[1024];
  const ssize_t got = ::read(fd, text, sizeof(text) - 1);
  const int error = errno;
  ::close(fd);
  if (got <= 0) return got < 0 && error == ESRCH ? Task::kNone : Task::kCannotTell;
  text[got] = '\0';
  // proc(5): the name may hold anything, so fields are counted behind the last parenthesis; 3 is the state, 22 the start.
  const char* field = std::strrchr(text, ')');
  if (field == nullptr || field[1] == '\0' || field[2] == '\0') return Task::kCannotTell;
  const char state = field[2];
  if (state == 'Z' || state == 'X') return Task::kNone;
  for (int number = 2; number < 22; ++number) {
    field = std::strchr(field + 1, ' ');
    if (field == nullptr) return Task::kCannotTell;
  }
  std::uint64_t ticks = 0;
  if (std::from_chars(field + 1, text + got, ticks).ec != std::errc{}) return Task::kCannotTell;
  const auto per_second = static_cast<std::uint64_t>(::sysconf(_SC_CLK_TCK));
  const std::uint64_t began_ns = ticks * (1'000'000'000U / per_second);
  const std::uint64_t tolerance = 2U * (1'000'000'000U / per_second);
  return began_ns > by_ns + tolerance ? Task::kNone
                                      : Task::kRuns;  // began later: the id was given to another thread
}

Liveness ask_proc(std::uint64_t slot_namespace, std::uint32_t tid, std::uint64_t by_ns,
                  const ProcView& proc) noexcept {
  const std::uint64_t here = proc.pid_namespace;
  if (here == 0 || slot_namespace == 0 || slot_namespace != here) return Liveness::kUnknown;
  switch (task_state(tid, by_ns, proc)) {
    case Task::kRuns:
      return Liveness::kAlive;
    case Task::kNone:
      return Liveness::kGone;
    case Task::kCannotTell:
      return Liveness::kUnknown;
  }
  return Liveness::kUnknown;
}

/// Whether the kernel has marked the end of the slot's holder. REQUIRES: the claim said HELD just now. A claimer may be making the mutex anew,
/// with plain stores, and its word is nobody's. Look at the claim once more behind it: what lies between two equal looks is of that holder.
bool is_marked(const WriterSlot& slot) noexcept { return word_says_gone(futex_word(slot)); }

/// One who has just taken over from the dead lives.
Liveness unless_taken_over(const WriterSlot& slot, std::uint64_t claim) noexcept {
  const std::uint64_t now = slot.claim.load(std::memory_order_acquire);  // P5
  if (now == claim) return Liveness::kGone;
  return ClaimWord::unpack(now).phase == SlotPhase::kVacant ? Liveness::kVacant : Liveness::kAlive;
}

}  // namespace

std::uint64_t pid_namespace() noexcept {
  struct stat info {};
  return ::stat("/proc/self/ns/pid", &info) == 0 ? info.st_ino : 0;
}

[[gnu::hot]] std::uint64_t boottime_ns() noexcept {
  timespec now{};
  ::clock_gettime(CLOCK_BOOTTIME, &now);
  return static_cast<std::uint64_t>(now.tv_sec) * 1'000'000'000U + static_cast<std::uint64_t>(now.tv_nsec);
}

ProcView view_of_proc() noexcept { return {pid_namespace(), proc_is_ours()}; }

Liveness liveness(const WriterSlot& slot, Ask ask) noexcept {
  const std::uint64_t word = slot.claim.load(std::memory_order_acquire);  // P5
  const ClaimWord claim = ClaimWord::unpack(word);
  if (claim.phase == SlotPhase::kVacant) return Liveness::kVacant;
  if (claim.phase == SlotPhase::kHeld && is_marked(slot)) return unless_taken_over(slot, word);
  // Between the claim and the lock the word says nothing about the claimer; only /proc does.
  return ask == Ask::kWord ? Liveness::kAlive : liveness(slot, view_of_proc());
}

Liveness liveness(const WriterSlot& slot, const ProcView& proc) noexcept {
  const std::uint64_t word = slot.claim.load(std::memory_order_acquire);  // P5
  const ClaimWord claim = ClaimWord::unpack(word);
  switch (claim.phase) {
    case SlotPhase::kVacant:
      return Liveness::kVacant;
    case SlotPhase::kHeld:
      if (is_marked(slot)) return unless_taken_over(slot, word);
      return ask_proc(
          slot.pid_namespace.load(std::memory_order_relaxed),  // relaxed: ordered by the acquire of claim
          slot.tid.load(std::memory_order_relaxed),            // relaxed: likewise
          slot.registered_ns.load(std::memory_order_relaxed),  // relaxed: likewise
          proc);
    case SlotPhase::kClaiming:
      break;
  }
  // A claimer has only the claim to write its id to.
  const std::uint64_t here = proc.pid_namespace;
  if (here == 0 || (here & 0xFFFFFU) != claim.namespace_tag) return Liveness::kUnknown;
  return ask_proc(here, claim.tid, ~std::uint64_t{0} / 2, proc);
}

[[gnu::hot]] bool owner_gone(const WriterSlot& slot, const StateWord& state) noexcept {
  const std::uint64_t word = slot.claim.load(std::memory_order_acquire);  // P5
  const ClaimWord claim = ClaimWord::unpack(word);
  // A claimer owns nothing yet: a block that bears its generation is of a holder 2^20 lives ago.
  if (claim.generation != state.writer_generation || claim.phase != SlotPhase::kHeld) return true;
  // Whoever made way for another meanwhile is gone as well, and who followed has seen all that he stored.
  const bool marked = is_marked(slot);
  return slot.claim.load(std::memory_order_acquire) != word || marked;  // P5
}

}  // namespace shmring
