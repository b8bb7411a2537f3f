// SPDX-License-Identifier: Apache-2.0
// Compresses a request body, and unpacks an answer.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace shmring::flusher {

/// gzip format. nullopt: out of memory.
std::optional<std::string> gzip(std::string_view bytes);

/// Of gzip or zlib format. nullopt: it is neither, is not whole, or becomes more than `most` bytes, which then are not made.
std::optional<std::string> unpacked(std::string_view bytes, std::size_t most);

}  // namespace shmring::flusher
