// SPDX-License-Identifier: Apache-2.0
// How long a connection is used again.
#pragma once

#include <chrono>

namespace shmring::flusher {

/// libcurl counts whole seconds: a connection of `idle` and a half is still used.
struct ConnectionLimits {
  std::chrono::seconds idle{
      30};  // unused; servers close it later (the Collector after 60 s), so not while we send
  std::chrono::seconds lifetime{
      300};  // since it was opened: then a name may lead elsewhere, and a balancer chooses anew
};

}  // namespace shmring::flusher
