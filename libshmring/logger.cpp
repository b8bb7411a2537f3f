// SPDX-License-Identifier: Apache-2.0
// What a Logger needs once, or seldom.

#include "shmring/logger.hpp"

#include "libshmring/ring_core.hpp"

namespace shmring {

// What a disabled logger's minimum severity points to.
constinit const std::atomic<std::uint32_t> Logger::nothing_passes{kNothingPasses};

Logger Ring::logger(std::string_view scope_name, std::string_view scope_version) const {
  const ProducerConfig& config = producer_config(*core_);
  return Logger(writer(), scope({scope_name, scope_version}),
                config.disabled ? &Logger::nothing_passes : min_severity(*core_), config.limits.log);
}

bool Logger::commit_selected(const LogRecord& record) const noexcept {
  wire::SelectionBuffer buffer;
  return commit(record, wire::select_attributes(record.attributes, limits_.count, buffer));
}

}  // namespace shmring
