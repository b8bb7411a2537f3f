// SPDX-License-Identifier: Apache-2.0
// The enumeration itself, on toys whose schedules can be counted by hand.
#include "tests/schedules/explorer.hpp"

#include <gtest/gtest.h>

#include <functional>
#include <map>
#include <set>

namespace shmring::testing {
namespace {

/// Each actor is a list of steps on a few words; a step is an access and what it does.
struct Step {
  std::uint32_t word;
  Does does;
  std::function<void(std::map<std::uint32_t, int>&)> act = [](auto&) {};
};
using Program = std::vector<Step>;

class Toy {
 public:
  Toy(Program a, Program b) : programs_{std::move(a), std::move(b)} {}

  Played play(const Schedule& schedule) {
    Played played;
    std::map<std::uint32_t, int> words;
    std::uint32_t at[kActors] = {};
    bool over[kActors] = {};
    const auto take = [&](const Turn& turn) {
      const Program& program = programs_[turn.actor];
      const std::uint32_t first = at[turn.actor];
      while (at[turn.actor] < program.size() && at[turn.actor] < turn.until) {
        const Step& step = program[at[turn.actor]++];
        step.act(words);
        played.accesses[turn.actor].push_back({.offset = step.word * 8, .size = 8, .does = step.does});
      }
      over[turn.actor] = turn.dies || turn.until == kToItsEnd;
      played.turns.push_back({turn.actor, first, at[turn.actor]});
    };
    for (const Turn& turn : schedule) take(turn);
    const unsigned last = schedule.back().actor;
    for (const unsigned actor : {1 - last, last}) {
      if (!over[actor]) take({.actor = actor});
    }
    for (const auto& [word, value] : words)
      played.outcome = played.outcome * 31 + static_cast<unsigned>(value);
    if (wrong && wrong(words)) played.problems = "wrong";
    seen.insert(written(schedule));
    return played;
  }

  Explored explore(const Limits& limits) {
    return Explorer([this](const Schedule& schedule) { return play(schedule); },
                    [](const Touch&) { return false; }, limits)
        .run();
  }

  std::function<bool(std::map<std::uint32_t, int>&)> wrong;
  std::set<std::string> seen;

 private:
  Program programs_[kActors];
};

/// Steps that all touch word 0, so that no two schedules are equal.
Program writes(std::size_t count, int actor) {
  return Program(count, Step{.word = 0, .does = Does::kWrite, .act = [actor](auto& words) {
                               words[0] = (words[0] * 7 + actor) % 100'003;
                             }});
}

constexpr std::uint32_t kDone = 9;

/// word 0 += 1, by a load and a store.
Program increments(std::uint32_t place) {
  return {{.word = 0, .does = Does::kRead, .act = [place](auto& words) { words[place] = words[0]; }},
          {.word = 0, .does = Does::kWrite, .act = [place](auto& words) {
             words[0] = words[place] + 1, ++words[kDone];
           }}};
}

TEST(Explorer, PlaysEveryScheduleOnce) {
  constexpr std::uint64_t kA = 5;
  constexpr std::uint64_t kB = 7;
  Toy toy(writes(kA, 1), writes(kB, 2));
  const Explored found = toy.explore({.preemptions = 2, .preemptions_with_death = 1, .reduce = Reduce::kNo});
  // One preemption: behind each access but the last. Two: each of those of the first, each of those of the other.
  EXPECT_EQ(found.without_death,
            (std::vector<std::uint64_t>{2, (kA - 1) + (kB - 1), 2 * (kA - 1) * (kB - 1)}));
  // Nobody preempted: of two orders, in each an actor dies before one of its accesses or behind the last.
  EXPECT_EQ(found.with_death[0], 2 * (kA + 1) + 2 * (kB + 1));
  // a is stopped before its access k; then b dies anywhere, or a does at or behind k. And the other way round.
  std::uint64_t once = 0;
  for (std::uint64_t k = 1; k < kA; ++k) once += (kB + 1) + (kA - k + 1);
  for (std::uint64_t k = 1; k < kB; ++k) once += (kA + 1) + (kB - k + 1);
  EXPECT_EQ(found.with_death[1], once);
  EXPECT_TRUE(found.complete);
  std::uint64_t played = 0;
  for (const auto& counts : {found.without_death, found.with_death}) {
    for (const std::uint64_t count : counts) played += count;
  }
  EXPECT_EQ(toy.seen.size(), played);
}

TEST(Explorer, FindsALostUpdate) {
  Toy toy(increments(1), increments(2));
  toy.wrong = [](auto& words) { return words[kDone] == 2 && words[0] != 2; };
  const Explored found = toy.explore({.preemptions = 1, .preemptions_with_death = 0});
  EXPECT_EQ(found.failures, 2U);
  EXPECT_EQ(written(found.first_failure), "a1,b");
}

TEST(Explorer, LeavesOutOrdersOfAccessesThatDoNotConflict) {
  Program a;
  Program b;
  for (std::uint32_t n = 0; n < 6; ++n) {
    a.push_back({.word = 10 + n, .does = Does::kWrite});
    b.push_back({.word = 20 + n, .does = Does::kWrite});
  }
  for (const Step& step : increments(1)) a.insert(a.begin() + 3, step);
  for (const Step& step : increments(2)) b.insert(b.begin() + 2, step);
  const Limits limits{.preemptions = 2, .preemptions_with_death = 2};
  const Explored reduced = Toy(a, b).explore(limits);
  Limits all_of_them = limits;
  all_of_them.reduce = Reduce::kNo;
  const Explored all = Toy(a, b).explore(all_of_them);
  EXPECT_EQ(reduced.outcomes, all.outcomes);
  EXPECT_LT(reduced.without_death[2], all.without_death[2] / 4);
}

TEST(Explorer, ADeathBehindAReadIsTheDeathBeforeIt) {
  const Program reads(8, Step{.word = 0, .does = Does::kRead});
  const Explored found = Toy(reads, {}).explore({.preemptions = 0, .preemptions_with_death = 0});
  EXPECT_EQ(found.with_death[0], 2U + 2U);  // each actor once, in two orders
}

TEST(Schedule, IsReadAsItIsWritten) {
  for (const char* text : {"a", "a12,b7,a30x", "b0x,a", "ax"}) {
    const auto schedule = read_schedule(text);
    ASSERT_TRUE(schedule) << text;
    EXPECT_EQ(written(*schedule), text);
  }
  for (const char* text : {"", "c1", "a1,", "a-1", "a1y"}) EXPECT_FALSE(read_schedule(text)) << text;
}

}  // namespace
}  // namespace shmring::testing
