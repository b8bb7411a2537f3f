// SPDX-License-Identifier: Apache-2.0
// The command line that all programs of the harness have:
//
//   [--filter REGEX] [--repetitions N] [--visit-ms N] [--stamped-ms N]   measures, and writes JSON to standard output
//   --list                                                               the rows: id, tab, operations between two drains
//   --only ROW --operations N                                            does this often what the row measures, and no more
#pragma once

#include "bench/harness/row.hpp"

namespace shmring::bench {

/// Exit code: 1 when a row broke, 2 for wrong usage.
int run_program(const Rows& rows, int argc, char** argv);

}  // namespace shmring::bench
