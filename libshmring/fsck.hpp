// SPDX-License-Identifier: Apache-2.0
// Checks every invariant of layout.hpp on a ring at rest, and says what is wrong, where, and whose.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "libshmring/ring_file.hpp"

namespace shmring {

struct Finding {
  enum class Severity : std::uint8_t {
    kNote,    // mends itself, or harms nobody
    kDamage,  // no code of ours leaves this behind, however it is killed
  };
  Severity severity = Severity::kDamage;
  std::string where;  // "block 17", "slot 3", "header"
  std::string what;   // a sentence
  std::string who =
      {};  // the writer whose it is: slot, process, thread, program; empty: nobody's in particular
};

/// Findings in file order; empty: all is well. Safe on any content.
std::vector<Finding> fsck(const RingFile& ring);

/// What is wrong with the constant part of a header, field by field, also where RingFile::attach() refuses it. `file_bytes`: the
/// file's length.
std::vector<Finding> fsck_identity(const RingIdentity& identity, std::uint64_t file_bytes);

/// "writer slot 3 (pid 41, thread 44, command worker, gone)". Safe on any content.
std::string describe_writer(const RingFile& ring, std::uint32_t slot);

}  // namespace shmring
