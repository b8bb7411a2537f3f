// SPDX-License-Identifier: Apache-2.0
// What the demo's children have committed, kept in a file and compared with what was exported.
#include "demo_obligations.hpp"

#include <fmt/format.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <nlohmann/json.hpp>
#include <optional>
#include <utility>

namespace shmring::demo {
namespace {

using Json = nlohmann::json;

bool fail(const std::filesystem::path& file, const char* what) {
  std::fprintf(stderr, "shmring-demo: %s: %s\n", file.c_str(), what);
  return false;
}

/// The attributes of a log record by key, as OTLP's JSON has them.
std::optional<Json> attribute(const Json& record, const char* key) {
  for (const Json& each : record.value("attributes", Json::array())) {
    if (each.value("key", "") == key) return each.value("value", Json::object());
  }
  return std::nullopt;
}

std::optional<std::uint32_t> number(const Json& record, const char* key) {
  const auto value = attribute(record, key);
  if (!value) return std::nullopt;
  return static_cast<std::uint32_t>(std::stoul(value->value("intValue", "")));  // 64-bit integers are strings
}

/// Arrivals by child and seq. A record that is not exactly what was emitted is no arrival.
class Arrivals {
 public:
  Arrivals(const Obligations& obligations, std::uint32_t records)
      : records_(records), run_(obligations.run), counts_(std::size_t{obligations.children} * records) {}

  void take_line(const std::string& line) {
    const Json request = Json::parse(line);
    for (const Json& resource : request.value("resourceLogs", Json::array())) {
      for (const Json& scope : resource.value("scopeLogs", Json::array())) {
        for (const Json& record : scope.value("logRecords", Json::array())) take(record);
      }
    }
  }

  std::uint32_t of(const Obligation& obligation) const { return counts_[place(obligation)]; }
  std::uint64_t mangled() const { return mangled_; }

 private:
  std::size_t place(const Obligation& obligation) const {
    return std::size_t{obligation.child} * records_ + obligation.seq;
  }

  void take(const Json& record) {
    const auto run = attribute(record, "demo.run");
    if (!run || run->value("stringValue", "") != run_) return;
    const auto child = number(record, "demo.child");
    const auto seq = number(record, "demo.seq");
    const Obligation obligation{child.value_or(0), seq.value_or(records_)};
    const std::string body = record.value("body", Json::object()).value("stringValue", "");
    const bool intact = child && seq && obligation.seq < records_ && place(obligation) < counts_.size() &&
                        body == body_of(obligation);
    intact ? ++counts_[place(obligation)] : ++mangled_;
  }

  std::uint32_t records_;
  std::string run_;
  std::vector<std::uint32_t> counts_;
  std::uint64_t mangled_ = 0;
};

struct Row {
  std::uint64_t children = 0;
  std::uint64_t committed = 0;
  std::uint64_t arrived = 0;
  std::uint64_t twice = 0;

  std::uint64_t lost() const { return committed - arrived; }
  void operator+=(const Row& other) {
    children += other.children;
    committed += other.committed;
    arrived += other.arrived;
    twice += other.twice;
  }
};

void print_row(std::string_view name, const Row& row) {
  fmt::print("  {:<10} {:>9} {:>10} {:>9} {:>6}\n", name, row.children, row.committed, row.arrived,
             row.lost());
}

bool print_table(const std::array<Row, 3>& rows, std::uint64_t mangled) {
  fmt::print("  {:<10} {:>9} {:>10} {:>9} {:>6}\n", "ended by", "children", "committed", "arrived", "lost");
  Row all;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    print_row(kEndingNames[i], rows[i]);
    all += rows[i];
  }
  print_row("all", all);
  if (all.twice > 0) fmt::print("  {} arrived more than once\n", all.twice);
  if (mangled > 0) fmt::print("  {} arrived changed\n", mangled);
  return all.lost() == 0 && mangled == 0 && all.committed > 0;
}

bool read_arrivals(Arrivals& arrivals, const std::filesystem::path& exported) {
  std::ifstream file(exported);
  if (!file) return fail(exported, std::strerror(errno));
  try {
    for (std::string line; std::getline(file, line);) arrivals.take_line(line);
  } catch (const std::exception& error) {  // of the JSON library: not the file that we were promised
    return fail(exported, error.what());
  }
  return true;
}

}  // namespace

std::string body_of(const Obligation& obligation) {
  return fmt::format("child {} says {}", obligation.child, obligation.seq);
}

bool save(const Obligations& obligations, const std::filesystem::path& file) {
  Json committed = Json::array();
  for (const Obligation& each : obligations.committed) committed.push_back({each.child, each.seq});
  std::ofstream out(file);
  out << Json{{"children", obligations.children}, {"run", obligations.run}, {"committed", committed}} << "\n";
  out.close();
  return out ? true : fail(file, "cannot be written");
}

bool load(Obligations& obligations, const std::filesystem::path& file) {
  std::ifstream in(file);
  if (!in) return fail(file, std::strerror(errno));
  try {
    const Json json = Json::parse(in);
    obligations.children = json.at("children");
    obligations.run = json.at("run");
    for (const Json& each : json.at("committed")) {
      const Obligation obligation{each.at(0), each.at(1)};
      if (obligation.child >= obligations.children) return fail(file, "names a child that there was not");
      obligations.committed.push_back(obligation);
    }
  } catch (const std::exception& error) {
    return fail(file, error.what());
  }
  return true;
}

bool verify(const Obligations& obligations, const std::filesystem::path& exported) {
  std::uint32_t records = 1;
  for (const Obligation& each : obligations.committed) records = std::max(records, each.seq + 1);
  Arrivals arrivals(obligations, records);
  if (!read_arrivals(arrivals, exported)) return false;
  std::array<Row, 3> rows{};
  for (std::uint32_t child = 0; child < obligations.children; ++child) {
    ++rows[static_cast<std::size_t>(ending_of(child))].children;
  }
  for (const Obligation& each : obligations.committed) {
    Row& row = rows[static_cast<std::size_t>(ending_of(each.child))];
    const std::uint32_t times = arrivals.of(each);
    ++row.committed;
    if (times > 0) ++row.arrived;
    if (times > 1) ++row.twice;
  }
  return print_table(rows, arrivals.mangled());
}

}  // namespace shmring::demo
