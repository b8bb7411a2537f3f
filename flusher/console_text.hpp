// SPDX-License-Identifier: Apache-2.0
// Records for people: one a line, control characters escaped.
#pragma once

#include <string>
#include <string_view>

#include "shmring/signal.hpp"

namespace shmring::flusher {

/// Appends a line for each record of an export request. False: the request cannot be read.
bool append_console_text(Signal signal, std::string_view request, std::string& out);

}  // namespace shmring::flusher
