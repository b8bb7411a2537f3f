// SPDX-License-Identifier: Apache-2.0
// What two actors do in turns: accesses to a ring, and the schedules that say where one gives way to the other.
//
// A schedule is written as its turns: "a12,b7,a30x,b" lets a run until its access 12 is the next, then b until its
// access 7 is the next, then a until its access 30 is the next, where it dies; then b to its end. Accesses count from 0.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace shmring::testing {

inline constexpr unsigned kActors = 2;
inline constexpr std::uint32_t kToItsEnd = ~std::uint32_t{0};

enum class Does : std::uint8_t { kRead, kWrite };

/// One access to the mapping. Atomic read-modify-writes count as writes, also where they fail.
struct Touch {
  std::uint32_t offset = 0;  // in the ring's file
  std::uint32_t size = 0;
  Does does = Does::kRead;
  bool learned =
      false;  // before its next access the actor was told something that the oracle knows: an emit returned, say

  bool operator==(const Touch& other) const noexcept {
    return offset == other.offset && size == other.size && does == other.does;
  }
  /// Whether it matters which of the two comes first.
  bool conflicts(const Touch& other) const noexcept {
    if (does == Does::kRead && other.does == Does::kRead) return false;
    return offset < other.offset + other.size && other.offset < offset + size;
  }
};

struct Turn {
  unsigned actor = 0;
  std::uint32_t until = kToItsEnd;  // stands still before its access of this number
  bool dies = false;                // and dies there; with kToItsEnd: after its last access

  /// The other goes on although this actor could.
  bool preempts() const noexcept { return !dies && until != kToItsEnd; }
};

using Schedule = std::vector<Turn>;

inline unsigned preemptions(const Schedule& schedule) noexcept {
  unsigned sum = 0;
  for (const Turn& turn : schedule) sum += turn.preempts() ? 1 : 0;
  return sum;
}

inline bool has_death(const Schedule& schedule) noexcept {
  for (const Turn& turn : schedule) {
    if (turn.dies) return true;
  }
  return false;
}

std::string written(const Schedule& schedule);
std::optional<Schedule> read_schedule(std::string_view text);

/// A turn as it was taken: the accesses [first, last) of its actor.
struct PlayedTurn {
  unsigned actor = 0;
  std::uint32_t first = 0;
  std::uint32_t last = 0;
};

struct Played {
  std::vector<PlayedTurn> turns;
  std::array<std::vector<Touch>, kActors> accesses;
  std::uint64_t outcome = 0;  // a fingerprint of what the actors left behind
  std::string problems;       // empty: everything holds
};

}  // namespace shmring::testing
