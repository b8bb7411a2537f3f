// SPDX-License-Identifier: Apache-2.0
// Which pid namespace this process is in, at the price of getppid() where its parent knew.
#pragma once

#include <cstdint>

namespace shmring {

/// Inode of this process's pid namespace; 0 when /proc does not say. What a parent has asked is taken over where it must be the same:
/// a look into /proc costs a new process some ten microseconds. Thread-safe, async-signal-safe. REQUIRES: prepare_fork_page() has
/// succeeded, and note_fork() is registered for what runs before a fork.
std::uint64_t remembered_pid_namespace() noexcept;

/// Runs in every process that is about to fork(): one that has not emitted, and so does not know its namespace, must not be skipped when
/// its child looks for a parent that does.
void note_fork() noexcept;

}  // namespace shmring
