// SPDX-License-Identifier: Apache-2.0
// How many blocks and slots of which size a damaged ring has, and where they lie.
#pragma once

#include <optional>
#include <span>

#include "libshmring/file_image.hpp"
#include "libshmring/recover.hpp"

namespace shmring {

struct FoundSizes {
  Geometry geometry;
  SizesFrom from = SizesFrom::kHeader;
};

/// From the options if they say it all, from the header if what it says fits together, else by search: the sizes that make
/// just this length of file and under which descriptors and blocks fit each other best.
std::optional<FoundSizes> find_sizes(const FileImage& image, const RingIdentity& identity,
                                     const RecoverOptions& options);

}  // namespace shmring
