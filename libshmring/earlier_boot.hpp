// SPDX-License-Identifier: Apache-2.0
// Rings that survived a reboot: never initialised again, but set aside under another name, drained, removed.
#pragma once

#include <filesystem>
#include <vector>

#include "libshmring/ring_file.hpp"
#include "shmring/result.hpp"

namespace shmring {

/// The name under which such a ring waits for the flusher: <path>.boot-<eight digits of its boot id>.
std::filesystem::path earlier_boot_path(const RingFile& ring);

/// Makes way for a new ring: renames the file, unless somebody else has done so or is doing it at this moment.
/// REQUIRES: ring.of_an_earlier_boot().
Result<void> set_aside(const RingFile& ring);

/// The files beside `path` that were set aside, in the order of their names.
std::vector<std::filesystem::path> rings_set_aside(const std::filesystem::path& path);

}  // namespace shmring
