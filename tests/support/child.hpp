// SPDX-License-Identifier: Apache-2.0
// Child processes of a test: forked to do one thing, and always waited for.
#pragma once

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <string>
#include <utility>

namespace shmring::testing {

/// How a child ended, as wait() told.
struct Ended {
  int status = 0;

  bool with(int code) const noexcept { return WIFEXITED(status) && WEXITSTATUS(status) == code; }
  bool by(int signal) const noexcept { return WIFSIGNALED(status) && WTERMSIG(status) == signal; }
  std::string text() const {
    if (WIFEXITED(status)) return "exit code " + std::to_string(WEXITSTATUS(status));
    if (WIFSIGNALED(status)) return "signal " + std::to_string(WTERMSIG(status));
    return "status " + std::to_string(status);
  }
};

/// A forked child. Killed and waited for when the test leaves its scope. Move-only.
class Child {
 public:
  Child() noexcept = default;
  explicit Child(pid_t pid) noexcept : pid_(pid) {}

  /// Forks; the child does `work` and ends by _exit with what it returns.
  template <typename Work>
  static Child forked(Work&& work) {
    std::fflush(nullptr);  // or the child writes what we had buffered a second time
    const pid_t pid = ::fork();
    if (pid == 0) ::_exit(std::forward<Work>(work)());
    return Child(pid);
  }

  Child(Child&& other) noexcept : pid_(std::exchange(other.pid_, -1)) {}
  Child& operator=(Child&& other) noexcept {
    std::swap(pid_, other.pid_);
    return *this;
  }
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;
  ~Child() {
    if (pid_ <= 0) return;
    ::kill(pid_, SIGKILL);
    static_cast<void>(wait());
  }

  bool started() const noexcept { return pid_ > 0; }
  pid_t pid() const noexcept { return pid_; }
  void signal(int number) const noexcept { ::kill(pid_, number); }

  Ended wait() noexcept {
    Ended ended;
    while (::waitpid(pid_, &ended.status, 0) < 0 && errno == EINTR) {
    }
    pid_ = -1;
    return ended;
  }

  /// Waits until it has ended and leaves it a zombie.
  void wait_for_zombie() const noexcept {
    siginfo_t info{};
    while (::waitid(P_PID, static_cast<id_t>(pid_), &info, WEXITED | WNOWAIT) < 0 && errno == EINTR) {
    }
  }

  /// Waits until a SIGSTOP has taken effect.
  void wait_until_stopped() const noexcept {
    siginfo_t info{};
    while (::waitid(P_PID, static_cast<id_t>(pid_), &info, WSTOPPED) < 0 && errno == EINTR) {
    }
  }

 private:
  pid_t pid_ = -1;
};

/// Forks, does `work` in the child, waits.
template <typename Work>
Ended in_child(Work&& work) {
  return Child::forked(std::forward<Work>(work)).wait();
}

}  // namespace shmring::testing
