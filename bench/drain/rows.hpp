// SPDX-License-Identifier: Apache-2.0
// What there is to measure of the flusher, up to the finished request.
#pragma once

namespace shmring::bench {

/// Cost of a record by number of records, of writers, of scopes, and by size.
void register_pipeline_rows();
/// Cost of a tick that finds nothing, or a record of each writer.
void register_tick_rows();

/// Whether a record was dropped or lost in any row so far.
bool has_failed() noexcept;
void fail_row(const char* reason) noexcept;

}  // namespace shmring::bench
