// SPDX-License-Identifier: Apache-2.0
// Gets the committed records out of a ring's file that need not be fit to attach to: damaged, truncated, a copy, somebody
// else's, of another C library. Reads the file piece by piece; never maps it, never writes to it.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string_view>
#include <vector>

#include "libshmring/block_image.hpp"
#include "libshmring/fsck.hpp"
#include "libshmring/ring_file.hpp"
#include "shmring/result.hpp"

namespace shmring {

struct RecoverOptions {
  // What the caller knows better than the header; 0: nothing.
  std::uint32_t block_bytes = 0;
  std::uint32_t blocks = 0;
  std::uint32_t writers = 0;
  Take take = Take::kPending;
};

enum class SizesFrom : std::uint8_t { kHeader, kOptions, kSearch };

struct RecoverReport {
  Geometry geometry;
  SizesFrom sizes_from = SizesFrom::kHeader;
  std::vector<Finding> findings;   // header first, then blocks, oldest first
  std::uint64_t records = 0;       // given to the sink
  std::uint64_t doubtful = 0;      // of these: from blocks whose words contradict their bytes
  std::uint64_t missing = 0;       // committed, and not to be found
  std::uint64_t unread_bytes = 0;  // committed, and not to be read

  bool is_complete() const noexcept { return findings.empty() && missing == 0 && unread_bytes == 0; }
};

/// Gives the sink a slice per block with records, oldest block first; each can be walked to its end. Holds a block in memory
/// at a time, and 16 bytes for each block with records. An error: the file cannot be read, or no ring can be made out in it.
Result<RecoverReport> recover(const std::filesystem::path& path, const RecoverOptions& options,
                              const std::function<void(Slice&&)>& sink);

}  // namespace shmring
