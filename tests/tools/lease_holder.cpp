// SPDX-License-Identifier: Apache-2.0
// Holds a ring's lease until SIGTERM, as a flusher does: lease_holder RING fresh|hung. It prints "ready" when it holds it. A
// hung one has no heartbeat and does not hear SIGTERM.
#include <signal.h>
#include <unistd.h>

#include <cstdio>
#include <string_view>

#include "libshmring/lease.hpp"
#include "libshmring/ring_file.hpp"

int main(int argc, char** argv) {
  if (argc != 3) return 2;
  const bool hung = std::string_view(argv[2]) == "hung";
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGTERM);
  sigprocmask(SIG_BLOCK, &set, nullptr);
  const auto ring = shmring::RingFile::attach(argv[1]);
  if (!ring) return 3;
  const auto lease = shmring::Lease::try_take(*ring);
  if (!lease) return 4;
  shmring::RingHeader& header = ring->header();
  if (hung) header.heartbeat_ns.store(1, std::memory_order_relaxed);
  header.interval_ms.store(hung ? 1 : 600'000, std::memory_order_relaxed);
  std::puts("ready");
  std::fflush(stdout);
  int signal = 0;
  while (sigwait(&set, &signal) == 0 && hung) {
  }
  return 0;
}
