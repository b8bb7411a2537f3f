// SPDX-License-Identifier: Apache-2.0
// A program run with its output in our hands, and our signals in its.
#include "tools/child.hpp"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>

namespace shmring::tools {
namespace {

constexpr std::array kForwarded{SIGHUP,  SIGINT,  SIGQUIT,  SIGTERM, SIGUSR1,
                                SIGUSR2, SIGALRM, SIGWINCH, SIGCONT};

/// posix_spawn's two descriptions of the child, freed with their scope.
struct SpawnSetup {
  posix_spawn_file_actions_t files;
  posix_spawnattr_t attributes;

  SpawnSetup() {
    ::posix_spawn_file_actions_init(&files);
    ::posix_spawnattr_init(&attributes);
  }
  SpawnSetup(const SpawnSetup&) = delete;
  SpawnSetup& operator=(const SpawnSetup&) = delete;
  ~SpawnSetup() {
    ::posix_spawn_file_actions_destroy(&files);
    ::posix_spawnattr_destroy(&attributes);
  }
};

}  // namespace

int shell_exit_code(int wait_status) noexcept {
  return WIFSIGNALED(wait_status) ? 128 + WTERMSIG(wait_status) : WEXITSTATUS(wait_status);
}

int shell_exit_code_of_exec_error(int error) noexcept { return error == ENOENT ? 127 : 126; }

SignalForwarder::SignalForwarder() {
  // Ignored SIGCHLD, as some parents leave it to us, would take the child's exit status away.
  ::signal(SIGCHLD, SIG_DFL);
  sigset_t set;
  sigemptyset(&set);
  for (const int number : kForwarded) sigaddset(&set, number);
  sigaddset(&set, SIGCHLD);
  signals_ = Descriptor(::signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK));
  // Blocked and never read: a reader of our output that went away is an error of write(), and no end of ours.
  sigaddset(&set, SIGPIPE);
  ::sigprocmask(SIG_BLOCK, &set, &original_);
}

bool SignalForwarder::forward(pid_t child) const {
  bool child_changed = false;
  signalfd_siginfo info{};
  while (::read(signals_.get(), &info, sizeof(info)) == static_cast<ssize_t>(sizeof(info))) {
    if (info.ssi_signo == static_cast<std::uint32_t>(SIGCHLD)) {
      child_changed = true;
    } else if (info.ssi_code != SI_KERNEL) {
      ::kill(child, static_cast<int>(info.ssi_signo));
    }
  }
  return child_changed;
}

std::variant<Child, int> Child::run(std::span<char* const> command, const SignalForwarder& signals) {
  std::array<Descriptor, 2> read_ends;
  std::array<Descriptor, 2> write_ends;
  SpawnSetup setup;
  for (std::size_t i = 0; i < 2; ++i) {
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) != 0) return errno;
    read_ends[i] = Descriptor(ends[0]);
    write_ends[i] = Descriptor(ends[1]);
    // The two ends have status flags of their own: the child's writes go on blocking.
    ::fcntl(ends[0], F_SETFL, O_NONBLOCK);
    ::posix_spawn_file_actions_adddup2(&setup.files, ends[1], i == 0 ? STDOUT_FILENO : STDERR_FILENO);
  }
  ::posix_spawnattr_setsigmask(&setup.attributes, &signals.original_mask());
  ::posix_spawnattr_setflags(&setup.attributes, POSIX_SPAWN_SETSIGMASK);
  Child child;
  const int error =
      ::posix_spawnp(&child.pid, command[0], &setup.files, &setup.attributes, command.data(), environ);
  if (error != 0) return error;
  child.output = std::move(read_ends);
  return child;
}

std::optional<int> Child::ended() const {
  int status = 0;
  pid_t found = 0;
  do {
    found = ::waitpid(pid, &status, WNOHANG);
  } while (found < 0 && errno == EINTR);
  if (found != pid) return std::nullopt;
  return status;
}

}  // namespace shmring::tools
