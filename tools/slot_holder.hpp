// SPDX-License-Identifier: Apache-2.0
// Who holds a writer slot, as the slot says it: for people, who must find that thread again.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

#include "libshmring/ring_file.hpp"

namespace shmring::tools {

struct SlotHolder {
  std::uint32_t slot = 0;
  bool is_registering = false;  // then only `thread` is its own; the rest is left of the slot's former holder
  std::uint32_t pid = 0;        // in its own pid namespace, as `thread`
  std::uint32_t thread = 0;
  std::uint64_t pid_namespace = 0;                   // inode of its /proc/self/ns/pid; 0: unknown
  std::string command = {};                          // as it stands there: anything
  std::optional<std::chrono::nanoseconds> age = {};  // since it registered
};

/// REQUIRES: index is below the number of slots.
SlotHolder holder_of(const RingFile& ring, std::uint32_t index);

/// "thread 7 of process 5 (worker) in pid namespace 4026532281, registered 3 min 20 s ago"
std::string to_text(const SlotHolder& holder);

}  // namespace shmring::tools
