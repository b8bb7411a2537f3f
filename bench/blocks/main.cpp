// SPDX-License-Identifier: Apache-2.0
// shmring-block-bench: what a record costs over the block size and the ring's capacity. A process for each ring, since its
// mapping stays until the process ends; all rings in each round, mixed at random.
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <nlohmann/json.hpp>
#include <optional>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "bench/blocks/ring_costs.hpp"
#include "bench/harness/result_json.hpp"
#include "bench/rendezvous.hpp"
#include "shmring/version.hpp"

namespace shmring::bench {
namespace {

using Json = nlohmann::ordered_json;

struct Options {
  int rounds = 5;
  std::chrono::milliseconds visit{5};
  bool is_smoke = false;
  std::string json;  // empty: standard output
  Json context = Json::object();
};

std::optional<Options> read_options(int argc, char** argv) {
  Options options;
  for (int i = 1; i < argc; ++i) {
    const std::string option = argv[i];
    if (option == "--smoke") {
      options.rounds = 1;
      options.visit = std::chrono::milliseconds(1);
      options.is_smoke = true;
      continue;
    }
    if (++i == argc) return std::nullopt;
    const std::string value = argv[i];
    if (option == "--rounds") {
      options.rounds = std::atoi(value.c_str());
    } else if (option == "--visit-ms") {
      options.visit = std::chrono::milliseconds(std::atoi(value.c_str()));
    } else if (option == "--json") {
      options.json = value;
    } else if (option == "--context" && value.find('=') != std::string::npos) {
      options.context[value.substr(0, value.find('='))] = value.substr(value.find('=') + 1);
    } else {
      return std::nullopt;
    }
  }
  if (options.rounds < 1) return std::nullopt;
  return options;
}

std::string name_of(const RingShape& shape) {
  return std::to_string(shape.block_bytes >> 10U) + " KiB blocks, " +
         std::to_string(shape.capacity_bytes >> 20U) + " MiB";
}

/// {"rows": [{..., "ns"}, ...], "block": {...}}, or {"error": why}.
Json to_json(const Result<RingCosts>& costs) {
  if (!costs) return {{"error", costs.error().message}};
  auto rows = Json::array();
  for (const CostOfRecord& cost : costs->costs) {
    const About& about = cost.result.about;
    auto ns = Json::array();
    for (const double of_visit : cost.result.ns) ns.push_back(std::round(of_visit * 1000) / 1000);
    rows.push_back({{"name", cost.name},
                    {"label", about.label},
                    {"record", about.record},
                    {"group", bench::name_of(about.group)},
                    {"producers", cost.result.producers},
                    {"drained", cost.drained},
                    {"batch", about.batch},
                    {"ns", std::move(ns)}});
  }
  return {{"rows", std::move(rows)},
          {"block",
           {{"records", costs->of_log_records.records},
            {"context_bytes", costs->of_log_records.context_bytes},
            {"unused_bytes", costs->of_log_records.unused_bytes},
            {"sleepers", kSleepers},
            {"blocks_of_sleepers", costs->sleepers.blocks},
            {"refused_of_sleepers", costs->sleepers.refused}}}};
}

/// In a process of its own. An error when that ends otherwise than it should.
Json measure(const RingShape& shape, const RunOptions& options) {
  int ends[2];
  if (::pipe(ends) != 0) return {{"error", "no pipe"}};
  const pid_t child = ::fork();
  if (child == 0) {
    ::close(ends[0]);
    const std::string text = to_json(measure_ring(shape, options)).dump();
    std::FILE* out = ::fdopen(ends[1], "w");
    const bool written = out != nullptr && std::fputs(text.c_str(), out) >= 0 && std::fflush(out) == 0;
    ::_exit(written ? 0 : 1);
  }
  ::close(ends[1]);
  std::string text;
  char part[4096];
  for (ssize_t size = 0; (size = ::read(ends[0], part, sizeof(part))) > 0;)
    text.append(part, static_cast<std::size_t>(size));
  ::close(ends[0]);
  int status = 0;
  if (child < 0 || ::waitpid(child, &status, 0) != child || status != 0)
    return {{"error", "its process failed"}};
  return Json::parse(text);
}

/// One of the rings, and what all rounds together know of it.
struct Subject {
  RingShape shape;
  Json known;

  void add(Json&& found) {
    if (known.is_null()) {
      known = std::move(found);
      return;
    }
    for (std::size_t i = 0; i < known["rows"].size(); ++i) {
      for (const auto& ns : found["rows"][i]["ns"]) known["rows"][i]["ns"].push_back(ns);
    }
  }
};

std::vector<Subject> subjects_of(const Options& options) {
  std::vector<Subject> subjects;
  for (const std::uint64_t mib : kCapacityMib) {
    for (const std::uint32_t kib : kBlockKib) {
      const RingShape shape{.capacity_bytes = mib << 20U, .block_bytes = kib << 10U};
      if (shape.capacity_bytes / shape.block_bytes < kMinBlocks || (options.is_smoke && mib > 1)) continue;
      subjects.push_back({shape, {}});
    }
  }
  return subjects;
}

/// One line for each row, so that two results can be compared.
std::string to_text(const std::vector<Subject>& subjects, const Json& head) {
  const auto lines = [&](const char* name, const auto& objects_of) {
    std::string text;
    for (const Subject& subject : subjects) {
      for (const Json& object : objects_of(subject.known)) {
        Json line = {{"block_bytes", subject.shape.block_bytes},
                     {"capacity_bytes", subject.shape.capacity_bytes}};
        line.update(object);
        text += (text.empty() ? "    " : ",\n    ") + line.dump();
      }
    }
    return "  \"" + std::string(name) + "\": [\n" + text + "\n  ]";
  };
  std::string text = head.dump(2);
  text.erase(text.rfind("\n}"));
  return text + ",\n" + lines("rows", [](const Json& known) { return known["rows"]; }) + ",\n" +
         lines("blocks", [](const Json& known) { return Json::array({known["block"]}); }) + "\n}\n";
}

bool write(const std::string& text, const std::string& path) {
  if (path.empty()) return std::fputs(text.c_str(), stdout) >= 0 && std::fflush(stdout) == 0;
  std::FILE* file = std::fopen(path.c_str(), "we");
  if (file == nullptr) return false;
  const bool written = std::fputs(text.c_str(), file) >= 0;
  return std::fclose(file) == 0 && written;
}

int measure_all(const Options& options) {
  std::vector<Subject> subjects = subjects_of(options);
  std::vector<Subject*> order;
  for (Subject& subject : subjects) order.push_back(&subject);
  std::mt19937_64 random{std::random_device{}()};
  const RunOptions visits{.repetitions = 1, .visit = options.visit, .visit_stamped = {}};
  for (int round = 0; round < options.rounds; ++round) {
    std::ranges::shuffle(order, random);
    for (Subject* subject : order) {
      Json found = measure(subject->shape, visits);
      if (found.contains("error")) {
        std::fprintf(stderr, "shmring-block-bench: %s: %s\n", name_of(subject->shape).c_str(),
                     found["error"].get<std::string>().c_str());
        return 1;
      }
      subject->add(std::move(found));
    }
  }
  Json head = options.context;
  head.update(Json{{"cores", core_count()},
                   {"version", kVersion},
                   {"compiler", SHMRING_BENCH_COMPILER},
                   {"build_type", SHMRING_BENCH_BUILD_TYPE}});
  if (write(to_text(subjects, head), options.json)) return 0;
  std::fputs("shmring-block-bench: cannot write the result\n", stderr);
  return 1;
}

}  // namespace
}  // namespace shmring::bench

int main(int argc, char** argv) {
  const auto options = shmring::bench::read_options(argc, argv);
  if (!options) {
    std::fputs(
        "usage: shmring-block-bench [--smoke] [--rounds N] [--visit-ms N] [--json FILE] [--context "
        "KEY=VALUE]...\n",
        stderr);
    return 2;
  }
  return shmring::bench::measure_all(*options);
}
