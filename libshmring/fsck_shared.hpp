// SPDX-License-Identifier: Apache-2.0
// The parts of fsck that look at what all blocks share.
#pragma once

#include <vector>

#include "libshmring/fsck.hpp"

namespace shmring {

void check_header(const RingFile& ring, std::vector<Finding>& findings);
void check_slot(const RingFile& ring, std::uint32_t index, std::vector<Finding>& findings);

}  // namespace shmring
