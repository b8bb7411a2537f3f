// SPDX-License-Identifier: Apache-2.0
// Compresses a request body.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace shmring::flusher {

/// gzip format. nullopt: out of memory.
std::optional<std::string> gzip(std::string_view bytes);

}  // namespace shmring::flusher
