// SPDX-License-Identifier: Apache-2.0
// The process that holds the flusher's lease, proven to be it, so that a signal hits no other.
#include "tools/holder.hpp"

#include <fmt/format.h>
#include <poll.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <sstream>

#include "libshmring/liveness.hpp"

namespace shmring::tools {
namespace {

// Not in the C library of Debian 12's oldest neighbours; the numbers are the same on every machine.
constexpr long kPidfdSendSignal = 424;
constexpr long kPidfdOpen = 434;

std::string content(const std::filesystem::path& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
}

enum class LockProof { kHolds, kHoldsNot, kNotReadable };

LockProof holds_lock(pid_t pid, std::uint64_t inode) {
  std::error_code error;
  const std::filesystem::path folder = fmt::format("/proc/{}/fdinfo", pid);
  std::filesystem::directory_iterator entry(folder, error);
  if (error) return LockProof::kNotReadable;
  for (const auto end = std::filesystem::directory_iterator(); entry != end; entry.increment(error)) {
    if (error) break;
    if (lists_ofd_lock(content(entry->path()), inode)) return LockProof::kHolds;
  }
  return LockProof::kHoldsNot;
}

std::string by_hand(std::uint32_t pid) {
  return fmt::format("; look for the flusher yourself (its pid was {} where it runs) and end it there", pid);
}

}  // namespace

std::uint64_t start_ns_of_stat(const std::string& stat, long ticks_per_second) {
  // Field 2 is the program's name in brackets, which may hold blanks and brackets; field 22 is the start.
  const std::size_t name_end = stat.rfind(')');
  if (name_end == std::string::npos || ticks_per_second <= 0) return 0;
  std::istringstream fields(stat.substr(name_end + 1));
  std::string skipped;
  for (int field = 3; field < 22; ++field) fields >> skipped;
  std::uint64_t ticks = 0;
  if (!(fields >> ticks)) return 0;
  return ticks * (1'000'000'000ULL / static_cast<std::uint64_t>(ticks_per_second));
}

bool lists_ofd_lock(const std::string& fdinfo, std::uint64_t inode) {
  // lock:	1: OFDLCK  ADVISORY  WRITE -1 00:1b:4711 0 EOF
  const std::string place = fmt::format(":{} ", inode);
  std::istringstream lines(fdinfo);
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with("lock:") && line.find("OFDLCK") != std::string::npos &&
        line.find(" WRITE ") != std::string::npos && line.find(place) != std::string::npos) {
      return true;
    }
  }
  return false;
}

std::variant<Holder, std::string> Holder::prove(const RingFile& ring, const FlusherView& view) {
  if (view.pid == 0)
    return std::string("somebody holds the lease and the ring does not say who; see `fuser -v` on the ring");
  if (view.pid_namespace == 0 || view.pid_namespace != pid_namespace()) {
    return "its pid is one of another pid namespace (another container)" + by_hand(view.pid);
  }
  const auto pid = static_cast<pid_t>(view.pid);
  // First the handle, then the questions: should the pid change hands in between, the handle stays with the process that
  // was there first, and a signal sent to one that has ended fails.
  Descriptor process(static_cast<int>(::syscall(kPidfdOpen, pid, 0)));
  if (!process) {
    if (errno == ESRCH)
      return fmt::format("there is no process {}, so it is not the one that holds the lease", pid);
    return fmt::format("the kernel gives no handle to process {} ({})", pid, std::strerror(errno)) +
           by_hand(view.pid);
  }
  const std::uint64_t began_ns =
      start_ns_of_stat(content(fmt::format("/proc/{}/stat", pid)), ::sysconf(_SC_CLK_TCK));
  if (began_ns == 0) return fmt::format("/proc/{}/stat does not say when it began", pid) + by_hand(view.pid);
  if (began_ns > view.started_ns) {
    return fmt::format("process {} began after the lease was taken: it is another one", pid) +
           by_hand(view.pid);
  }
  struct stat file {};
  if (::fstat(ring.fd(), &file) != 0)
    return std::string("the ring cannot be looked at: ") + std::strerror(errno);
  switch (holds_lock(pid, file.st_ino)) {
    case LockProof::kHolds:
      return Holder(pid, std::move(process));
    case LockProof::kHoldsNot:
      return fmt::format("process {} does not hold the lock on the ring: it is another one", pid) +
             by_hand(view.pid);
    case LockProof::kNotReadable:
      break;
  }
  return fmt::format("the open files of process {} cannot be read: run this as the flusher's user", pid);
}

bool Holder::signal(int number) const noexcept {
  return ::syscall(kPidfdSendSignal, process_.get(), number, nullptr, 0) == 0;
}

bool Holder::wait_for_end(std::chrono::milliseconds timeout) const noexcept {
  const auto deadline = std::chrono::steady_clock::now() + timeout;
  for (;;) {
    const auto left =
        std::chrono::duration_cast<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now());
    pollfd end{.fd = process_.get(), .events = POLLIN, .revents = 0};
    const int ready = ::poll(&end, 1, static_cast<int>(std::max<std::int64_t>(left.count(), 0)));
    if (ready > 0) return true;
    if (ready == 0 || errno != EINTR) return false;
  }
}

}  // namespace shmring::tools
