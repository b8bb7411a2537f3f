// SPDX-License-Identifier: Apache-2.0
// Children.
#include "bench/processes/children.hpp"

#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>

#include <cerrno>
#include <chrono>

namespace shmring::bench {

Child& Child::operator=(Child&& other) noexcept {
  std::swap(pid_, other.pid_);
  return *this;
}

Child::~Child() { kill(); }

Child Child::forked(const std::function<int()>& body) {
  const pid_t pid = ::fork();
  if (pid != 0) return Child(pid);
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  ::_exit(body());
}

void Child::send(int signal) const noexcept {
  if (pid_ > 0) ::kill(pid_, signal);
}

bool Child::wait() noexcept {
  if (pid_ <= 0) return false;
  int status = 0;
  while (::waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
  }
  pid_ = -1;
  return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

void Child::kill() noexcept {
  if (pid_ <= 0) return;
  send(SIGKILL);
  wait();
}

bool wait_until(const std::function<bool()>& condition, double seconds) {
  using Clock = std::chrono::steady_clock;
  const auto deadline = Clock::now() + std::chrono::duration<double>(seconds);
  const timespec pause{0, 200'000};
  while (!condition()) {
    if (Clock::now() > deadline) return false;
    ::nanosleep(&pause, nullptr);
  }
  return true;
}

}  // namespace shmring::bench
