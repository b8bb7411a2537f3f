// SPDX-License-Identifier: Apache-2.0
// shmring flusher pid|stop|evict: who drains the ring, and how to end it.
#include <fmt/format.h>

#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstring>
#include <memory>
#include <nlohmann/json.hpp>
#include <variant>

#include "libshmring/ring_file.hpp"
#include "tools/flusher_view.hpp"
#include "tools/holder.hpp"
#include "tools/units.hpp"
#include "tools/verbs.hpp"

namespace shmring::tools {
namespace {

constexpr const char* kPid = "flusher pid";
constexpr const char* kStop = "flusher stop";
constexpr const char* kEvict = "flusher evict";

struct FlusherArguments {
  RingArgument ring;
  Output output = Output::kText;
  std::chrono::microseconds timeout{10'000'000};
  bool force = false;
};

int print_pid(const FlusherArguments& arguments) {
  const auto ring = RingFile::attach(arguments.ring.path(), Access::kReadOnly);
  if (!ring) return cannot_open(kPid, ring.error());
  const auto view = view_flusher(*ring);
  if (!view) return cannot_open(kPid, view.error());
  const bool known = view->state != FlusherState::kNone && view->pid != 0;
  if (arguments.output == Output::kJson) {
    const nlohmann::ordered_json json{
        {"pid", known ? nlohmann::ordered_json(view->pid) : nlohmann::ordered_json(nullptr)},
        {"pid_namespace", view->pid_namespace},
        {"state", to_string(view->state)}};
    print(json.dump() + "\n");
  } else if (known) {
    print(fmt::format("{}\n", view->pid));
  }
  if (view->state == FlusherState::kNone) {
    complain(kPid, "no flusher holds the lease of this ring");
  } else if (!known) {
    complain(kPid, "somebody holds the lease and the ring does not say who");
  }
  return known ? kFine : kBadNews;
}

/// The end of the process is the end of its lease: the kernel gives the lock up with it, and a standby takes over.
int end_holder(const char* verb, const Holder& holder, int signal, std::chrono::microseconds timeout) {
  if (!holder.signal(signal) && errno != ESRCH) {
    complain(verb, fmt::format("cannot signal process {}: {}", holder.pid(), std::strerror(errno)));
    return kBadNews;
  }
  if (!holder.wait_for_end(std::chrono::duration_cast<std::chrono::milliseconds>(timeout))) {
    complain(
        verb,
        fmt::format("process {} has not ended after {}{}", holder.pid(), format_duration(timeout),
                    signal == SIGTERM ? "; `shmring flusher evict` ends one that hangs or is stopped" : ""));
    return kBadNews;
  }
  print(fmt::format("flusher {} has ended; what it had not delivered is in the ring\n", holder.pid()));
  return kFine;
}

int stop_or_evict(const char* verb, int signal, const FlusherArguments& arguments) {
  const auto ring = RingFile::attach(arguments.ring.path(), Access::kReadOnly);
  if (!ring) return cannot_open(verb, ring.error());
  const auto view = view_flusher(*ring);
  if (!view) return cannot_open(verb, view.error());
  if (view->state == FlusherState::kNone) {
    complain(verb, "no flusher holds the lease of this ring");
    return kBadNews;
  }
  if (signal == SIGKILL && view->state == FlusherState::kRunning && !arguments.force) {
    complain(verb, fmt::format("flusher {} is well (heartbeat {} ago): `shmring flusher stop` ends it in "
                               "order, --force kills it",
                               view->pid,
                               format_duration(view->heartbeat_age.value_or(std::chrono::nanoseconds{0}))));
    return kBadNews;
  }
  const auto holder = Holder::prove(*ring, *view);
  if (const auto* why = std::get_if<std::string>(&holder)) {
    complain(verb, "no signal was sent: " + *why);
    return kBadNews;
  }
  return end_holder(verb, std::get<Holder>(holder), signal, arguments.timeout);
}

}  // namespace

void add_flusher(CLI::App& app, Run& run) {
  auto arguments = std::make_shared<FlusherArguments>();
  CLI::App* verb = app.add_subcommand("flusher", "The flusher that drains the ring: pid, stop, evict");
  verb->require_subcommand(1);

  CLI::App* pid =
      verb->add_subcommand("pid", "Print the pid of the holder of the lease; exit code 1 when there is none");
  add_ring(*pid, arguments->ring);
  add_output(*pid, arguments->output);
  pid->callback([arguments, &run] { run = [arguments] { return print_pid(*arguments); }; });

  CLI::App* stop =
      verb->add_subcommand("stop", "Ask it to drain once more and end (SIGTERM), and wait for that");
  add_ring(*stop, arguments->ring);
  add_duration(*stop, "--timeout", arguments->timeout, "how long to wait (10s)");
  stop->callback(
      [arguments, &run] { run = [arguments] { return stop_or_evict(kStop, SIGTERM, *arguments); }; });

  CLI::App* evict = verb->add_subcommand(
      "evict", "End a stopped or hung one (SIGKILL); its successor takes over what it held");
  add_ring(*evict, arguments->ring);
  add_duration(*evict, "--timeout", arguments->timeout, "how long to wait (10s)");
  evict->add_flag("--force", arguments->force, "also when its heartbeat is fresh");
  evict->callback(
      [arguments, &run] { run = [arguments] { return stop_or_evict(kEvict, SIGKILL, *arguments); }; });
}

}  // namespace shmring::tools
