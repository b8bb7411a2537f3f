// SPDX-License-Identifier: Apache-2.0
// Frees writer slots on the word of somebody who knows more than this machine can prove.
#pragma once

#include <cstdint>
#include <filesystem>
#include <span>

namespace shmring::tools {

/// Frees each of these slots whose holder is gone, or of whom nobody here can tell (R13); refuses those whose holder runs, and
/// vacant ones. Says of each what it did, and who it was. Gives an exit code.
int free_slots(const char* verb, const std::filesystem::path& ring, std::span<const std::uint32_t> slots);

}  // namespace shmring::tools
