// SPDX-License-Identifier: Apache-2.0
// Rewrites a payload whose only fault is text that is not UTF-8.
#pragma once

#include <cstddef>
#include <vector>

#include "libshmring/otlp/schema.hpp"
#include "libshmring/otlp/wire.hpp"

namespace shmring::otlp {

// Writes the payload to `out` (whose content is replaced) with a U+FFFD for every invalid sequence in a string field
// and the lengths around it corrected; all other bytes stay as they are. Throws std::bad_alloc.
// REQUIRES: inspect(type, payload) gives no reason against it.
void repair_text(MessageType type, Bytes payload, std::vector<std::byte>& out);

}  // namespace shmring::otlp
