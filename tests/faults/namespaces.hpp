// SPDX-License-Identifier: Apache-2.0
// Processes in pid namespaces of their own, processes with an id of one's choice, and deaths that the kernel does not mark.
#pragma once

#include <linux/sched.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdint>
#include <utility>

#include "tests/support/child.hpp"

namespace shmring::testing {

inline constexpr int kNotPermitted = 77;  // exit code: this machine does not let us

/// The next child of this process is the first of a pid namespace of its own (pid 1). False: not permitted.
inline bool begin_pid_namespace() { return ::unshare(CLONE_NEWPID) == 0; }

/// A process that does `work` as pid 1 of a new pid namespace, and its parent that waits for it; that one is returned.
template <typename Work>
Child in_pid_namespace(Work&& work) {
  return Child::forked([&]() -> int {
    if (!begin_pid_namespace()) return kNotPermitted;
    const Ended ended = in_child(std::forward<Work>(work));
    return WIFEXITED(ended.status) ? WEXITSTATUS(ended.status) : 100;
  });
}

/// A forked process of this id; it does nothing until it is killed. Not started: the id is taken, or we may not choose.
inline Child process_with_id(pid_t id) {
  clone_args arguments{};
  arguments.exit_signal = SIGCHLD;
  arguments.set_tid = reinterpret_cast<std::uint64_t>(&id);
  arguments.set_tid_size = 1;
  const auto pid = static_cast<pid_t>(::syscall(SYS_clone3, &arguments, sizeof(arguments)));
  if (pid == 0) {
    for (;;) ::pause();
  }
  return Child(pid);
}

/// What a careless library does: it unmaps a robust mutex that this thread holds. The kernel, which walks the thread's list
/// of such mutexes at its end, stops there, and marks none that was locked before.
inline bool lose_a_robust_mutex() {
  void* page = ::mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (page == MAP_FAILED) return false;
  auto* mutex = static_cast<pthread_mutex_t*>(page);
  pthread_mutexattr_t attributes;
  ::pthread_mutexattr_init(&attributes);
  ::pthread_mutexattr_setrobust(&attributes, PTHREAD_MUTEX_ROBUST);
  return ::pthread_mutex_init(mutex, &attributes) == 0 && ::pthread_mutex_lock(mutex) == 0 &&
         ::munmap(page, 4096) == 0;
}

}  // namespace shmring::testing
