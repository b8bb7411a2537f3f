// SPDX-License-Identifier: Apache-2.0
// How a fuzz target says that something does not hold: it ends the process, which libFuzzer and ctest both notice.
#pragma once

#include <cstdio>
#include <cstdlib>
#include <string_view>

namespace shmring::fuzz {

inline void check(bool holds, std::string_view what) {
  if (holds) return;
  std::fprintf(stderr, "does not hold: %.*s\n", static_cast<int>(what.size()), what.data());
  std::abort();
}

}  // namespace shmring::fuzz
