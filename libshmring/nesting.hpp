// SPDX-License-Identifier: Apache-2.0
// Levels of emits that interrupt each other (R20).
#pragma once

#include <cstdint>

#include "shmring/writer.hpp"

namespace shmring {

/// Enters the lowest level that nobody works on: the thread's own emit takes the first, a handler that interrupted it the second.
/// A level whose emit was left by longjmp counts as free where that can be told. nullptr: all are taken. Async-signal-safe.
[[gnu::hot]] WriterLevel* enter_level(WriterState& state, std::uintptr_t frame) noexcept;

inline void leave_level(WriterLevel& level) noexcept {
  level.busy.store(WriterLevel::kFree, std::memory_order_release);  // P12
}

/// Which of its levels it is: 0 is the outermost.
inline std::uint32_t number_of(const WriterState& state, const WriterLevel& level) noexcept {
  return static_cast<std::uint32_t>(&level - state.levels);
}

/// Whether this thread runs on its alternate signal stack: then it is in a handler.
[[gnu::hot]] bool on_alternate_stack() noexcept;

}  // namespace shmring
