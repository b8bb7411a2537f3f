// SPDX-License-Identifier: Apache-2.0
// shmring-process-bench: prints tables, writes JSON; exit code 1 when a record was lost or a child failed anywhere.
#include <array>
#include <cstdio>
#include <cstring>
#include <string>
#include <utility>
#include <vector>

#include "bench/processes/parts.hpp"
#include "bench/processes/ticks.hpp"

namespace shmring::bench {
namespace {

struct Part {
  const char* name;
  void (*measure)(Report& report, Scale scale);
};
constexpr std::array<Part, 6> kParts = {{{"first-record", measure_first_record},
                                         {"exit", measure_child_exit},
                                         {"memory", measure_private_memory},
                                         {"idle-writers", measure_idle_writers},
                                         {"wave", measure_wave},
                                         {"latency", measure_latency}}};

struct Options {
  Scale scale = Scale::kFull;
  std::string json;
  std::vector<std::string> parts;  // empty: all
  std::vector<std::pair<std::string, std::string>> context;
  bool understood = true;
};

Options read_options(int argc, char** argv) {
  Options options;
  for (int i = 1; i < argc; ++i) {
    const std::string option = argv[i];
    const bool has_value = i + 1 < argc;
    if (option == "--smoke") {
      options.scale = Scale::kSmoke;
    } else if (option == "--json" && has_value) {
      options.json = argv[++i];
    } else if (option == "--part" && has_value) {
      options.parts.emplace_back(argv[++i]);
    } else if (option == "--context" && has_value && std::strchr(argv[i + 1], '=') != nullptr) {
      const std::string pair = argv[++i];
      const std::size_t equals = pair.find('=');
      options.context.emplace_back(pair.substr(0, equals), pair.substr(equals + 1));
    } else {
      options.understood = false;
    }
  }
  return options;
}

bool wanted(const Options& options, const char* name) {
  if (options.parts.empty()) return true;
  for (const std::string& part : options.parts) {
    if (part == name) return true;
  }
  return false;
}

int run(const Options& options) {
  static_cast<void>(nanoseconds_per_tick());  // waits once, here and not in what is measured
  Report report;
  for (const Part& part : kParts) {
    if (!wanted(options, part.name)) continue;
    std::fprintf(stderr, "shmring-process-bench: %s\n", part.name);
    part.measure(report, options.scale);
  }
  report.print(stdout);
  if (report.failed()) return 1;
  if (!options.json.empty() && !report.write_json(options.json, options.context))
    return std::fprintf(stderr, "shmring-process-bench: cannot write %s\n", options.json.c_str()), 1;
  return 0;
}

}  // namespace
}  // namespace shmring::bench

int main(int argc, char** argv) {
  if (argc == 3 && std::strcmp(argv[1], shmring::bench::kProbeOption) == 0)
    return shmring::bench::probe_memory(argv[2]);
  const auto options = shmring::bench::read_options(argc, argv);
  if (!options.understood) {
    std::fputs(
        "usage: shmring-process-bench [--smoke] [--json FILE] [--context KEY=VALUE]...\n"
        "         [--part first-record|exit|memory|idle-writers|wave|latency]...\n",
        stderr);
    return 2;
  }
  return shmring::bench::run(options);
}
