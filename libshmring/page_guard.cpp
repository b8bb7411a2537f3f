// SPDX-License-Identifier: Apache-2.0
// Empty pages in the place of missing ones.
#include "libshmring/page_guard.hpp"

#include <signal.h>
#include <sys/mman.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <cstdint>

namespace shmring {
namespace {

struct Guarded {
  std::atomic<bool> taken{false};
  std::atomic<std::uintptr_t> begin{0};
  std::atomic<std::uintptr_t> end{0};  // 0: not in use
  std::atomic<bool> lost{false};
};

constinit std::array<Guarded, 8> guarded{};
std::uintptr_t page_bytes = 4096;  // of the machine, once there is a guard

// relaxed throughout: a fault is of the very thread that the handler interrupts, and the flag is all that others look at.
bool replace_page(std::uintptr_t address) noexcept {
  for (Guarded& ring : guarded) {
    const std::uintptr_t end = ring.end.load(std::memory_order_relaxed);  // relaxed: see above
    if (address < ring.begin.load(std::memory_order_relaxed) || address >= end)
      continue;                                        // relaxed: see above
    ring.lost.store(true, std::memory_order_relaxed);  // relaxed: see above
    void* page = reinterpret_cast<void*>(address & ~(page_bytes - 1));
    // Of POSIX's list of async-signal-safe functions it is not one; on Linux it is the bare system call.
    return ::mmap(page, page_bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) !=
           MAP_FAILED;
  }
  return false;
}

void on_bus_error(int number, siginfo_t* info, void* /*context*/) {
  const int error = errno;
  const bool is_fault = info->si_code > 0;  // not one that somebody has sent
  if (!is_fault || !replace_page(reinterpret_cast<std::uintptr_t>(info->si_addr))) {
    ::signal(number, SIG_DFL);
    ::raise(number);  // takes effect when this handler returns
  }
  errno = error;
}

void take_bus_errors() noexcept {
  page_bytes = static_cast<std::uintptr_t>(::sysconf(_SC_PAGESIZE));
  struct sigaction action {};
  action.sa_sigaction = on_bus_error;
  action.sa_flags = SA_SIGINFO | SA_RESTART;
  sigemptyset(&action.sa_mask);
  ::sigaction(SIGBUS, &action, nullptr);
}

}  // namespace

PageGuard::PageGuard(const RingFile& ring) noexcept : index_(guarded.size()) {
  take_bus_errors();
  for (std::size_t index = 0; index < guarded.size() && index_ == guarded.size(); ++index) {
    if (!guarded[index].taken.exchange(true, std::memory_order_relaxed))
      index_ = index;  // relaxed: see replace_page()
  }
  if (index_ == guarded.size()) return;
  Guarded& mine = guarded[index_];
  const auto begin = reinterpret_cast<std::uintptr_t>(ring.base());
  mine.lost.store(false, std::memory_order_relaxed);   // relaxed: see replace_page()
  mine.begin.store(begin, std::memory_order_relaxed);  // relaxed: see replace_page()
  mine.end.store(begin + ring.geometry().file_bytes,
                 std::memory_order_relaxed);  // relaxed: see replace_page()
}

PageGuard::~PageGuard() {
  if (index_ == guarded.size()) return;
  guarded[index_].end.store(0, std::memory_order_relaxed);        // relaxed: see replace_page()
  guarded[index_].taken.store(false, std::memory_order_relaxed);  // relaxed: see replace_page()
}

bool PageGuard::has_lost_pages() const noexcept {
  return index_ < guarded.size() && guarded[index_].lost.load(std::memory_order_relaxed);  // relaxed: a flag
}

}  // namespace shmring
