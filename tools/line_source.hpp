// SPDX-License-Identifier: Apache-2.0
// What emit and exec share: a ring to write to, and lines that become log records.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "shmring/logger.hpp"
#include "shmring/result.hpp"
#include "shmring/ring.hpp"
#include "tools/cli.hpp"

namespace shmring::tools {

/// The named ring, which must be there; the default one is made when it is not. `service`: for service.name; empty: what the
/// environment says.
Result<Ring> open_to_write(const RingArgument& ring, std::string service);

/// Whether the environment already says who writes (OTEL_SERVICE_NAME, or service.name in OTEL_RESOURCE_ATTRIBUTES).
bool environment_names_service();

/// The longest line that fits into a record with these attributes; longer ones are split.
std::size_t max_line_bytes(const Ring& ring, const Attributes& attributes);

/// Emits records and counts what became of them.
class CountingLogger {
 public:
  explicit CountingLogger(Logger logger) : logger_(logger) {}

  void emit(const LogRecord& record) noexcept {
    if (!logger_.enabled(record.severity)) {
      ++refused_;
    } else if (logger_.emit(record)) {
      ++emitted_;
    } else {
      ++dropped_;
    }
  }

  std::uint64_t dropped() const noexcept { return dropped_; }
  /// On standard error, for "records" or "lines": what did not get into the ring, if anything.
  void complain_about_rest(std::string_view verb, std::string_view what) const;

 private:
  Logger logger_;
  std::uint64_t emitted_ = 0;
  std::uint64_t dropped_ = 0;
  std::uint64_t refused_ = 0;  // by the ring's minimum severity or OTEL_SDK_DISABLED: no drops
};

/// The library says why it drops, once per cause, on standard error: "shmring VERB: ...". The name must live on.
void report_drops_as(const char* verb);

}  // namespace shmring::tools
