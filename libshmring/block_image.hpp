// SPDX-License-Identifier: Apache-2.0
// A block as it was found in a file: its descriptor's words and its bytes, and the records that can be had from them.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "libshmring/reader.hpp"
#include "shmring/layout.hpp"

namespace shmring {

/// The words of a descriptor that recovery needs, out of its bytes.
struct BlockWords {
  StateWord state;
  CommittedWord committed;
  ExportedWord exported;
  std::uint64_t ticket = 0;
  bool outcomes_fit = false;   // the valid set adds up to exported.count (I5)
  bool reserved_zero = false;  // what nobody writes is zero

  static BlockWords of(std::span<const std::byte, sizeof(BlockDescriptor)> bytes) noexcept;

  std::uint64_t promised() const noexcept { return (committed.count() - exported.count) & kCountMask; }
  /// Whether there may be something: all but a free block that is one by all its words.
  bool may_hold_records() const noexcept;
};

/// What of a block is wanted.
enum class Take : std::uint8_t {
  kPending,  // what did not leave it
  kAll,      // also what did, as far as its bytes are still there
};

struct Salvaged {
  std::optional<Slice> slice;  // records whose framing is whole: what could not be read is cut out
  bool doubtful =
      false;  // the words contradict the bytes: some of them may have left, or never been committed
  std::uint64_t missing = 0;       // records that were committed, did not leave, and cannot be found
  std::uint64_t unread_bytes = 0;  // committed bytes that could not be read
  std::vector<std::string> wrong;  // sentences
};

/// Safe on any words and bytes. `bytes`: of the block, as far as the file has them. REQUIRES: no more than block_bytes of them.
Salvaged salvage(std::uint32_t index, const BlockWords& words, std::span<const std::byte> bytes,
                 std::uint32_t block_bytes, Take take);

/// Whether the bytes are just what the words say: the strongest sign that both belong together.
bool fits_exactly(const BlockWords& words, std::span<const std::byte> bytes) noexcept;

}  // namespace shmring
