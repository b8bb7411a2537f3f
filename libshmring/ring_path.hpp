// SPDX-License-Identifier: Apache-2.0
// Where rings live, and whether a place is fit for one.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

#include "shmring/result.hpp"

namespace shmring {

/// `path`, or the default path when it is empty.
std::filesystem::path resolve_ring_path(const std::filesystem::path& path);

/// Makes the default folder (mode 0700) when `path` lies in it; refuses it when it is not ours. Other folders must exist.
Result<void> prepare_folder(const std::filesystem::path& path);

/// Refuses network file systems, where a mapping is not shared between hosts. `fd`: the file or its folder.
Result<void> check_file_system(int fd, const std::string& path);

/// Whether the file system's pages are memory, charged to who allocates them.
bool is_memory_file_system(int fd) noexcept;

/// Bytes that this process's control group still allows; nullopt: no limit known.
std::optional<std::uint64_t> memory_headroom();

}  // namespace shmring
