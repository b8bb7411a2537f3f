// SPDX-License-Identifier: Apache-2.0
// SIGTERM, SIGINT and SIGHUP as something to wait for.

#include "flusher/signals.hpp"

#include <sys/signalfd.h>
#include <unistd.h>
#include <csignal>

#include <cerrno>
#include <cstring>
#include <string>
#include <utility>

namespace shmring::flusher {

Result<Signals> Signals::block() {
  std::signal(SIGPIPE, SIG_IGN);
  sigset_t set;
  sigemptyset(&set);
  for (const int number : {SIGTERM, SIGINT, SIGHUP}) sigaddset(&set, number);
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
  const int fd = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
  if (fd < 0)
    return Error{ErrorCode::kSystem, std::string("cannot wait for signals: ") + std::strerror(errno)};
  return Signals(fd);
}

Signals::Signals(Signals&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}

Signals::~Signals() {
  if (fd_ >= 0) close(fd_);
}

std::optional<int> Signals::next() const noexcept {
  signalfd_siginfo info{};
  if (read(fd_, &info, sizeof info) != static_cast<ssize_t>(sizeof info)) return std::nullopt;
  return static_cast<int>(info.ssi_signo);
}

}  // namespace shmring::flusher
