// SPDX-License-Identifier: Apache-2.0
// How a process knows that it is a forked child.
#include "libshmring/fork_page.hpp"

#include <sys/mman.h>
#include <sys/random.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>

#include "libshmring/system.hpp"

namespace shmring {
namespace {

constinit std::atomic<ForkPage*> page{nullptr};
// The largest generation that this process or an ancestor has used. Copied by fork, so a child counts on from it.
constinit std::atomic<std::uint64_t> last_generation{0};

/// Two words, neither of them zero, which means: not chosen yet.
InstanceId random_words() noexcept {
  InstanceId id;
  // Not getrandom(3): that is a cancellation point, and we are called from noexcept functions.
  if (::syscall(SYS_getrandom, &id, sizeof(id), GRND_NONBLOCK) != static_cast<long>(sizeof(id))) {
    // Before the kernel's pool is ready: unique on this host at least.
    id.high = (unix_ns() ^ static_cast<std::uint64_t>(::getpid()) << 44U) * 0x9E3779B97F4A7C15U;
    id.low = (monotonic_ns() ^ id.high) * 0xD1B54A32D192ED03U;
  }
  return {id.high | 1U, id.low | 1U};
}

/// The first caller after a fork chooses, everybody else takes what was chosen.
std::uint64_t choose_once(std::atomic<std::uint64_t>& word, std::uint64_t candidate) noexcept {
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
  if (generation != 0) return generation;
  // relaxed: only uniqueness matters; threads that race for the same fork burn a number each
  return choose_once(word, last_generation.fetch_add(1, std::memory_order_relaxed) + 1);
}

InstanceId process_instance() noexcept {
  std::atomic<std::uint64_t>* words = page.load(std::memory_order_acquire)->instance;  // P9
  const InstanceId chosen{words[0].load(std::memory_order_acquire),
                          words[1].load(std::memory_order_acquire)};  // P9
  if (chosen.high != 0 && chosen.low != 0) return chosen;
  const InstanceId candidate = random_words();
  return {choose_once(words[0], candidate.high), choose_once(words[1], candidate.low)};
}

}  // namespace shmring
