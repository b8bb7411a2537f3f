// SPDX-License-Identifier: Apache-2.0
// The configuration in force.

#include "flusher/configuration.hpp"

#include <algorithm>
#include <sstream>
#include <utility>

#include "flusher/describe.hpp"
#include "flusher/destinations.hpp"

namespace shmring::flusher {
namespace {

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> out;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) out.push_back(line);
  return out;
}

std::string joined(const std::vector<std::string>& words) {
  std::string out;
  for (const std::string& word : words) out += (out.empty() ? "" : ",") + word;
  return out;
}

Reload refuse(Log& log, const std::string& reason) {
  log.write(LogLevel::kError, "reload_refused",
            {field("reason", reason),
             field("hint", "the configuration from before stays in force, nothing is lost")});
  return Reload::kRefused;
}

/// What is wrong with it for a flusher that runs; empty: nothing.
std::string why_unusable(const Config& running, const Config& next, EventLoop& loop, Log& log) {
  if (const auto fixed = fixed_differences(running, next); !fixed.empty())
    return "cannot be changed while the flusher runs, restart it: " + joined(fixed);
  // Made and thrown away: what cannot be opened shows now.
  const auto destinations =
      Destinations::create(next, loop, log, {.on_possible_duplicates = [](const Batch&) {}});
  return destinations ? "" : destinations.error().message;
}

}  // namespace

std::vector<std::string> fixed_differences(const Config& running, const Config& other) {
  std::vector<std::string> out;
  if (running.ring != other.ring) out.emplace_back("ring");
  if (running.once != other.once) out.emplace_back("once");
  if (running.replay_dead_letters != other.replay_dead_letters) out.emplace_back("replay-dead-letters");
  if (running.spool != other.spool) out.emplace_back("spool");
  if (running.metrics_listen != other.metrics_listen) out.emplace_back("metrics-listen");
  return out;
}

std::vector<std::string> differences(const Config& running, const Config& other) {
  const std::vector<std::string> before = lines_of(describe(running));
  std::vector<std::string> out;
  for (const std::string& line : lines_of(describe(other))) {
    if (std::find(before.begin(), before.end(), line) == before.end())
      out.push_back(line.substr(0, line.find(' ')));
  }
  for (std::size_t i = 0; i < kSignalCount; ++i) {  // the description hides what is in them
    const std::string name = std::string(to_string(static_cast<Signal>(i))) + "-headers";
    if (running.otlp[i].headers != other.otlp[i].headers &&
        std::find(out.begin(), out.end(), name) == out.end())
      out.push_back(name);
  }
  return out;
}

Reload Configuration::reload(EventLoop& loop, Log& log) {
  Invocation read = read_();
  if (read.action != Invocation::Action::kRun) {
    std::string reason = read.text.substr(0, read.text.find('\n'));
    if (const std::string prefix = "shmring-flusher: "; reason.starts_with(prefix))
      reason.erase(0, prefix.size());
    return refuse(log, reason);
  }
  if (read.config == config_) return Reload::kUnchanged;
  if (const std::string why = why_unusable(config_, read.config, loop, log); !why.empty())
    return refuse(log, why);
  for (const std::string& warning : read.warnings)
    log.write(LogLevel::kWarning, "configuration", {field("reason", warning)});
  log.write(LogLevel::kInfo, "reloaded", {field("changed", joined(differences(config_, read.config)))});
  before_ = std::exchange(config_, std::move(read.config));
  log.set_level(config_.log_level);
  return Reload::kDone;
}

bool Configuration::revert(Log& log) {
  if (!before_) return false;
  config_ = std::move(*before_);
  before_.reset();
  log.set_level(config_.log_level);
  log.write(
      LogLevel::kError, "reload_undone",
      {field("hint", "what it asks for could not be opened; the configuration from before is in force")});
  return true;
}

}  // namespace shmring::flusher
