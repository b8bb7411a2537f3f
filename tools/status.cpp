// SPDX-License-Identifier: Apache-2.0
// shmring status: fill, writers, flusher, accounting; with --check also whether all of that is within thresholds.
#include <memory>

#include "libshmring/ring_file.hpp"
#include "tools/cut_short.hpp"
#include "tools/status_report.hpp"
#include "tools/verbs.hpp"

namespace shmring::tools {
namespace {

constexpr const char* kVerb = "status";

struct StatusArguments {
  RingArgument ring;
  Output output = Output::kText;
  bool check = false;
  Thresholds thresholds;
};

int status(const StatusArguments& arguments) {
  const auto ring = RingFile::attach(arguments.ring.path(), Access::kReadOnly);
  if (!ring) return cannot_open(kVerb, ring.error());
  const PageGuard guard(*ring);
  const auto report = make_report(*ring);
  if (!report) return cannot_open(kVerb, report.error());
  if (arguments.check) {
    const CheckResult result = check(*report, arguments.thresholds);
    print(arguments.output == Output::kJson ? as_json(*report) : result.line);
    return unless_cut_short(kVerb, *ring, guard, result.fine ? kFine : kBadNews);
  }
  print(arguments.output == Output::kJson ? as_json(*report) : as_text(*report));
  return unless_cut_short(kVerb, *ring, guard, report->bad_news() ? kBadNews : kFine);
}

}  // namespace

void add_status(CLI::App& app, Run& run) {
  auto arguments = std::make_shared<StatusArguments>();
  CLI::App* verb = app.add_subcommand(kVerb, "Fill, writers, flusher, and what became of every record");
  add_ring(*verb, arguments->ring);
  add_output(*verb, arguments->output);
  Thresholds& thresholds = arguments->thresholds;
  CLI::Option* check_flag =
      verb->add_flag("--check", arguments->check,
                     "one line for a monitoring system; exit code 1 when the accounting is open, no "
                     "flusher holds the lease, or a threshold is passed");
  add_duration(*verb, "--max-heartbeat-age", thresholds.max_heartbeat_age, "of the flusher (5s)")
      ->needs(check_flag);
  add_percent(*verb, "--max-fill", thresholds.max_fill_percent, "blocks that are not free (90%)")
      ->needs(check_flag);
  verb->add_option("--max-drops", thresholds.max_drops, "records dropped since the ring was made (0)")
      ->type_name("N")
      ->needs(check_flag);
  verb->callback([arguments, &run] { run = [arguments] { return status(*arguments); }; });
}

}  // namespace shmring::tools
