// SPDX-License-Identifier: Apache-2.0
// The program shmring-flusher as a child of a test: started, watched, ended.
#pragma once

#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "tests/support/eventually.hpp"
#include "tests/support/scratch_ring.hpp"

namespace shmring::testing {

class FlusherProcess {
 public:
  /// `program`: the path of shmring-flusher. `log`: where its output goes. Its environment is empty but for PATH, and for
  /// `variables` (NAME=VALUE).
  FlusherProcess(const std::string& program, std::vector<std::string> arguments, std::filesystem::path log,
                 std::vector<std::string> variables = {})
      : log_(std::move(log)) {
    arguments.insert(arguments.begin(), program);
    variables.emplace_back("PATH=/usr/bin:/bin");
    std::vector<char*> argv = pointers(arguments);
    std::vector<char*> environment = pointers(variables);
    pid_ = ::fork();
    if (pid_ < 0) give_up("fork failed");
    if (pid_ > 0) return;
    const int fd = ::open(log_.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600);
    ::dup2(fd, STDOUT_FILENO);
    ::dup2(fd, STDERR_FILENO);
    ::execve(program.c_str(), argv.data(), environment.data());
    ::_exit(127);
  }
  FlusherProcess(const FlusherProcess&) = delete;
  FlusherProcess& operator=(const FlusherProcess&) = delete;
  ~FlusherProcess() {
    if (pid_ <= 0) return;
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
  }

  pid_t pid() const noexcept { return pid_; }
  void signal(int number) const { ::kill(pid_, number); }

  /// Waits for its end. The exit code; 128 + n for signal n; nullopt: it did not end.
  std::optional<int> wait() {
    int status = 0;
    const bool ended = eventually([&] { return ::waitpid(pid_, &status, WNOHANG) == pid_; });
    if (!ended) return std::nullopt;
    pid_ = -1;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  }
  std::optional<int> stop(int number = SIGTERM) {
    signal(number);
    return wait();
  }

  std::string log_text() const {
    std::ifstream in(log_);
    return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
  }
  [[nodiscard]] bool says(const std::string& text) const {
    return eventually([&] { return log_text().find(text) != std::string::npos; });
  }

 private:
  static std::vector<char*> pointers(std::vector<std::string>& strings) {
    std::vector<char*> out;
    for (std::string& text : strings) out.push_back(text.data());
    out.push_back(nullptr);
    return out;
  }

  std::filesystem::path log_;
  pid_t pid_ = -1;
};

}  // namespace shmring::testing
