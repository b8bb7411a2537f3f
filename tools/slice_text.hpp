// SPDX-License-Identifier: Apache-2.0
// The records of a slice as text, for verbs that print what a ring holds.
#pragma once

#include <string>

#include "tools/cli.hpp"
#include "tools/record.hpp"

namespace shmring::tools {

/// kJson: one export request with all records, as a line of an OTLP JSON file; nothing when there is none. kPretty: a line for
/// each. Walks `records` to their end.
std::string slice_text(CheckedRecords& records, Signal signal, Format format);

}  // namespace shmring::tools
