// SPDX-License-Identifier: Apache-2.0
// What was measured: printed as tables, written as JSON.
#pragma once

#include <cstdio>
#include <string>
#include <utility>
#include <vector>

#include "bench/harness/histogram.hpp"

namespace shmring::bench {

using Values = std::vector<std::pair<std::string, double>>;

/// One line of a table.
struct Row {
  std::string part;  // which measurement
  std::string name;
  std::string unit;
  Values values;
};

struct NamedHistogram {
  std::string name;
  Histogram ticks;
};

/// Smallest, median, 99th percentile. REQUIRES: not empty.
Values summary(std::vector<double> samples);
double median(std::vector<double> samples);

class Report {
 public:
  void add(Row row);
  void add(NamedHistogram histogram);
  /// Something that a figure must not be published with: a record that was lost, a child that failed.
  void fail(std::string complaint);
  bool failed() const noexcept { return !complaints_.empty(); }

  void print(std::FILE* out) const;
  /// `context`: date, machine and the like, each a string of its own.
  bool write_json(const std::string& path,
                  const std::vector<std::pair<std::string, std::string>>& context) const;

 private:
  std::vector<Row> rows_;
  std::vector<NamedHistogram> histograms_;
  std::vector<std::string> complaints_;
};

}  // namespace shmring::bench
