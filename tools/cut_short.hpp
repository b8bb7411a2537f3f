// SPDX-License-Identifier: Apache-2.0
// What a verb says when the ring's file was cut short while it looked.
#pragma once

#include <string_view>

#include "libshmring/page_guard.hpp"
#include "libshmring/ring_file.hpp"
#include "tools/cli.hpp"

namespace shmring::tools {

/// `exit_code`; or bad news: a part of what was shown is made of zeroes.
inline int unless_cut_short(std::string_view verb, const RingFile& ring, const PageGuard& guard,
                            int exit_code) {
  if (!guard.has_lost_pages()) return exit_code;
  const auto valid = ring.still_valid();
  complain(verb, valid ? ring.path().string() + ": a part of it could not be read" : valid.error().message);
  return kBadNews;
}

}  // namespace shmring::tools
