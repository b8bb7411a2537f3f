// SPDX-License-Identifier: Apache-2.0
// How a process knows that it is a forked child: a page that the kernel wipes (DESIGN 3.3, R18).
#pragma once

#include <cstdint>

#include "shmring/result.hpp"
#include "shmring/writer.hpp"

namespace shmring {

/// Makes the page, once per process tree. kUnsupported before Linux 4.14.
Result<const ForkPage*> prepare_fork_page();

/// This process's generation: random, so that no ancestor has the same; given out on the first call after a fork.
/// Thread-safe, async-signal-safe. REQUIRES: prepare_fork_page() has succeeded.
[[gnu::hot]] std::uint64_t process_generation() noexcept;

/// Random words for a thread that registers. In a new process the same look at the kernel's pool gives it generation and instance, and
/// its first touch of the page is a store: one page fault, not two. As process_generation().
struct ThreadSeed {
  std::uint64_t words[2];
};
[[gnu::hot]] ThreadSeed seed_thread() noexcept;

/// Runs in every process that is about to fork(), and in the child: what the child may take over from its parent.
void note_fork() noexcept;
[[gnu::hot]] void note_forked() noexcept;

/// Inode of this process's pid namespace; 0 when /proc does not say. Asked once in a process, and not where its parent knew: a look
/// into /proc costs a new process some ten microseconds. As process_generation(); and REQUIRES: note_fork() and note_forked() are
/// registered for what runs around a fork.
[[gnu::hot]] std::uint64_t remembered_pid_namespace() noexcept;

/// The two random words of this process's service.instance.id. As process_generation().
struct InstanceId {
  std::uint64_t high = 0;
  std::uint64_t low = 0;
};
[[gnu::hot]] InstanceId process_instance() noexcept;

}  // namespace shmring
