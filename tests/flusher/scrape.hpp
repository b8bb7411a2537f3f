// SPDX-License-Identifier: Apache-2.0
// The program's metrics as a scraper sees them.
#pragma once

#include <map>
#include <optional>
#include <regex>
#include <sstream>
#include <string>

#include "tests/support/eventually.hpp"
#include "tests/support/flusher_process.hpp"
#include "tests/support/http_get.hpp"

namespace shmring::testing {

/// By name and labels, the labels in the order of their names: name{a="x",b="y"}.
class Scrape {
 public:
  explicit Scrape(const std::string& text) {
    std::istringstream in(text);
    for (std::string line; std::getline(in, line);) {
      if (line.empty() || line[0] == '#') continue;
      const std::size_t space = line.rfind(' ');
      values_[in_order(line.substr(0, space))] = std::stod(line.substr(space + 1));
    }
  }
  bool has(const std::string& key) const { return values_.count(key) > 0; }
  /// nullopt: there is no such value.
  std::optional<double> operator[](const std::string& key) const {
    const auto found = values_.find(key);
    if (found == values_.end()) return std::nullopt;
    return found->second;
  }
  const std::map<std::string, double>& all() const { return values_; }

 private:
  static std::string in_order(const std::string& key) {
    const std::size_t brace = key.find('{');
    if (brace == std::string::npos) return key;
    static const std::regex label(R"re((\w+)="([^"]*)")re");
    std::map<std::string, std::string> labels;
    for (std::sregex_iterator each(key.begin() + static_cast<std::ptrdiff_t>(brace), key.end(), label), end;
         each != end; ++each)
      labels[(*each)[1]] = (*each)[2];
    std::string out = key.substr(0, brace) + "{";
    for (const auto& [name, value] : labels) {
      if (out.back() != '{') out += ',';
      out.append(name).append("=\"").append(value).append("\"");
    }
    return out + "}";
  }

  std::map<std::string, double> values_;
};

/// Where a flusher that was started with --metrics-listen 0 answers; empty: it does not say.
inline std::string metrics_url(const FlusherProcess& flusher) {
  std::smatch found;
  std::string log;
  const std::regex address("event=metrics_listening address=([0-9.:]+)");
  const bool is_said = eventually([&] {
    log = flusher.log_text();
    return std::regex_search(log, found, address);
  });
  return is_said ? "http://" + found[1].str() : "";
}

inline Scrape scrape(const std::string& url) { return Scrape(http_get(url + "/metrics").body); }

}  // namespace shmring::testing
