// SPDX-License-Identifier: Apache-2.0
// A program run with its output in our hands, and our signals in its.
#pragma once

#include <signal.h>
#include <sys/types.h>

#include <array>
#include <optional>
#include <span>
#include <variant>

#include "tools/descriptor.hpp"

namespace shmring::tools {

/// As a shell says how a command ended: its exit code; 128 + n by signal n; 127 not found, 126 not executable.
int shell_exit_code(int wait_status) noexcept;
int shell_exit_code_of_exec_error(int error) noexcept;

/// Blocks the signals that are to be forwarded, SIGCHLD and SIGPIPE, as long as it lives in a process that runs a child.
class SignalForwarder {
 public:
  SignalForwarder();

  int fd() const noexcept { return signals_.get(); }
  /// Reads what came. Forwards it to the child, but for what the terminal's driver sent: that went to the child as well,
  /// which is in the same process group. True: SIGCHLD was among it.
  bool forward(pid_t child) const;
  /// The signal mask before; the child's.
  const sigset_t& original_mask() const noexcept { return original_; }

 private:
  sigset_t original_;
  Descriptor signals_;
};

struct Child {
  pid_t pid = -1;
  std::array<Descriptor, 2> output;  // read ends: standard output, standard error

  /// The child, or the errno that kept it from being run. REQUIRES: command is null-terminated, not empty.
  static std::variant<Child, int> run(std::span<char* const> command, const SignalForwarder& signals);

  /// Its wait status, if it has ended.
  std::optional<int> ended() const;
};

}  // namespace shmring::tools
