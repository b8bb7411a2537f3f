// SPDX-License-Identifier: Apache-2.0
// Writing results.
#include "bench/harness/result_json.hpp"

#include <nlohmann/json.hpp>

#include <cmath>

#include "bench/harness/stamp.hpp"
#include "bench/rendezvous.hpp"
#include "shmring/version.hpp"

namespace shmring::bench {
namespace {

double rounded(double value, double grain) { return std::round(value / grain) * grain; }

nlohmann::ordered_json latency(const Histogram& ticks, double ns_per_tick) {
  auto buckets = nlohmann::ordered_json::array();
  for (std::size_t i = 0; i < Histogram::kBuckets; ++i) {
    if (ticks.count(i) == 0) continue;
    const std::uint64_t upper = std::min(Histogram::upper(i), ticks.max());
    buckets.push_back({rounded(static_cast<double>(upper) * ns_per_tick, 0.1), ticks.count(i)});
  }
  return buckets;
}

}  // namespace

const char* name_of(Group group) noexcept {
  switch (group) {
    case Group::kFloor:
      return "floor";
    case Group::kShmring:
      return "shmring";
    case Group::kRival:
      return "rival";
  }
  return "";
}

std::string to_json(const std::vector<RowResult>& results) {
  const double ns_per_tick = nanoseconds_per_tick();
  auto rows = nlohmann::ordered_json::array();
  for (const RowResult& result : results) {
    nlohmann::ordered_json row = {{"name", result.about.name},
                                  {"label", result.about.label},
                                  {"record", result.about.record},
                                  {"group", name_of(result.about.group)},
                                  {"producers", result.producers}};
    if (result.was_measured()) {
      row["ns"] = nlohmann::ordered_json::array();
      for (const double ns : result.ns) row["ns"].push_back(rounded(ns, 0.001));
      if (result.ticks.total() != 0) row["latency"] = latency(result.ticks, ns_per_tick);
    } else {
      row["skipped"] = result.skipped;
    }
    rows.push_back(std::move(row));
  }
  const nlohmann::ordered_json context = {{"cores", core_count()},
                                          {"version", kVersion},
                                          {"compiler", SHMRING_BENCH_COMPILER},
                                          {"build_type", SHMRING_BENCH_BUILD_TYPE}};
  return nlohmann::ordered_json{{"context", context}, {"rows", std::move(rows)}}.dump() + "\n";
}

}  // namespace shmring::bench
