// SPDX-License-Identifier: Apache-2.0
// promise_emitter RING OBLIGATIONS_FD RECORDS ENDING: writes records, then ends as it is told to, doing nothing for them.
#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string_view>
#include <thread>

#include "shmring/shmring.hpp"
#include "tests/support/obligations.hpp"
#include "tests/support/shared_page.hpp"

namespace {

using shmring::testing::emit_many;

[[noreturn]] void become_another_program() {
  ::execl("/bin/true", "true", nullptr);
  std::abort();
}

int run(int argc, char** argv) {
  if (argc != 5) return 2;
  const auto ring = shmring::Ring::open(argv[1], {.service_name = "test"});
  if (!ring) {
    std::fprintf(stderr, "%s\n", ring.error().message.c_str());
    return 3;
  }
  const shmring::testing::Shared<shmring::testing::Obligations> obligations(std::atoi(argv[2]));
  const auto records = static_cast<std::uint32_t>(std::atoi(argv[3]));
  const std::string_view ending = argv[4];
  const shmring::Logger logger = ring->logger("test");
  if (ending == "exec from a thread") {
    std::thread([&] {
      if (emit_many(logger, *obligations, records) == records) become_another_program();
    }).join();
    return 1;
  }
  if (ending == "end of a thread") {
    std::thread([&] { emit_many(logger, *obligations, records); }).join();
    return 0;
  }
  if (emit_many(logger, *obligations, records) != records) return 1;
  if (ending == "exit") std::exit(0);
  if (ending == "quick_exit") std::quick_exit(0);
  if (ending == "_exit") ::_exit(0);
  if (ending == "exec") become_another_program();
  if (ending == "abort") {
    ::signal(SIGABRT, SIG_DFL);
    std::abort();
  }
  if (ending == "SIGKILL") ::raise(SIGKILL);
  if (ending == "SIGSEGV") {
    ::signal(SIGSEGV, SIG_DFL);  // a sanitizer's handler would make an exit code of it
    ::raise(SIGSEGV);
  }
  return ending == "return" ? 0 : 2;
}

}  // namespace

int main(int argc, char** argv) { return run(argc, argv); }
