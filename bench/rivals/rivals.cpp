// SPDX-License-Identifier: Apache-2.0
// The order in which rivals stand in the tables.
#include "bench/rivals/rivals.hpp"

namespace shmring::bench {

void add_rival_rows(Rows& rows) { add_fetch_add_ring(rows); }

}  // namespace shmring::bench
