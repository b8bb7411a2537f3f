// SPDX-License-Identifier: Apache-2.0
// What a later slice of a block needs of what was handed out before: the context that holds where it begins, and no records.
// So a tick that finds one new record in an open block does not copy the whole block for the sake of its resource.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "libshmring/reader.hpp"

namespace shmring {

/// Context records behind each other, as they lay in the block.
class CarriedContext {
 public:
  /// All that are alive together hold at most so many bytes; a block for which none is left is copied whole.
  static constexpr std::uint64_t kMost = 4U << 20U;

  /// `total` counts the bytes of all of them, and outlives them.
  CarriedContext(std::vector<std::byte> records, std::uint32_t at, std::uint64_t& total)
      : records_(std::move(records)), at_(at), total_(total) {
    total_ += records_.size();
  }
  ~CarriedContext() { total_ -= records_.size(); }
  CarriedContext(const CarriedContext&) = delete;
  CarriedContext& operator=(const CarriedContext&) = delete;

  const std::vector<std::byte>& records() const noexcept { return records_; }
  /// The offset in the block at which it holds.
  std::uint32_t at() const noexcept { return at_; }

 private:
  std::vector<std::byte> records_;
  std::uint32_t at_;
  std::uint64_t& total_;
};

/// The context that holds at the end of a slice. nullptr: its framing is broken, or it takes too much memory.
std::unique_ptr<CarriedContext> context_behind(const Slice& slice, std::uint64_t& total);

}  // namespace shmring
