// SPDX-License-Identifier: Apache-2.0
// shmring-flusher: drains a ring on a fixed schedule and exports its records.

#include <google/protobuf/stubs/logging.h>
#include <malloc.h>

#include <csignal>
#include <cstdio>
#include <exception>

#include "flusher/check.hpp"
#include "flusher/configuration.hpp"
#include "flusher/daemon.hpp"
#include "flusher/invocation.hpp"
#include "flusher/log.hpp"

namespace {

// Large buffers go back to the system when a burst is over, so that the memory limit means something.
void keep_memory_low() {
  constexpr int kLarge = 256 << 10;
  mallopt(M_MMAP_THRESHOLD, kLarge);
  mallopt(M_TRIM_THRESHOLD, 2 * kLarge);
  mallopt(M_ARENA_MAX, 2);
}

int check(const shmring::flusher::Invocation& invocation) {
  std::signal(SIGPIPE, SIG_IGN);
  std::fputs(invocation.text.c_str(), stdout);
  for (const std::string& warning : invocation.warnings) std::printf("warning: %s\n", warning.c_str());
  const shmring::flusher::CheckResult result = shmring::flusher::try_destinations(invocation.config);
  std::printf("\n%s", result.text.c_str());
  return result.is_fine ? shmring::flusher::kExitFine : shmring::flusher::kExitBadNews;
}

int run(int argc, char** argv) {
  using namespace shmring::flusher;
  const Invocation invocation = parse_invocation(argc, argv, process_environment);
  if (invocation.action == Invocation::Action::kPrint) {
    std::fputs(invocation.text.c_str(), invocation.exit_code == kExitFine ? stdout : stderr);
    return invocation.exit_code;
  }
  google::protobuf::SetLogHandler(nullptr);  // a server's answer must not write lines of its own into our log
  if (invocation.action == Invocation::Action::kCheck) return check(invocation);
  keep_memory_low();
  Log log(invocation.config.log_level);
  for (const std::string& warning : invocation.warnings)
    log.write(LogLevel::kWarning, "configuration", {field("reason", warning)});
  Configuration configuration(invocation.config,
                              [&] { return parse_invocation(argc, argv, process_environment); });
  return run_daemon(configuration, log);
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return run(argc, argv);
  } catch (const std::exception& error) {  // of a library, or out of memory; the ring keeps what it has
    std::fprintf(stderr, "shmring-flusher: %s\n", error.what());
    return shmring::flusher::kExitBadNews;
  }
}
