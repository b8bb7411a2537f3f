// SPDX-License-Identifier: Apache-2.0
// Instrumentation scopes as a block holds them: encoded, and never more than a sixteenth of it.
#pragma once

#include <cstddef>
#include <string>

#include "shmring/ring.hpp"

namespace shmring {

constexpr std::size_t scope_limit(std::size_t block_bytes) noexcept { return block_bytes / 16; }

/// The payload of a scope record (layout.hpp), of at most `limit` bytes. Who is first keeps its room: name and version, of which the longer than that are cut
/// at a UTF-8 boundary; the schema URL, whole or not at all; attributes in their order, those that fit. Empty when the scope says nothing.
std::string encode_scope_within(const ScopeOptions& scope, std::size_t limit);

}  // namespace shmring
