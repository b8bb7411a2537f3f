// SPDX-License-Identifier: Apache-2.0
// Writes one record into a ring whose path is the only argument.

#include <shmring/shmring.hpp>

#include <cstdio>

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  auto ring = shmring::Ring::open_or_create({.path = argv[1], .capacity_bytes = 1U << 20U});
  if (!ring) {
    std::fprintf(stderr, "%s\n", ring.error().message.c_str());
    return 1;
  }
  const shmring::Logger log = ring->logger("package-test", shmring::kVersion);
  const bool committed = log.emit(shmring::Severity::kInfo, "hello from outside the tree", {{"answer", 42}});
  std::printf("shmring %s: %s\n", shmring::kVersion, committed ? "committed" : "dropped");
  return committed ? 0 : 1;
}
