// SPDX-License-Identifier: Apache-2.0
// For programs that look at a ring for long: a file that is cut short while it is mapped answers the next look at what is
// missing with SIGBUS. With a guard that page becomes an empty one, and the program lives on to say what happened.
#pragma once

#include <cstddef>

#include "libshmring/ring_file.hpp"

namespace shmring {

/// Not for producers: the library leaves signals alone. The first guard takes SIGBUS for the process; one that strikes
/// outside of guarded rings ends it as if there were none. Eight guards at a time; a ninth guards nothing.
class PageGuard {
 public:
  /// REQUIRES: `ring` stays where it is, and outlives the guard.
  explicit PageGuard(const RingFile& ring) noexcept;
  PageGuard(const PageGuard&) = delete;
  PageGuard& operator=(const PageGuard&) = delete;
  ~PageGuard();

  /// A page was missing, and reads as zeroes now: the ring can be trusted no longer.
  bool has_lost_pages() const noexcept;

 private:
  std::size_t index_;
};

}  // namespace shmring
