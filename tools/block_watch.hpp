// SPDX-License-Identifier: Apache-2.0
// Sees what is new in a ring since the last look, without taking anything and without asking anybody to wait.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "libshmring/reader.hpp"
#include "libshmring/ring_file.hpp"

namespace shmring::tools {

/// One count for each block: how many of its records, ever, have been seen. What is committed, exported and recycled between
/// two looks is missed, and counted.
class BlockWatch {
 public:
  /// Starts behind what is there now. REQUIRES: the ring outlives this.
  explicit BlockWatch(const RingFile& ring);

  /// Gives every stretch of new records to the sink. Returns how many were missed since the last look.
  std::uint64_t look(const std::function<void(const Slice&)>& sink);

 private:
  std::uint64_t look_at(std::uint32_t block, const std::function<void(const Slice&)>& sink);

  const RingFile& ring_;
  std::vector<std::uint64_t> seen_;
};

/// How far `count` is ahead of `seen`, both modulo 2^40; 0 when it is behind.
std::uint64_t ahead(std::uint64_t count, std::uint64_t seen) noexcept;

}  // namespace shmring::tools
