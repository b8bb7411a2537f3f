// SPDX-License-Identifier: Apache-2.0
// Who may drain a ring: an OFD lock on a descriptor of its own, in a process that never forks. The kernel gives it up
// when its holder ends, however it ends.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>

#include "libshmring/ring_file.hpp"
#include "shmring/result.hpp"

namespace shmring {

/// Holds the flusher's lease of one ring. Move-only.
class Lease {
 public:
  /// kBusy: somebody else holds it (the message names the holder's pid as the header gives it).
  /// Raises the epoch, and writes the holder's identity for status.
  static Result<Lease> try_take(const RingFile& ring);

  Lease(Lease&& other) noexcept;
  Lease& operator=(Lease&& other) noexcept;
  Lease(const Lease&) = delete;
  Lease& operator=(const Lease&) = delete;
  ~Lease();  // gives the lease up: flusher_pid becomes 0

  /// Raised by every holder; the low bits tag what it changes.
  std::uint64_t epoch() const noexcept { return epoch_; }

 private:
  Lease(const RingFile& ring, int fd, std::uint64_t epoch)
      : header_(&ring.header()), fd_(fd), epoch_(epoch) {}
  RingHeader* header_ = nullptr;
  int fd_ = -1;
  std::uint64_t epoch_ = 0;
};

enum class LeaseState : std::uint8_t { kFree, kHeld };
/// Whether anybody holds the lease. Takes nothing.
Result<LeaseState> lease_state(const RingFile& ring);

}  // namespace shmring
