// SPDX-License-Identifier: Apache-2.0
// Instrumentation scopes as a block holds them: encoded, and never more than a sixteenth of it.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace shmring {

constexpr std::size_t scope_limit(std::size_t block_bytes) noexcept { return block_bytes / 16; }

/// An encoded InstrumentationScope of at most `limit` bytes: a longer name, then version, is cut at a UTF-8 boundary. Empty when both are.
std::string encode_scope_within(std::string_view name, std::string_view version, std::size_t limit);

}  // namespace shmring
