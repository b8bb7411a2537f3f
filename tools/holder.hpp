// SPDX-License-Identifier: Apache-2.0
// The process that holds the flusher's lease, proven to be it, so that a signal hits no other.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <string>
#include <variant>

#include "libshmring/ring_file.hpp"
#include "tools/descriptor.hpp"
#include "tools/flusher_view.hpp"

namespace shmring::tools {

/// A process that cannot be mistaken for another, even when its pid is used again.
class Holder {
 public:
  /// The holder, or why it cannot be proven, with what to do instead. Proven is: the header's pid is of our pid namespace,
  /// its process began before the lease was taken, and the kernel lists the lock on the ring among its open files.
  static std::variant<Holder, std::string> prove(const RingFile& ring, const FlusherView& view);

  pid_t pid() const noexcept { return pid_; }
  /// False with errno set.
  bool signal(int number) const noexcept;
  /// Whether the process has ended within the timeout.
  bool wait_for_end(std::chrono::milliseconds timeout) const noexcept;

 private:
  Holder(pid_t pid, Descriptor process) noexcept : pid_(pid), process_(std::move(process)) {}
  pid_t pid_;
  Descriptor process_;  // a pidfd
};

/// When the process began, CLOCK_BOOTTIME, from the text of /proc/<pid>/stat; 0 when that is not what it should be.
std::uint64_t start_ns_of_stat(const std::string& stat, long ticks_per_second);

/// Whether a text of /proc/<pid>/fdinfo/<fd> lists an OFD write lock on that inode.
bool lists_ofd_lock(const std::string& fdinfo, std::uint64_t inode);

}  // namespace shmring::tools
