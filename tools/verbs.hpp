// SPDX-License-Identifier: Apache-2.0
// The verbs of the `shmring` command, a file each. A function adds its verb's options to the command line and, when the
// verb was chosen, leaves in `run` what is to be done.
#pragma once

#include <span>
#include <string>

#include "tools/cli.hpp"

namespace shmring::tools {

void add_create(CLI::App& app, Run& run);
void add_status(CLI::App& app, Run& run);
void add_dump(CLI::App& app, Run& run);
void add_tap(CLI::App& app, Run& run);
void add_emit(CLI::App& app, Run& run);
/// `command`: what stands behind "--"; it never goes through the option parser.
void add_exec(CLI::App& app, Run& run, std::span<char* const> command);
void add_fsck(CLI::App& app, Run& run);
void add_recover(CLI::App& app, Run& run);
void add_flusher(CLI::App& app, Run& run);
void add_bench(CLI::App& app, Run& run);

}  // namespace shmring::tools
