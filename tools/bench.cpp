// SPDX-License-Identifier: Apache-2.0
// shmring bench: what a record costs on this machine, beside what the machine itself costs; the harness of bench/ in a few seconds.
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <memory>
#include <regex>
#include <string>

#include "bench/harness/median.hpp"
#include "bench/harness/result_json.hpp"
#include "bench/harness/run.hpp"
#include "bench/harness/stamp.hpp"
#include "tools/text.hpp"
#include "tools/verbs.hpp"

namespace shmring::tools {
namespace {

constexpr const char* kVerb = "bench";
constexpr const char* kMeasure = "clock_memcpy";  // of one producer: what everything is compared with
constexpr int kRounds = 12;                       // as many visits of each row

struct BenchArguments {
  Output output = Output::kText;
};

double cost_of(const bench::RowResult& row) { return row.ns.empty() ? 0 : bench::median(row.ns); }

const bench::RowResult* find(const std::vector<bench::RowResult>& results, std::string_view id) {
  const auto found = std::ranges::find_if(results, [&](const auto& row) { return row.id() == id; });
  return found != results.end() && found->was_measured() ? &*found : nullptr;
}

std::string without_backquotes(std::string text) {
  std::erase(text, '`');
  return text;
}

std::string as_table(const std::vector<bench::RowResult>& results) {
  constexpr std::size_t kBar = 24;
  const bench::RowResult* const measure = find(results, kMeasure);
  const double one = measure == nullptr ? 0 : cost_of(*measure);
  double most = 0;
  for (const bench::RowResult& row : results) most = std::max(most, cost_of(row));
  const double tick = bench::nanoseconds_per_tick();
  const auto ns = [&](const bench::RowResult& row, double share) {
    return fmt::format("{:.0f}", static_cast<double>(row.ticks.quantile(share)) * tick);
  };
  Table table({Align::kLeft, Align::kRight, Align::kRight, Align::kLeft, Align::kRight, Align::kRight,
               Align::kRight});
  table.add({"one operation", "ns", "ratio", "", "p50", "p99", "p99.9"});
  for (const bench::RowResult& row : results) {
    const std::string label =
        without_backquotes(row.about.label) + (row.producers > 1 ? ", two at once" : "");
    if (!row.was_measured()) {
      table.add({label, "-", "", row.skipped});
      continue;
    }
    const double cost = cost_of(row);
    table.add({label, fmt::format("{:.1f}", cost), one > 0 ? fmt::format("{:.2f}", cost / one) : "",
               bar(cost / most, kBar), ns(row, 0.5), ns(row, 0.99), ns(row, 0.999)});
  }
  return table.str();
}

/// A dot for each round, where somebody watches.
class Progress {
 public:
  Progress() : is_shown_(::isatty(STDERR_FILENO) == 1) {
    if (is_shown_) std::fputs("measuring ", stderr);
  }
  ~Progress() {
    if (is_shown_) std::fputs("\r\033[K", stderr);
  }
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;
  void step() const {
    if (is_shown_) std::fputc('.', stderr);
  }

 private:
  bool is_shown_;
};

int run_bench(const BenchArguments& arguments) {
  bench::Rows rows;
  bench::add_shmring_rows(rows);
  bench::add_floor_rows(rows);
  std::erase_if(rows, [](const auto& row) { return row->producers() > 2; });
  bench::Subjects subjects;
  std::vector<bench::RowResult> results;
  {
    const Progress progress;
    const auto measured = bench::run(rows, subjects,
                                     {.repetitions = kRounds,
                                      .visit = std::chrono::milliseconds(4),
                                      .visit_stamped = std::chrono::milliseconds(4),
                                      .on_round = [&] { progress.step(); }});
    if (!measured) return complain(kVerb, measured.error().message), kBadNews;
    results = *measured;
  }
  if (arguments.output == Output::kJson) return print(bench::to_json(results)), kFine;
  print(as_table(results));
  print(
      "\nns: the median of what an operation costs, in batches. ratio: beside a look at the clock and a copy "
      "of the same 211 bytes. "
      "p50 to p99.9: single\noperations, the time stamps around them included (row \"the loop\"). A record "
      "is 211 bytes of OTLP: a "
      "64-byte body, three attributes, trace, times.\n");
  return kFine;
}

}  // namespace

void add_bench(CLI::App& app, Run& run) {
  auto arguments = std::make_shared<BenchArguments>();
  CLI::App* verb = app.add_subcommand(
      kVerb, "What a record costs on this machine, beside the clock and memcpy (takes some seconds)");
  add_output(*verb, arguments->output);
  verb->callback([arguments, &run] { run = [arguments] { return run_bench(*arguments); }; });
}

}  // namespace shmring::tools
