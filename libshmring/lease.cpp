// SPDX-License-Identifier: Apache-2.0
// Who may drain a ring.
#include "libshmring/lease.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <string>
#include <utility>

#include "libshmring/liveness.hpp"
#include "libshmring/system.hpp"

namespace shmring {
namespace {

// The first byte of the file stands for the lease; nobody locks anything else.
struct flock lease_range(short type) noexcept {
  struct flock range {};
  range.l_type = type;
  range.l_whence = SEEK_SET;
  range.l_start = 0;
  range.l_len = 1;
  return range;
}

}  // namespace

Result<Lease> Lease::try_take(const RingFile& ring) {
  // A description of its own: a lock belongs to it, and ends with its last descriptor.
  const std::string self = "/proc/self/fd/" + std::to_string(ring.fd());
  UniqueFd fd(::open(self.c_str(), O_RDWR | O_CLOEXEC));
  if (!fd.valid()) return system_error("open again, for the lease, the ring", ring.path(), errno);
  struct flock range = lease_range(F_WRLCK);
  if (::fcntl(fd.get(), F_OFD_SETLK, &range) != 0) {
    if (errno != EAGAIN && errno != EACCES) return system_error("lock the lease of", ring.path(), errno);
    const std::uint32_t pid =
        ring.header().flusher_pid.load(std::memory_order_relaxed);  // relaxed: for a message
    return Error{ErrorCode::kBusy, "another flusher (pid " + std::to_string(pid) + ") holds the lease of " +
                                       ring.path().string()};
  }
  RingHeader& header = ring.header();
  const std::uint64_t epoch = header.epoch.fetch_add(1, std::memory_order_acq_rel) + 1;  // P11
  header.flusher_pid_namespace.store(pid_namespace(),
                                     std::memory_order_relaxed);  // relaxed: all of these are for people
  header.flusher_started_ns.store(boottime_ns(), std::memory_order_relaxed);  // relaxed: likewise
  header.heartbeat_ns.store(boottime_ns(), std::memory_order_relaxed);        // relaxed: likewise
  header.flusher_pid.store(static_cast<std::uint32_t>(::getpid()),
                           std::memory_order_relaxed);  // relaxed: likewise
  return Lease(ring, fd.release(), epoch);
}

Lease::Lease(Lease&& other) noexcept
    : header_(other.header_), fd_(std::exchange(other.fd_, -1)), epoch_(other.epoch_) {}

Lease& Lease::operator=(Lease&& other) noexcept {
  std::swap(header_, other.header_);
  std::swap(fd_, other.fd_);
  std::swap(epoch_, other.epoch_);
  return *this;
}

Lease::~Lease() {
  if (fd_ < 0) return;
  if (header_->epoch.load(std::memory_order_acquire) == epoch_) {  // P11
    header_->flusher_pid.store(0, std::memory_order_relaxed);      // relaxed: for people
  }
  ::close(fd_);
}

Result<LeaseState> lease_state(const RingFile& ring) {
  struct flock range = lease_range(F_WRLCK);
  if (::fcntl(ring.fd(), F_OFD_GETLK, &range) != 0)
    return system_error("ask for the lease of", ring.path(), errno);
  return range.l_type == F_UNLCK ? LeaseState::kFree : LeaseState::kHeld;
}

}  // namespace shmring
