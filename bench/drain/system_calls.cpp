// SPDX-License-Identifier: Apache-2.0
// A child that stops at each system call.
#include "bench/drain/system_calls.hpp"

#include <signal.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

namespace shmring::bench {
namespace {

constexpr int kSystemCallStop = SIGTRAP | 0x80;  // with PTRACE_O_TRACESYSGOOD

/// Entries and exits of system calls from the child's first stop to its end.
std::optional<std::uint64_t> stops_of(pid_t child) {
  int status = 0;
  if (::waitpid(child, &status, 0) != child || !WIFSTOPPED(status)) return std::nullopt;
  if (::ptrace(PTRACE_SETOPTIONS, child, nullptr, PTRACE_O_TRACESYSGOOD | PTRACE_O_EXITKILL) != 0)
    return std::nullopt;
  std::uint64_t stops = 0;
  while (::ptrace(PTRACE_SYSCALL, child, nullptr, 0) == 0 && ::waitpid(child, &status, 0) == child) {
    if (WIFEXITED(status)) return WEXITSTATUS(status) == 0 ? std::optional(stops) : std::nullopt;
    if (!WIFSTOPPED(status)) return std::nullopt;
    if (WSTOPSIG(status) == kSystemCallStop) ++stops;
  }
  return std::nullopt;
}

std::optional<std::uint64_t> stops_of_child(std::uint32_t times, const std::function<void()>& work) {
  const pid_t child = ::fork();
  if (child < 0) return std::nullopt;
  if (child == 0) {
    if (::ptrace(PTRACE_TRACEME, 0, nullptr, nullptr) != 0) ::_exit(1);
    ::kill(::getpid(), SIGSTOP);
    for (std::uint32_t i = 0; i < times; ++i) work();
    ::_exit(0);
  }
  const auto stops = stops_of(child);
  if (!stops) {
    ::kill(child, SIGKILL);
    ::waitpid(child, nullptr, 0);
  }
  return stops;
}

}  // namespace

std::optional<std::uint64_t> system_calls_of(std::uint32_t times, const std::function<void()>& work) {
  const auto with = stops_of_child(times, work);
  const auto without = stops_of_child(0, work);
  if (!with || !without || *with < *without) return std::nullopt;
  return (*with - *without) / 2;
}

}  // namespace shmring::bench
