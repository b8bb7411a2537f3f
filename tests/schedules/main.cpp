// SPDX-License-Identifier: Apache-2.0
// Plays the schedules of one scenario or of all, and prints what it did. Exit 1: something does not hold.
//
// usage: schedules --list
//        schedules [--scenario NAME] [--preemptions N] [--deaths N] [--seconds S] [--compare]
//        schedules --scenario NAME --schedule a12,b7,a30x
//
//   --preemptions N  at most (default 2)
//   --deaths N       preemptions in schedules in which one dies, at most (default 1)
//   --seconds S      of processor time and per scenario for those with most preemptions (default: until all are played)
//   --compare        plays everything once more without leaving anything out: the outcomes must be the same
#include <sched.h>
#include <signal.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <optional>
#include <string>

#include "tests/schedules/explorer.hpp"
#include "tests/schedules/scene.hpp"

namespace shmring::testing {
namespace {

constexpr unsigned kHangSeconds = 120;  // a schedule that takes longer hangs

struct Arguments {
  bool list = false;
  bool compare = false;
  std::string scenario;  // empty: all
  std::optional<Schedule> schedule;
  Limits limits;
};

[[noreturn]] void misused(const std::string& what) {
  std::fprintf(stderr, "schedules: %s (its source begins with its usage)\n", what.c_str());
  std::exit(2);
}

const Scenario& scenario_named(const std::string& name) {
  for (const Scenario& scenario : all_scenarios()) {
    if (name == scenario.name) return scenario;
  }
  misused("there is no scenario " + name);
}

Arguments read_arguments(int argc, char** argv) {
  Arguments arguments;
  const auto value = [&](int& n) -> std::string {
    if (n + 1 == argc) misused(std::string(argv[n]) + " needs a value");
    return argv[++n];
  };
  for (int n = 1; n < argc; ++n) {
    const std::string name = argv[n];
    if (name == "--list")
      arguments.list = true;
    else if (name == "--compare")
      arguments.compare = true;
    else if (name == "--scenario")
      arguments.scenario = value(n);
    else if (name == "--preemptions")
      arguments.limits.preemptions = static_cast<unsigned>(std::stoul(value(n)));
    else if (name == "--deaths")
      arguments.limits.preemptions_with_death = static_cast<unsigned>(std::stoul(value(n)));
    else if (name == "--seconds")
      arguments.limits.seconds = std::stod(value(n));
    else if (name == "--schedule")
      arguments.schedule = read_schedule(value(n));
    else
      misused("unknown argument " + name);
    if (name == "--schedule" && !arguments.schedule) misused("no schedule reads like that");
  }
  if (arguments.schedule && arguments.scenario.empty()) misused("a schedule of which scenario?");
  if (!arguments.scenario.empty()) static_cast<void>(scenario_named(arguments.scenario));
  return arguments;
}

char being_played[256];

/// What was being played when somebody waited for ever.
void tell_of_a_hang(int) {
  constexpr char kText[] = "a schedule hangs: ";
  static_cast<void>(!::write(2, kText, sizeof(kText) - 1));
  static_cast<void>(!::write(2, being_played, std::strlen(being_played)));
  static_cast<void>(!::write(2, "\n", 1));
  ::_exit(1);
}

Played play(Scene& scene, const Schedule& schedule) {
  std::snprintf(being_played, sizeof(being_played), "--scenario %s --schedule %s", scene.scenario().name,
                written(schedule).c_str());
  ::alarm(kHangSeconds);
  Played played = scene.play(schedule);
  ::alarm(0);
  return played;
}

/// One thread runs at a time, so a second processor only makes handing over slower.
void stay_on_one_processor() {
  cpu_set_t here;
  CPU_ZERO(&here);
  CPU_SET(static_cast<unsigned>(::sched_getcpu()), &here);
  ::sched_setaffinity(0, sizeof(here), &here);
}

int replay(Scene& scene, const Schedule& schedule) {
  const Played played = play(scene, schedule);
  for (const PlayedTurn& turn : played.turns) {
    for (std::uint32_t n = turn.first; n < turn.last; ++n) {
      const Touch& access = played.accesses[turn.actor][n];
      std::printf("%c%-4u %s %s\n", static_cast<char>('a' + turn.actor), n,
                  access.does == Does::kRead ? "reads " : "writes", scene.place_of(access).c_str());
    }
  }
  std::printf("%s", played.problems.empty() ? "everything holds\n" : played.problems.c_str());
  return played.problems.empty() ? 0 : 1;
}

std::string by_preemptions(const std::vector<std::uint64_t>& counts) {
  std::string text;
  for (const std::uint64_t count : counts) text += (text.empty() ? "" : "+") + std::to_string(count);
  return text;
}

Explored explored(Scene& scene, const Limits& limits) {
  const auto may_see_a_death = [&](const Touch& access) { return scene.may_see_a_death(access); };
  return Explorer([&](const Schedule& schedule) { return play(scene, schedule); }, may_see_a_death, limits)
      .run();
}

void print_heading() {
  std::printf("%-48s %9s %18s %22s %9s %8s %7s  %s\n", "scenario", "accesses", "schedules", "with a death",
              "equal", "outcomes", "seconds", "result");
}

int explore(Scene& scene, const Arguments& arguments) {
  const char* name = scene.scenario().name;
  Limits limits = arguments.limits;
  const Explored found = explored(scene, limits);
  const std::string accesses = std::to_string(found.accesses[0]) + "+" + std::to_string(found.accesses[1]);
  const char* result = found.failures != 0 ? "FAILS" : found.complete ? "ok, all" : "ok, out of time";
  std::printf("%-48s %9s %18s %22s %9llu %8zu %7.1f  %s\n", name, accesses.c_str(),
              by_preemptions(found.without_death).c_str(), by_preemptions(found.with_death).c_str(),
              static_cast<unsigned long long>(found.left_out), found.outcomes.size(), found.seconds, result);
  std::fflush(stdout);
  if (found.failures != 0) {
    std::printf("%llu schedules fail; the first: --scenario %s --schedule %s\n%s",
                static_cast<unsigned long long>(found.failures), name, written(found.first_failure).c_str(),
                found.first_problems.c_str());
    return 1;
  }
  if (!arguments.compare) return 0;
  limits.reduce = Reduce::kNo;
  const Explored all = explored(scene, limits);
  const bool same = all.outcomes == found.outcomes && all.failures == 0 && all.complete && found.complete;
  std::printf("  nothing left out: schedules %s, with a death %s: %s\n",
              by_preemptions(all.without_death).c_str(), by_preemptions(all.with_death).c_str(),
              same ? "the same outcomes" : "OTHER OUTCOMES");
  return same ? 0 : 1;
}

int run(const Arguments& arguments) {
  if (arguments.list) {
    for (const Scenario& scenario : all_scenarios()) std::printf("%s\n", scenario.name);
    return 0;
  }
  ::signal(SIGALRM, &tell_of_a_hang);
  stay_on_one_processor();
  if (arguments.schedule) {
    Scene scene(scenario_named(arguments.scenario));
    return replay(scene, *arguments.schedule);
  }
  int status = 0;
  print_heading();
  for (const Scenario& scenario : all_scenarios()) {
    if (!arguments.scenario.empty() && arguments.scenario != scenario.name) continue;
    Scene scene(scenario);
    status |= explore(scene, arguments);
  }
  return status;
}

}  // namespace
}  // namespace shmring::testing

int main(int argc, char** argv) {
  return shmring::testing::run(shmring::testing::read_arguments(argc, argv));
}
