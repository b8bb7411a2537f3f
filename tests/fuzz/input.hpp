// SPDX-License-Identifier: Apache-2.0
// Reads numbers off a fuzzer's input; behind its end all of them are zero.
#pragma once

#include <algorithm>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>

namespace shmring::fuzz {

class Input {
 public:
  Input(const std::uint8_t* data, std::size_t size) : bytes_(std::as_bytes(std::span(data, size))) {}

  bool is_at_end() const noexcept { return bytes_.empty(); }

  template <std::unsigned_integral T>
  T take() noexcept {
    T value = 0;
    const std::size_t size = std::min(sizeof(T), bytes_.size());
    if (size > 0) std::memcpy(&value, bytes_.data(), size);
    bytes_ = bytes_.subspan(size);
    return value;
  }
  std::span<const std::byte> rest() const noexcept { return bytes_; }

 private:
  std::span<const std::byte> bytes_;
};

}  // namespace shmring::fuzz
