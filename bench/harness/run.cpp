// SPDX-License-Identifier: Apache-2.0
// Visits in random order.
#include "bench/harness/run.hpp"

#include <algorithm>
#include <random>
#include <utility>

namespace shmring::bench {
namespace {

struct Measured {
  Row* row;
  RowResult* result;
};

/// Each row once, in an order that differs from pass to pass.
template <typename Visit>
Result<void> pass(std::vector<Measured>& measured, std::mt19937_64& random, const Visit& visit) {
  std::ranges::shuffle(measured, random);
  for (const Measured& one : measured) {
    if (const Result<void> done = visit(one); !done)
      return Error{done.error().code, one.row->id() + ": " + done.error().message};
  }
  return {};
}

}  // namespace

Result<std::vector<RowResult>> run(const Rows& rows, Subjects& subjects, const RunOptions& options) {
  std::vector<RowResult> results;
  std::vector<Measured> measured;
  results.reserve(rows.size());  // `measured` points into it
  for (const auto& row : rows) {
    if (options.filter && !std::regex_search(row->id(), *options.filter)) continue;
    RowResult& result = results.emplace_back();
    result.about = row->about();
    result.producers = row->producers();
    if (const auto ready = row->prepare(subjects); !ready)
      result.skipped = ready.error().message;
    else
      measured.push_back({row.get(), &result});
  }
  std::mt19937_64 random{std::random_device{}()};
  for (int i = 0; i < options.repetitions; ++i) {
    const auto timed = pass(measured, random, [&](const Measured& one) -> Result<void> {
      const auto ns = one.row->visit(options.visit);
      if (!ns) return ns.error();
      one.result->ns.push_back(*ns);
      return {};
    });
    if (!timed) return timed.error();
    options.on_round();
    if (options.visit_stamped.count() == 0) continue;
    const auto stamped = pass(measured, random, [&](const Measured& one) -> Result<void> {
      if (!one.row->about().is_stamped) return {};
      return one.row->visit_stamped(options.visit_stamped, one.result->ticks);
    });
    if (!stamped) return stamped.error();
  }
  return results;
}

}  // namespace shmring::bench
