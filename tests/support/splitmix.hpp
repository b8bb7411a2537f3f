// SPDX-License-Identifier: Apache-2.0
// Random numbers that are the same for the same seed, on every machine.
#pragma once

#include <cstdint>

namespace shmring::testing {

/// Sebastiano Vigna's splitmix64.
constexpr std::uint64_t mixed(std::uint64_t value) noexcept {
  value += 0x9E3779B97F4A7C15U;
  value = (value ^ (value >> 30U)) * 0xBF58476D1CE4E5B9U;
  value = (value ^ (value >> 27U)) * 0x94D049BB133111EBU;
  return value ^ (value >> 31U);
}

class SplitMix {
 public:
  explicit constexpr SplitMix(std::uint64_t seed) noexcept : state_(seed) {}
  constexpr std::uint64_t bits() noexcept { return mixed(state_++); }
  constexpr std::uint64_t below(std::uint64_t limit) noexcept { return bits() % limit; }
  constexpr bool one_in(std::uint64_t count) noexcept { return below(count) == 0; }

 private:
  std::uint64_t state_;
};

}  // namespace shmring::testing
