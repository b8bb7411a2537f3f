// SPDX-License-Identifier: Apache-2.0
// The enumeration.
//
// Why leaving out is right. Let actor c stop before its access k+1 rather than k, and let the other, o, then take a turn. If
// access k of c conflicts with none of the accesses that o makes up to its stop, both orders are the same run; whatever follows, follows
// for both, with as many preemptions. A death writes the robust mutex of the dead: an access to the slots counts as conflicting with it.
// What the library keeps outside the ring belongs to one thread each, or never changes while a schedule is played.
#include "tests/schedules/explorer.hpp"

#include <time.h>

#include <algorithm>
#include <limits>

namespace shmring::testing {
namespace {

constexpr std::int64_t kAll = std::numeric_limits<std::int64_t>::max();
constexpr std::uint64_t kFailuresToStopAt = 20;

double processor_seconds() {
  timespec now{};
  ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) / 1e9;
}

Schedule with(Schedule turns, const Turn& turn) {
  turns.push_back(turn);
  return turns;
}

}  // namespace

Explored Explorer::run() {
  const double began = processor_seconds();
  limits_.seconds = limits_.seconds == 0 ? 0 : began + limits_.seconds;
  explored_.without_death.assign(limits_.preemptions + 1, 0);
  explored_.with_death.assign(limits_.preemptions + 1, 0);
  for (level_ = 0; level_ <= limits_.preemptions; ++level_) {
    for (unsigned actor = 0; actor < kActors; ++actor)
      explored_.accesses[actor] = explore({}, actor, {}).last();
  }
  explored_.seconds = processor_seconds() - began;
  return std::move(explored_);
}

Explorer::Trace Explorer::explore(const Schedule& turns, unsigned actor, const Covered& covered) {
  Played base = play(with(turns, {.actor = actor}));
  const auto trace_of = [&](const PlayedTurn& turn) {
    const auto& accesses = base.accesses[turn.actor];
    return Trace{turn.first, {accesses.begin() + turn.first, accesses.begin() + turn.last}};
  };
  Trace trace = trace_of(base.turns[turns.size()]);
  if (preemptions(turns) < level_) {
    stop_everywhere(turns, actor, trace, covered.stops);
    return trace;
  }
  if (level_ > limits_.preemptions_with_death) return trace;
  die_everywhere(turns, actor, trace, covered.deaths);
  if (base.turns.size() > turns.size() + 1) {
    const PlayedTurn& rest = base.turns[turns.size() + 1];
    die_everywhere(with(turns, {.actor = actor}), rest.actor, trace_of(rest), -1);
  }
  return trace;
}

void Explorer::stop_everywhere(const Schedule& turns, unsigned actor, const Trace& trace,
                               std::int64_t covered) {
  const unsigned other = 1 - actor;
  const bool others_deaths = preemptions(turns) + 1 == level_ && level_ <= limits_.preemptions_with_death;
  Trace sibling;  // what the other does after the stop before this one
  bool has_sibling = false;
  for (std::uint32_t at = trace.first + 1; at < trace.last() && !enough(); ++at) {
    if (static_cast<std::int64_t>(at) <= covered) {
      ++explored_.left_out;
      continue;
    }
    const Schedule stopped = with(turns, {.actor = actor, .until = at});
    const Covered same = has_sibling ? covered_by_sibling(trace.at(at - 1), sibling) : Covered{};
    if (same.stops != kAll) {
      sibling = explore(stopped, other, same);
      has_sibling = true;
      continue;
    }
    ++explored_.left_out;
    if (others_deaths && same.deaths != kAll) die_everywhere(stopped, other, sibling, same.deaths);
  }
}

Explorer::Covered Explorer::covered_by_sibling(const Touch& between, const Trace& others) const {
  if (limits_.reduce == Reduce::kNo) return {};
  Covered covered{.stops = kAll};
  for (std::uint32_t n = others.first; n < others.last() && covered.stops == kAll; ++n) {
    if (others.at(n).conflicts(between)) covered.stops = n;
  }
  covered.deaths = may_see_a_death_(between) ? -1 : covered.stops;
  return covered;
}

void Explorer::die_everywhere(const Schedule& turns, unsigned actor, const Trace& trace,
                              std::int64_t covered) {
  for (std::uint32_t at = trace.first; at <= trace.last() && !enough(); ++at) {
    const bool after_read =
        at > trace.first && trace.at(at - 1).does == Does::kRead && !trace.at(at - 1).learned;
    if (limits_.reduce == Reduce::kYes && (after_read || static_cast<std::int64_t>(at) <= covered)) {
      ++explored_.left_out;
      continue;
    }
    play(with(turns, {.actor = actor, .until = at == trace.last() ? kToItsEnd : at, .dies = true}));
  }
}

Played Explorer::play(const Schedule& schedule) {
  Played played = play_(schedule);
  const unsigned used = preemptions(schedule);
  if (used < level_) return played;  // on the way only: it was counted on its own level
  ++(has_death(schedule) ? explored_.with_death : explored_.without_death)[used];
  explored_.outcomes.insert(played.outcome);
  if (!played.problems.empty() && explored_.failures++ == 0) {
    explored_.first_failure = schedule;
    explored_.first_problems = played.problems;
  }
  return played;
}

bool Explorer::enough() {
  const bool late =
      level_ == limits_.preemptions && limits_.seconds != 0 && processor_seconds() > limits_.seconds;
  if (late || explored_.failures >= kFailuresToStopAt) explored_.complete = false;
  return !explored_.complete;
}

}  // namespace shmring::testing
