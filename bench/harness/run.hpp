// SPDX-License-Identifier: Apache-2.0
// One run: every row visited many times, all of them in random order, so that what the machine does at the moment hits all
// alike. First with the operations in a row, then with each of them timed.
#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <regex>
#include <string>
#include <vector>

#include "bench/harness/row.hpp"

namespace shmring::bench {

struct RunOptions {
  int repetitions = 25;                         // visits of each row
  std::chrono::milliseconds visit{10};          // timed operations of one visit take at least this long
  std::chrono::milliseconds visit_stamped{10};  // the same where single ones are timed; 0: not at all
  std::optional<std::regex> filter = {};        // of the rows' ids; none: all rows
  std::function<void()> on_round = [] {};  // after each round of visits: for who shows that something happens
};

struct RowResult {
  About about;
  int producers = 1;
  std::string skipped;     // why nothing was measured; empty: it was
  std::vector<double> ns;  // of an operation, by visit
  Histogram ticks;         // of single operations; nanoseconds_per_tick() is what one lasts

  bool was_measured() const noexcept { return skipped.empty(); }
  std::string id() const {
    return producers == 1 ? about.name : about.name + "/" + std::to_string(producers);
  }
};

/// In the order of `rows`. An error is a row that broke: records refused, lost or damaged.
Result<std::vector<RowResult>> run(const Rows& rows, Subjects& subjects, const RunOptions& options);

}  // namespace shmring::bench
