// SPDX-License-Identifier: Apache-2.0
// The configuration in words, for --check.
#pragma once

#include <string>

#include "flusher/config.hpp"

namespace shmring::flusher {

/// All values in force, in the form of a configuration file, aligned, without secrets.
std::string describe(const Config& config);

}  // namespace shmring::flusher
