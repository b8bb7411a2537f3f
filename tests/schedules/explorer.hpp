// SPDX-License-Identifier: Apache-2.0
// Every schedule of two actors with at most so many preemptions and at most one death, depth first.
//
// Two schedules that differ only in the order of neighbouring accesses which do not conflict (other words, or two reads) are one
// run of the ring: the second is left out. So is a death right after a read, since a death before it leaves the same bytes.
// With Reduce::kNo everything is played.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <unordered_set>
#include <utility>
#include <vector>

#include "tests/schedules/schedule.hpp"

namespace shmring::testing {

enum class Reduce : std::uint8_t { kYes, kNo };

struct Limits {
  unsigned preemptions = 2;
  unsigned preemptions_with_death = 1;
  double seconds = 0;  // of processor time for those with as many preemptions as are allowed; 0: no end
  Reduce reduce = Reduce::kYes;
};

struct Explored {
  std::uint32_t accesses[kActors] = {};      // of each, undisturbed and first
  std::vector<std::uint64_t> without_death;  // schedules played, by preemptions
  std::vector<std::uint64_t> with_death;
  std::uint64_t left_out = 0;  // found equal to another before it was played: sub-trees count once
  std::unordered_set<std::uint64_t> outcomes;
  std::uint64_t failures = 0;
  Schedule first_failure;
  std::string first_problems;
  bool complete = true;
  double seconds = 0;  // of processor time
};

class Explorer {
 public:
  using Play = std::function<Played(const Schedule&)>;
  using MaySeeADeath = std::function<bool(const Touch&)>;

  Explorer(Play play, MaySeeADeath may_see_a_death, const Limits& limits)
      : play_(std::move(play)), may_see_a_death_(std::move(may_see_a_death)), limits_(limits) {}

  Explored run();

 private:
  /// What an actor did in one turn.
  struct Trace {
    std::uint32_t first = 0;
    std::vector<Touch> accesses;

    std::uint32_t last() const noexcept { return first + static_cast<std::uint32_t>(accesses.size()); }
    const Touch& at(std::uint32_t index) const noexcept { return accesses[index - first]; }
  };
  /// Of a turn: stops and deaths up to this access lead to what another schedule has led to.
  struct Covered {
    std::int64_t stops = -1;
    std::int64_t deaths = -1;
  };

  /// The actor goes on after these turns. Returns what it does when nobody stops it.
  Trace explore(const Schedule& turns, unsigned actor, const Covered& covered);
  void stop_everywhere(const Schedule& turns, unsigned actor, const Trace& trace, std::int64_t covered);
  void die_everywhere(const Schedule& turns, unsigned actor, const Trace& trace, std::int64_t covered);
  Covered covered_by_sibling(const Touch& between, const Trace& others) const;
  Played play(const Schedule& schedule);
  bool enough();

  Play play_;
  MaySeeADeath may_see_a_death_;
  Limits limits_;
  Explored explored_;
  unsigned level_ = 0;  // preemptions of the schedules that are played for their own sake now
};

}  // namespace shmring::testing
