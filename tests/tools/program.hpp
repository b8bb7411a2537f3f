// SPDX-License-Identifier: Apache-2.0
// Runs programs as a shell would, and gives tests a folder for their rings.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

namespace shmring::tools::test {

/// A deadline for things that come sooner or later: reached only when they never do.
inline constexpr std::chrono::seconds kGenerous{60};

struct Ended {
  int exit_code = -1;  // 128 + n by signal n
  std::string out;
  std::string err;
};

/// A program that runs, with its output going to files.
class Program {
 public:
  /// `input` is its standard input.
  explicit Program(const std::vector<std::string>& command, const std::string& input = {});
  Program(const Program&) = delete;
  Program& operator=(const Program&) = delete;
  /// Ends it by SIGKILL when it still runs.
  ~Program();

  pid_t pid() const noexcept { return pid_; }
  void signal(int number) const;
  /// What it has written to standard output so far.
  std::string out_so_far() const;
  Ended wait();

 private:
  std::filesystem::path folder_;
  pid_t pid_ = -1;
};

/// Runs the `shmring` command to its end.
Ended shmring(std::vector<std::string> arguments, const std::string& input = {});

/// True as soon as the condition is; false after a generous deadline.
bool eventually(const std::function<bool()>& condition);

/// A folder in shared memory, with what is in it removed at the end.
class Folder {
 public:
  Folder();
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  ~Folder();

  std::string operator/(const std::string& name) const { return path_ / name; }

 private:
  std::filesystem::path path_;
};

/// A small ring in a folder of its own.
class TestRing {
 public:
  explicit TestRing(std::vector<std::string> options = {"--size", "256KiB", "--writers", "16"});
  const std::string& path() const noexcept { return path_; }
  std::string file(const std::string& name) const { return folder_ / name; }

 private:
  Folder folder_;
  std::string path_;
};

std::string content(const std::filesystem::path& file);
std::vector<std::string> lines(const std::string& text);

}  // namespace shmring::tools::test
