// SPDX-License-Identifier: Apache-2.0
// The version of the library. CMake reads these three numbers from here; they have no other home.
#pragma once

namespace shmring {

inline constexpr int kVersionMajor = 0;
inline constexpr int kVersionMinor = 1;
inline constexpr int kVersionPatch = 0;

inline constexpr const char* kVersion = "0.1.0";

}  // namespace shmring
