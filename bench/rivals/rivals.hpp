// SPDX-License-Identifier: Apache-2.0
// The rivals: one file each, next to this one. Each registers its own rows; CMake decides which of them this machine has
// and makes add_rival_rows() of them, in the order of the tables.
#pragma once

#include <string>

#include "bench/harness/row.hpp"

namespace shmring::bench {

void add_fetch_add_ring(Rows& rows);
void add_moodycamel(Rows& rows);
void add_message_queue(Rows& rows);
void add_pipe(Rows& rows);
void add_unix_datagram(Rows& rows);
void add_spdlog(Rows& rows);

/// A row that says why it is not measured.
void add_absent(Rows& rows, const About& about, const std::string& reason);

void add_rival_rows(Rows& rows);

}  // namespace shmring::bench
