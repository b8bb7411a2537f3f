// SPDX-License-Identifier: Apache-2.0
// --check: says what the configuration means, and tries every place that records would go to.
#pragma once

#include <string>

#include "flusher/config.hpp"

namespace shmring::flusher {

struct CheckResult {
  std::string text;     // a line for each destination and signal
  bool is_fine = true;  // each of them would take records now
};

/// Sends an empty request for each signal to its endpoint, which servers answer with success, and looks whether files can be
/// written. Takes no record from any ring. May take as long as the longest timeout, but no more than ten seconds.
CheckResult try_destinations(const Config& config);

}  // namespace shmring::flusher
