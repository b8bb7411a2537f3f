// SPDX-License-Identifier: Apache-2.0
// Tables and JSON.
#include "bench/processes/report.hpp"

#include <algorithm>
#include <array>
#include <cmath>

#include "bench/processes/ticks.hpp"

namespace shmring::bench {
namespace {

struct Percentile {
  const char* name;
  double share;
};
constexpr std::array<Percentile, 5> kPercentiles = {
    {{"p50", 0.5}, {"p90", 0.9}, {"p99", 0.99}, {"p99.9", 0.999}, {"p99.99", 0.9999}}};

double to_ns(std::uint64_t ticks) { return static_cast<double>(ticks) * nanoseconds_per_tick(); }

std::string quoted(const std::string& text) {
  std::string result = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') result += '\\';
    result += static_cast<unsigned char>(c) < 0x20 ? ' ' : c;
  }
  return result + '"';
}

/// As many digits as say something.
std::string number(double value) {
  char text[32];
  const bool whole = std::abs(value) >= 1000 || value == std::floor(value);
  std::snprintf(text, sizeof(text), whole ? "%.0f" : "%.3g", value);
  return text;
}

std::string object_of(const Values& values) {
  std::string text = "{";
  for (const auto& [name, value] : values) {
    if (text.size() > 1) text += ", ";
    text += quoted(name) + ": " + number(value);
  }
  return text + "}";
}

Values percentiles_of(const Histogram& ticks) {
  Values values;
  for (const Percentile& p : kPercentiles) values.emplace_back(p.name, to_ns(ticks.quantile(p.share)));
  values.emplace_back("max", to_ns(ticks.max()));
  return values;
}

std::string buckets_of(const Histogram& ticks) {
  std::string text = "[";
  for (std::size_t bucket = 0; bucket < Histogram::kBuckets; ++bucket) {
    if (ticks.count(bucket) == 0) continue;
    if (text.size() > 1) text += ", ";
    text += "[" + number(to_ns(Histogram::upper(bucket))) + ", " + std::to_string(ticks.count(bucket)) + "]";
  }
  return text + "]";
}

void print_row(std::FILE* out, const std::string& name, const std::string& unit, const Values& values) {
  std::fprintf(out, "  %-58s %-8s", name.c_str(), unit.c_str());
  for (const auto& [label, value] : values)
    std::fprintf(out, "  %s %s", label.c_str(), number(value).c_str());
  std::fputc('\n', out);
}

}  // namespace

Values summary(std::vector<double> samples) {
  std::sort(samples.begin(), samples.end());
  const auto at = [&](double share) {
    return samples[static_cast<std::size_t>(share * static_cast<double>(samples.size() - 1))];
  };
  return {{"min", at(0)}, {"median", at(0.5)}, {"p99", at(0.99)}};
}

double median(std::vector<double> samples) { return summary(std::move(samples))[1].second; }

void Report::add(Row row) { rows_.push_back(std::move(row)); }
void Report::add(NamedHistogram histogram) { histograms_.push_back(std::move(histogram)); }
void Report::fail(std::string complaint) { complaints_.push_back(std::move(complaint)); }

void Report::print(std::FILE* out) const {
  const std::string* part = nullptr;
  for (const Row& row : rows_) {
    if (part == nullptr || *part != row.part) std::fprintf(out, "%s\n", row.part.c_str());
    part = &row.part;
    print_row(out, row.name, row.unit, row.values);
  }
  if (!histograms_.empty()) std::fputs("one emit\n", out);
  for (const NamedHistogram& histogram : histograms_)
    print_row(out, histogram.name, "ns", percentiles_of(histogram.ticks));
  for (const std::string& complaint : complaints_) std::fprintf(out, "FAILED: %s\n", complaint.c_str());
}

bool Report::write_json(const std::string& path,
                        const std::vector<std::pair<std::string, std::string>>& context) const {
  std::string text = "{\n";
  for (const auto& [key, value] : context) text += "  " + quoted(key) + ": " + quoted(value) + ",\n";
  text += "  \"rows\": [\n";
  for (const Row& row : rows_) {
    text += "    {\"part\": " + quoted(row.part) + ", \"name\": " + quoted(row.name) +
            ", \"unit\": " + quoted(row.unit) + ", \"values\": " + object_of(row.values) + "}";
    text += &row == &rows_.back() ? "\n" : ",\n";
  }
  text += "  ],\n  \"histograms\": [\n";
  for (const NamedHistogram& histogram : histograms_) {
    text += "    {\"name\": " + quoted(histogram.name) +
            ", \"unit\": \"ns\", \"count\": " + std::to_string(histogram.ticks.total()) +
            ", \"percentiles\": " + object_of(percentiles_of(histogram.ticks)) +
            ",\n     \"buckets\": " + buckets_of(histogram.ticks) + "}";
    text += &histogram == &histograms_.back() ? "\n" : ",\n";
  }
  text += "  ]\n}\n";
  std::FILE* file = std::fopen(path.c_str(), "we");
  if (file == nullptr) return false;
  const bool written = std::fputs(text.c_str(), file) >= 0;
  return std::fclose(file) == 0 && written;
}

}  // namespace shmring::bench
