// SPDX-License-Identifier: Apache-2.0
// Command line of the harness.
#include "bench/harness/program.hpp"

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>

#include "bench/harness/result_json.hpp"
#include "bench/harness/run.hpp"

namespace shmring::bench {
namespace {

struct Options {
  RunOptions run;
  bool list = false;
  std::string only;
  std::uint64_t operations = 0;
};

int complain(const std::string& message) {
  std::fprintf(stderr, "%s: %s\n", program_invocation_short_name, message.c_str());
  return 1;
}

std::optional<Options> parse(int argc, char** argv) {
  Options options;
  for (int i = 1; i < argc; ++i) {
    const std::string_view name = argv[i];
    if (name == "--list") {
      options.list = true;
      continue;
    }
    if (++i == argc) return std::nullopt;
    const char* value = argv[i];
    if (name == "--filter") {
      options.run.filter = std::regex(value);
    } else if (name == "--repetitions") {
      options.run.repetitions = std::atoi(value);
    } else if (name == "--visit-ms") {
      options.run.visit = std::chrono::milliseconds(std::atoi(value));
    } else if (name == "--stamped-ms") {
      options.run.visit_stamped = std::chrono::milliseconds(std::atoi(value));
    } else if (name == "--only") {
      options.only = value;
    } else if (name == "--operations") {
      options.operations = std::strtoull(value, nullptr, 10);
    } else {
      return std::nullopt;
    }
  }
  const bool counts = options.only.empty() == (options.operations == 0);
  if (options.run.repetitions < 1 || !counts) return std::nullopt;
  return options;
}

int list(const Rows& rows) {
  for (const auto& row : rows)
    std::printf("%s\t%llu\n", row->id().c_str(), static_cast<unsigned long long>(row->about().batch));
  return 0;
}

int repeat_one(const Rows& rows, const Options& options) {
  for (const auto& row : rows) {
    if (row->id() != options.only) continue;
    if (options.operations > row->about().batch)
      return complain(options.only + " takes no more than its batch");
    Subjects subjects(Subjects::Memory::kUntouched);
    if (const auto ready = row->prepare(subjects); !ready) return complain(ready.error().message);
    if (const auto done = row->repeat(options.operations); !done) return complain(done.error().message);
    return 0;
  }
  return complain("no row " + options.only);
}

int measure(const Rows& rows, const RunOptions& options) {
  Subjects subjects;
  const auto results = run(rows, subjects, options);
  if (!results) return complain(results.error().message);
  if (results->empty()) return complain("no such row");
  std::fputs(to_json(*results).c_str(), stdout);
  return std::fflush(stdout) == 0 ? 0 : complain("cannot write the result");
}

}  // namespace

int run_program(const Rows& rows, int argc, char** argv) {
  std::optional<Options> options;
  try {
    options = parse(argc, argv);
  } catch (const std::regex_error& error) {
    complain(error.what());
  }
  if (!options) {
    std::fprintf(stderr,
                 "usage: %s [--filter REGEX] [--repetitions N] [--visit-ms N] [--stamped-ms N]\n"
                 "       %s --list\n"
                 "       %s --only ROW --operations N\n",
                 program_invocation_short_name, program_invocation_short_name, program_invocation_short_name);
    return 2;
  }
  if (options->list) return list(rows);
  return options->only.empty() ? measure(rows, options->run) : repeat_one(rows, *options);
}

}  // namespace shmring::bench
