// SPDX-License-Identifier: Apache-2.0
// The OTEL_EXPORTER_OTLP_ family of options: each for all signals, and for one.
#pragma once

#include <vector>

#include "flusher/config.hpp"
#include "flusher/settings.hpp"
#include "shmring/result.hpp"

namespace shmring::flusher {

void add_otlp_settings(std::vector<Setting>& all);

void add_proxy_setting(std::vector<Setting>& all);

/// Makes the URLs, which depend on several options together. The error names the signal.
Result<void> resolve_targets(Config& config);

/// Of endpoints with https.
Result<void> check_tls_files(const Config& config);

}  // namespace shmring::flusher
