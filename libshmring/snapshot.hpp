// SPDX-License-Identifier: Apache-2.0
// A look at what the ring holds without taking it: for dump, tap and recover. Takes no pins, changes nothing.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>

#include "libshmring/reader.hpp"
#include "libshmring/ring_file.hpp"

namespace shmring {

/// Copies the committed, not yet exported records of one block; with `from_count`, only those behind that number of records ever (what tap has
/// shown already). nullopt: nothing there, or the block changed its life while it was copied (then it was being recycled).
std::optional<Slice> peek(const RingFile& ring, std::uint32_t block,
                          std::optional<std::uint64_t> from_count = std::nullopt);

/// Everything that the ring holds, oldest block first.
void peek_all(const RingFile& ring, const std::function<void(Slice&&)>& sink);

}  // namespace shmring
