// SPDX-License-Identifier: Apache-2.0
// What a run found, as JSON. Programs of other languages (rivals/python, rivals/rust) write the same:
//
//   {"context": {"cores", "version", "compiler", "build_type"},   (only the programs of C++)
//    "rows": [{"name", "label", "record", "group": "floor" | "shmring" | "rival", "producers",
//              "skipped": "why"   or   "ns": [one per visit], "latency": [[nanoseconds at most, how often], ...]}, ...]}
#pragma once

#include <string>
#include <vector>

#include "bench/harness/run.hpp"

namespace shmring::bench {

std::string to_json(const std::vector<RowResult>& results);

/// The groups' names in JSON and in tables.
const char* name_of(Group group) noexcept;

}  // namespace shmring::bench
