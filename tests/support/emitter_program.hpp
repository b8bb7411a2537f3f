// SPDX-License-Identifier: Apache-2.0
// The program promise_emitter: another executable that writes records and ends in a way of one's choice.
#pragma once

#include <unistd.h>

#include <cstdint>
#include <string>

#include "tests/support/child.hpp"
#include "tests/support/promise.hpp"

namespace shmring::testing {

/// What promise_emitter is told to end by, and how that looks from outside.
struct Ending {
  const char* name;
  int signal;  // 0: exit code 0
};
inline constexpr Ending kEndings[] = {{"return", 0},          {"exit", 0},        {"quick_exit", 0},
                                      {"_exit", 0},           {"exec", 0},        {"exec from a thread", 0},
                                      {"end of a thread", 0}, {"abort", SIGABRT}, {"SIGKILL", SIGKILL},
                                      {"SIGSEGV", SIGSEGV}};

/// The child's part: becomes the emitter. Does not return.
[[noreturn]] inline void become_emitter(const Promise& promise, std::uint32_t records, const char* ending) {
  const std::string fd = std::to_string(promise.obligations_fd());
  const std::string count = std::to_string(records);
  ::execl(SHMRING_EMITTER, SHMRING_EMITTER, promise.scratch().path().c_str(), fd.c_str(), count.c_str(),
          ending, nullptr);
  ::_exit(127);
}

inline Child start_emitter(const Promise& promise, std::uint32_t records, const char* ending) {
  return Child::forked([&]() -> int { become_emitter(promise, records, ending); });
}

}  // namespace shmring::testing
