// SPDX-License-Identifier: Apache-2.0
// Where a ring's spool is: noted beside the ring, so that tools find it by the ring's path alone.
#pragma once

#include <filesystem>
#include <vector>

#include "shmring/result.hpp"

namespace shmring::spool {

/// DIR/.NAME.spools for the ring DIR/NAME.
std::filesystem::path note_path(const std::filesystem::path& ring);

/// Adds the folder, if it is not there yet. Before anything is handed over to it.
Result<void> note_spool(const std::filesystem::path& ring, const std::filesystem::path& folder);

/// Folders that ever took something from this ring, or from one before it at that path.
std::vector<std::filesystem::path> spools_of(const std::filesystem::path& ring);

}  // namespace shmring::spool
