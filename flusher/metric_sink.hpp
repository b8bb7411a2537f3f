// SPDX-License-Identifier: Apache-2.0
// Metrics that are read off something at each look, in the form in which Prometheus takes them.
#pragma once

#include <prometheus/metric_family.h>

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace shmring::flusher {

using MetricLabels = std::vector<std::pair<std::string_view, std::string_view>>;

class MetricSink {
 public:
  /// All values of one metric follow one another.
  void counter(std::string_view name, std::string_view help, double value, const MetricLabels& labels = {}) {
    add(prometheus::MetricType::Counter, name, help, labels).counter.value = value;
  }
  void gauge(std::string_view name, std::string_view help, double value, const MetricLabels& labels = {}) {
    add(prometheus::MetricType::Gauge, name, help, labels).gauge.value = value;
  }
  void add_all(std::vector<prometheus::MetricFamily> families) {
    for (prometheus::MetricFamily& family : families) families_.push_back(std::move(family));
  }
  const std::vector<prometheus::MetricFamily>& families() const noexcept { return families_; }

 private:
  prometheus::ClientMetric& add(prometheus::MetricType type, std::string_view name, std::string_view help,
                                const MetricLabels& labels) {
    if (families_.empty() || families_.back().name != name)
      families_.push_back({std::string(name), std::string(help), type, {}});
    prometheus::ClientMetric& metric = families_.back().metric.emplace_back();
    for (const auto& [key, value] : labels) metric.label.push_back({std::string(key), std::string(value)});
    return metric;
  }

  std::vector<prometheus::MetricFamily> families_;
};

}  // namespace shmring::flusher
