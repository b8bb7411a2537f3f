// SPDX-License-Identifier: Apache-2.0
// A record in one line, for people.
#pragma once

#include <string>

#include "tools/record.hpp"

namespace shmring::tools {

/// Time (UTC), severity or kind, service[pid], scope, what it says, its attributes; ends with a newline. All text in it is
/// escaped().
std::string pretty(const DecodedRecord& record);

/// A value as pretty() shows it: strings as in_quotes(), bytes in hex, [..] and {..}.
std::string pretty(const opentelemetry::proto::common::v1::AnyValue& value);

/// "2026-11-21T00:16:34.123456Z"; "-" for 0.
std::string format_time(std::uint64_t unix_nano);

}  // namespace shmring::tools
