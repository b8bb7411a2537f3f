// SPDX-License-Identifier: Apache-2.0
// How much a test does: as much as it can where code runs at full speed, less under a sanitizer.
#pragma once

#include <cstdint>

namespace shmring::testing {

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
inline constexpr std::uint32_t kSlowdown = 10;
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
inline constexpr std::uint32_t kSlowdown = 10;
#else
inline constexpr std::uint32_t kSlowdown = 1;
#endif
#else
inline constexpr std::uint32_t kSlowdown = 1;
#endif

/// Repetitions that find more the more of them there are. Not for numbers that a promise names.
constexpr std::uint32_t scaled(std::uint32_t count) noexcept {
  return count < kSlowdown ? 1 : count / kSlowdown;
}

}  // namespace shmring::testing
