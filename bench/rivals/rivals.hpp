// SPDX-License-Identifier: Apache-2.0
// The rivals: one file each, next to this one. Each registers its own rows.
#pragma once

#include "bench/harness/row.hpp"

namespace shmring::bench {

void add_fetch_add_ring(Rows& rows);

/// All that this program was built with, in the order of the tables.
void add_rival_rows(Rows& rows);

}  // namespace shmring::bench
