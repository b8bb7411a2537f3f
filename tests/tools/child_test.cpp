// SPDX-License-Identifier: Apache-2.0
// How a program's end becomes an exit code.
#include "tools/child.hpp"

#include <gtest/gtest.h>

#include <cerrno>

namespace shmring::tools {
namespace {

TEST(ShellExitCode, IsTheCodeOr128AndTheSignal) {
  EXPECT_EQ(shell_exit_code(0), 0);
  EXPECT_EQ(shell_exit_code(7 << 8), 7);
  EXPECT_EQ(shell_exit_code(SIGTERM), 143);
  EXPECT_EQ(shell_exit_code(SIGSEGV | 0x80), 139) << "with a core";
}

TEST(ShellExitCode, TellsWhatIsNotThereFromWhatCannotRun) {
  EXPECT_EQ(shell_exit_code_of_exec_error(ENOENT), 127);
  EXPECT_EQ(shell_exit_code_of_exec_error(EACCES), 126);
  EXPECT_EQ(shell_exit_code_of_exec_error(ENOEXEC), 126);
}

}  // namespace
}  // namespace shmring::tools
