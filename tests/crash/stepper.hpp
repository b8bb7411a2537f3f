// SPDX-License-Identifier: Apache-2.0
// A child that runs one machine instruction at a time (ptrace), and the memory that it would leave behind if it died now.
#pragma once

#include <sched.h>
#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "libshmring/ring_file.hpp"

namespace shmring::testing {

/// A forked child. `prepare` runs at full speed; then the child stands still, and `work` goes on by step() only. Its one
/// thread is stepped; threads that it makes run on untraced. Killed and waited for when it goes out of scope.
class Tracee {
 public:
  Tracee(const std::function<void()>& prepare, const std::function<void()>& work);
  Tracee(const Tracee&) = delete;
  Tracee& operator=(const Tracee&) = delete;
  ~Tracee();

  pid_t pid() const noexcept { return pid_; }

  /// One instruction (a system call is one). False: `work` has returned, or the thread is about to end.
  bool step();

  /// At full speed to the beginning or the end of a system call, whichever is next. False: as step().
  bool to_system_call();

  /// Why the child stopped for good other than by what step() says; empty: it did not.
  const std::string& mishap() const noexcept { return mishap_; }

  /// The instruction that comes next: its function and offset, where the symbols tell.
  std::string place() const;

  /// Kills it here and waits, so that everything that the kernel does at its end is done.
  void kill() noexcept;

  /// Addresses, in the child's memory, of the futex words at which the kernel would look if the child's thread ended now:
  /// those on its robust list, and the one that it is about to put there or take away (get_robust_list(2)).
  struct RobustWord {
    std::uint64_t address = 0;
    bool pending = false;
  };
  std::vector<RobustWord> robust_words() const;

  /// Where the child has mapped a file, as it is now. Several mappings are possible.
  struct Mapping {
    std::uint64_t begin = 0;
    std::uint64_t end = 0;
    std::uint64_t offset = 0;  // in the file
  };
  std::vector<Mapping> mappings_of(const FileKey& file) const;

 private:
  bool wait_for_stop();
  bool resume(int how, int expected_stop);

  pid_t pid_ = -1;
  int stop_signal_ = 0;
  cpu_set_t processors_before_{};  // of the tracer
  std::string mishap_;
};

/// The bytes of `ring` as they would be after the tracee's death at this instant: the kernel marks the futex words of the
/// mutexes that it holds, and /proc knows its thread id no longer.
std::vector<std::byte> bytes_after_death(const RingFile& ring, const Tracee& tracee);

/// A thread id that no thread has: stands for one that has ended.
inline constexpr std::uint32_t kNobodysTid = 0x3FFFFF;

}  // namespace shmring::testing
