// SPDX-License-Identifier: Apache-2.0
// Which pid namespace this process is in.
//
// A child is in its parent's namespace unless the parent asked for another (unshare, setns, clone flags); then the parent lies outside
// of the child's, and getppid() says 0. So the child of a process that knows its namespace knows it too, when it is really that
// process's child and getppid() says so. It is, when their generations are neighbours: a process in between has one of its own, by its
// first emit or by note_fork(). (What _Fork() makes twice in a row, without an emit, escapes that; the parent's id must fit as well.)
#include "libshmring/pid_namespace.hpp"

#include <unistd.h>

#include <atomic>

#include "libshmring/fork_page.hpp"
#include "libshmring/liveness.hpp"

namespace shmring {
namespace {

// What a process of this tree, this one or an ancestor, found out. Copied by fork.
constinit std::atomic<std::uint64_t> known_inode{0};
constinit std::atomic<std::uint32_t> known_by_pid{0};
constinit std::atomic<std::uint64_t> known_by_generation{0};

void remember(std::uint64_t inode, std::uint64_t generation) noexcept {
  // Threads that meet here store the same.
  known_inode.store(inode, std::memory_order_relaxed);  // relaxed: P9 follows
  known_by_pid.store(static_cast<std::uint32_t>(::getpid()),
                     std::memory_order_relaxed);                     // relaxed: P9 follows
  known_by_generation.store(generation, std::memory_order_release);  // P9
}

}  // namespace

std::uint64_t remembered_pid_namespace() noexcept {
  const std::uint64_t mine = process_generation();
  const std::uint64_t known_by = known_by_generation.load(std::memory_order_acquire);  // P9
  const std::uint64_t inode =
      known_inode.load(std::memory_order_relaxed);  // relaxed: ordered by the acquire before it
  if (known_by == mine && inode != 0) return inode;
  // relaxed: likewise. A parent that ended has another's id by now, and one in another namespace the id 0.
  if (known_by + 1 == mine && inode != 0 &&
      static_cast<std::uint32_t>(::getppid()) == known_by_pid.load(std::memory_order_relaxed)) {
    remember(inode, mine);
    return inode;
  }
  const std::uint64_t asked = pid_namespace();
  remember(asked, mine);
  return asked;
}

void note_fork() noexcept { static_cast<void>(process_generation()); }

}  // namespace shmring
