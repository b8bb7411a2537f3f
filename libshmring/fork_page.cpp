// SPDX-License-Identifier: Apache-2.0
// How a process knows that it is a forked child.
#include "libshmring/fork_page.hpp"

#include <sys/mman.h>
#include <sys/random.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>

#include "libshmring/liveness.hpp"
#include "libshmring/raw_syscall.hpp"
#include "libshmring/system.hpp"

namespace shmring {
namespace {

constinit std::atomic<ForkPage*> page{nullptr};

/// What the thread that forks leaves for its child. In its thread-local memory, which the kernel itself writes to in every child: what
/// lay elsewhere would cost the child a copy of another page.
struct Inherited {
  std::uint64_t pid_namespace = 0;  // 0: the parent does not know either
  std::uint32_t parent = 0;         // the parent's id
  std::uint32_t child =
      0;  // the child's: of who runs fork()'s handlers, so not of a _Fork() child of its own
};
constinit thread_local Inherited inherited __attribute__((tls_model("initial-exec")));

std::uint32_t own_pid() noexcept { return static_cast<std::uint32_t>(raw_syscall(SYS_getpid)); }

/// What a new process and its first thread need.
struct Randomness {
  std::uint64_t generation;
  std::uint64_t instance[2];
  ThreadSeed thread;
};

[[gnu::hot]] Randomness random_words() noexcept {
  Randomness words;
  if (raw_syscall(SYS_getrandom, argument(&words), sizeof(words), GRND_NONBLOCK) !=
      static_cast<long>(sizeof(words))) {
    // Before the kernel's pool is ready: unique on this host at least.
    words.generation = (unix_ns() ^ static_cast<std::uint64_t>(own_pid()) << 44U) * 0x9E3779B97F4A7C15U;
    words.instance[0] = words.generation * 0xBF58476D1CE4E5B9U;
    words.instance[1] = (monotonic_ns() ^ words.generation) * 0xD1B54A32D192ED03U;
    words.thread = {{unix_ns() ^ static_cast<std::uint64_t>(raw_syscall(SYS_gettid)) << 40U, monotonic_ns()}};
  }
  return words;
}

/// The first caller after a fork chooses, everybody else takes what was chosen. Never zero, which means: not chosen yet.
std::uint64_t choose_once(std::atomic<std::uint64_t>& word, std::uint64_t candidate) noexcept {
  candidate |= 1U;
  std::uint64_t expected = 0;
  return word.compare_exchange_strong(expected, candidate, std::memory_order_acq_rel) ? candidate
                                                                                      : expected;  // P9
}

}  // namespace

Result<const ForkPage*> prepare_fork_page() {
  if (const ForkPage* existing = page.load(std::memory_order_acquire)) return existing;  // P9
  const auto bytes = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
  void* memory = ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) return system_error("map", "a private page", errno);
  if (::madvise(memory, bytes, MADV_WIPEONFORK) != 0) {
    const int error = errno;
    ::munmap(memory, bytes);
    return Error{ErrorCode::kUnsupported, "this kernel has no MADV_WIPEONFORK (errno " +
                                              std::to_string(error) + "); shmring needs Linux 4.14 or newer"};
  }
  auto* fresh = static_cast<ForkPage*>(memory);
  ForkPage* expected = nullptr;
  if (!page.compare_exchange_strong(expected, fresh, std::memory_order_acq_rel)) {  // P9
    ::munmap(memory, bytes);
    return expected;
  }
  return fresh;
}

std::uint64_t process_generation() noexcept {
  std::atomic<std::uint64_t>& word = page.load(std::memory_order_acquire)->generation;  // P9
  const std::uint64_t generation = word.load(std::memory_order_acquire);                // P9
  return generation != 0 ? generation : choose_once(word, random_words().generation);
}

InstanceId process_instance() noexcept {
  std::atomic<std::uint64_t>* words = page.load(std::memory_order_acquire)->instance;  // P9
  const InstanceId chosen{words[0].load(std::memory_order_acquire),
                          words[1].load(std::memory_order_acquire)};  // P9
  if (chosen.high != 0 && chosen.low != 0) return chosen;
  const Randomness candidate = random_words();
  return {choose_once(words[0], candidate.instance[0]), choose_once(words[1], candidate.instance[1])};
}

ThreadSeed seed_thread() noexcept {
  ForkPage& mine = *page.load(std::memory_order_acquire);  // P9
  const Randomness fresh = random_words();
  choose_once(mine.generation, fresh.generation);
  choose_once(mine.instance[0], fresh.instance[0]);
  choose_once(mine.instance[1], fresh.instance[1]);
  return fresh.thread;
}

void note_fork() noexcept {
  // relaxed: one word, and this process's
  inherited.pid_namespace =
      page.load(std::memory_order_acquire)->pid_namespace.load(std::memory_order_relaxed);  // P9
  inherited.parent = own_pid();
  inherited.child = 0;
}

void note_forked() noexcept { inherited.child = own_pid(); }

/// A child is in its parent's namespace unless the parent asked for another (unshare, setns, clone flags); then the parent lies outside
/// of the child's, and getppid() says 0. So the child of a process that knows its namespace knows it too, when it is really that
/// process's child, by fork() and its handlers, and getppid() says so. Whom _Fork() made asks for itself.
std::uint64_t remembered_pid_namespace() noexcept {
  std::atomic<std::uint64_t>& mine = page.load(std::memory_order_acquire)->pid_namespace;  // P9
  if (const std::uint64_t known = mine.load(std::memory_order_relaxed); known != 0)
    return known;  // relaxed: one word, of which all that store it store the same
  const bool is_parents = inherited.pid_namespace != 0 && inherited.child == own_pid() &&
                          static_cast<std::uint32_t>(raw_syscall(SYS_getppid)) == inherited.parent;
  const std::uint64_t inode = is_parents ? inherited.pid_namespace : pid_namespace();
  mine.store(inode, std::memory_order_relaxed);  // relaxed: as above
  return inode;
}

}  // namespace shmring
