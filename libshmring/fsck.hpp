// SPDX-License-Identifier: Apache-2.0
// Checks every invariant of layout.hpp on a ring at rest, and says what is wrong, where, and whose.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "libshmring/ring_file.hpp"

namespace shmring {

struct Finding {
  enum class Severity : std::uint8_t { kNote, kDamage };
  Severity severity = Severity::kDamage;
  std::string where;  // "block 17", "slot 3", "header"
  std::string what;   // a sentence
};

/// Findings in file order; empty: all is well. Safe on any content.
std::vector<Finding> fsck(const RingFile& ring);

}  // namespace shmring
