// SPDX-License-Identifier: Apache-2.0
// The one place that reads the environment variables of a producer, by the rules of the specification
// ("Environment Variable Specification"): an empty variable counts as unset; names of choices and booleans
// are taken in any case; a value that cannot be used is ignored, as if unset, and noted.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "libshmring/sampler.hpp"
#include "shmring/clock.hpp"
#include "shmring/limits.hpp"

namespace shmring {

struct ProducerConfig {
  Limits limits = {};
  SamplerConfig sampler = {};
  bool disabled = false;           // OTEL_SDK_DISABLED
  Clock clock = Clock::kRealtime;  // SHMRING_CLOCK
  // One line for each variable whose value was ignored: for people. The library prints nothing; tools may
  // show it.
  std::vector<std::string> ignored = {};
};

/// The variable's value; nullopt when it is unset or empty. Thread-safe unless another thread changes the
/// environment.
std::optional<std::string_view> environment(const char* name) noexcept;

/// Everything that the encoders and the sampler are told by the environment, read now.
ProducerConfig read_producer_config();

}  // namespace shmring
