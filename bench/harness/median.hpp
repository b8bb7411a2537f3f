// SPDX-License-Identifier: Apache-2.0
// The middle one of several values: what somebody else did to the machine moves it least.
#pragma once

#include <algorithm>
#include <cstddef>
#include <vector>

namespace shmring::bench {

/// REQUIRES: not empty. The upper one of two in the middle.
inline double median(std::vector<double> values) {
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

}  // namespace shmring::bench
