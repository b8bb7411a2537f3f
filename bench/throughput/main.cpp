// SPDX-License-Identifier: Apache-2.0
// shmring-throughput-bench: prints a table, writes JSON; exit code 1 when a record was lost or somebody failed.
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "bench/processes/report.hpp"
#include "bench/rendezvous.hpp"
#include "bench/throughput/measured.hpp"

namespace shmring::bench {
namespace {

struct Subject {
  std::string name;
  std::function<std::optional<Measured>()> measure;
};

struct Options {
  std::uint64_t records = 5'000'000;  // of a run of the flusher; who is slower gets fewer
  unsigned repetitions = 5;
  std::string json;
  std::vector<Subject> rivals;
  std::vector<std::pair<std::string, std::string>> context;
  bool understood = true;
};

std::pair<std::string, std::string> split(const std::string& pair) {
  const std::size_t equals = pair.find('=');
  return {pair.substr(0, equals), equals == std::string::npos ? "" : pair.substr(equals + 1)};
}

/// NAME=RECORDS COMMAND LINE
Subject rival_of(const std::string& text) {
  const auto [name, rest] = split(text);
  std::istringstream in(rest);
  std::uint64_t records = 0;
  in >> records;
  std::vector<std::string> command;
  for (std::string word; in >> word;) command.push_back(word);
  return {name, [command, records] { return measure_rival(command, records); }};
}

Options read_options(int argc, char** argv) {
  Options options;
  for (int i = 1; i < argc; i += 2) {
    const std::string option = argv[i];
    const std::string value = i + 1 < argc ? argv[i + 1] : "";
    if (option == "--records") {
      options.records = std::strtoull(value.c_str(), nullptr, 10);
    } else if (option == "--repetitions") {
      options.repetitions = static_cast<unsigned>(std::strtoul(value.c_str(), nullptr, 10));
    } else if (option == "--json") {
      options.json = value;
    } else if (option == "--rival") {
      options.rivals.push_back(rival_of(value));
    } else if (option == "--context") {
      options.context.push_back(split(value));
    } else {
      options.understood = false;
    }
  }
  options.understood = options.understood && options.records >= 100 && options.repetitions > 0;
  return options;
}

std::vector<Subject> subjects_of(const Options& options) {
  const auto flusher = [&](const char* name, Load load, std::vector<std::string> words = {}) {
    return Subject{name, [load, words] { return measure_flusher(load, words); }};
  };
  const std::uint64_t all = options.records;
  std::vector<Subject> subjects{
      flusher("shmring-flusher, logs of one process", {What::kLogs, 1, all}),
      flusher("shmring-flusher, logs of two processes", {What::kLogs, 2, all}),
      flusher("shmring-flusher, spans of one process", {What::kSpans, 1, all}),
      flusher("shmring-flusher, logs, gzip", {What::kLogs, 1, all / 5}, {"--compression", "gzip"}),
      flusher("shmring-flusher, logs, http/json", {What::kLogs, 1, all / 5}, {"--protocol", "http/json"})};
  subjects.insert(subjects.end(), options.rivals.begin(), options.rivals.end());
  return subjects;
}

double rate_of(const Measured& m) { return static_cast<double>(m.records) / m.seconds; }
double per_million(const Measured& m, double seconds) {
  return seconds * 1e6 / static_cast<double>(m.records);
}

/// REQUIRES: sorted by rate, not empty.
Row row_of(const std::string& name, const std::vector<Measured>& runs) {
  const Measured& m = runs[runs.size() / 2];
  return {"throughput",
          name,
          "",
          {{"records_per_second", rate_of(m)},
           {"lowest", rate_of(runs.front())},
           {"highest", rate_of(runs.back())},
           {"exporting_cpu_seconds_per_million", per_million(m, m.exporting_cpu)},
           {"emitting_cpu_seconds_per_million", per_million(m, m.emitting_cpu)},
           {"records_per_request", static_cast<double>(m.records) / static_cast<double>(m.requests)},
           {"body_bytes_per_record", static_cast<double>(m.body_bytes) / static_cast<double>(m.records)}}};
}

void print_head() {
  std::printf("%-45s %35s %20s %12s %8s\n", "", "records/s", "CPU s per million", "records", "bytes");
  std::printf("%-45s %11s %11s %11s %10s %9s %12s %8s\n", "", "median", "lowest", "highest", "exporting",
              "emitting", "per request", "each");
}

void print(const Row& row) {
  const auto value = [&](std::size_t i) { return row.values[i].second; };
  std::printf("%-45s %11.0f %11.0f %11.0f %10.3f %9.3f %12.0f %8.0f\n", row.name.c_str(), value(0), value(1),
              value(2), value(3), value(4), value(5), value(6));
}

int run(const Options& options) {
  if (core_count() < 2) {
    std::fputs("shmring-throughput-bench: needs two cores, one of them for the flusher alone\n", stderr);
    return 77;
  }
  const std::vector<Subject> subjects = subjects_of(options);
  std::vector<std::vector<Measured>> runs(subjects.size());
  for (unsigned i = 0; i < options.repetitions; ++i) {  // all of them in turn: none has a minute of its own
    for (std::size_t s = 0; s < subjects.size(); ++s) {
      const auto measured = subjects[s].measure();
      if (!measured) return 1;
      runs[s].push_back(*measured);
    }
  }
  print_head();
  Report report;
  for (std::size_t s = 0; s < subjects.size(); ++s) {
    std::sort(runs[s].begin(), runs[s].end(),
              [](const Measured& a, const Measured& b) { return rate_of(a) < rate_of(b); });
    report.add(row_of(subjects[s].name, runs[s]));
    print(row_of(subjects[s].name, runs[s]));
  }
  if (!options.json.empty() && !report.write_json(options.json, options.context)) {
    std::fprintf(stderr, "shmring-throughput-bench: cannot write %s\n", options.json.c_str());
    return 1;
  }
  return 0;
}

}  // namespace
}  // namespace shmring::bench

int main(int argc, char** argv) {
  const auto options = shmring::bench::read_options(argc, argv);
  if (options.understood) return shmring::bench::run(options);
  std::fputs(
      "usage: shmring-throughput-bench [--records N] [--repetitions N] [--json FILE] [--context "
      "KEY=VALUE]...\n"
      "         [--rival 'NAME=RECORDS PROGRAM ARGUMENT...']...\n",
      stderr);
  return 2;
}
