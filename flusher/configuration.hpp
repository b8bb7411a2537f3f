// SPDX-License-Identifier: Apache-2.0
// The configuration in force, and what SIGHUP makes of it: read anew, checked, taken as a whole or not at all.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "flusher/config.hpp"
#include "flusher/event_loop.hpp"
#include "flusher/invocation.hpp"
#include "flusher/log.hpp"
#include "flusher/metrics.hpp"

namespace shmring::flusher {

/// Options that differ and that only a restart can change: the ring, the spool's folder, the metrics' address, --once.
std::vector<std::string> fixed_differences(const Config& running, const Config& other);

/// Names of all options that differ, as --check shows them.
std::vector<std::string> differences(const Config& running, const Config& other);

class Configuration {
 public:
  /// The same command line and environment, and the configuration file as it is then.
  using Read = std::function<Invocation()>;

  Configuration(Config config, Read read) : config_(std::move(config)), read_(std::move(read)) {}

  const Config& current() const noexcept { return config_; }

  /// kRefused: the log says why, and nothing has changed.
  Reload reload(EventLoop& loop, Log& log);

  /// What reload() took is in use: there is no way back.
  void keep() noexcept { before_.reset(); }
  /// What reload() took turned out to be unusable: the one before is in force again. False: there is none.
  bool revert(Log& log);

 private:
  Config config_;
  std::optional<Config> before_;
  Read read_;
};

}  // namespace shmring::flusher
