// SPDX-License-Identifier: Apache-2.0
// How many system calls something makes, counted by ptrace in a forked child.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>

namespace shmring::bench {

/// Of `times` calls of `work` together. nullopt: the child may not be traced, or it failed.
std::optional<std::uint64_t> system_calls_of(std::uint32_t times, const std::function<void()>& work);

}  // namespace shmring::bench
