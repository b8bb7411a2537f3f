// SPDX-License-Identifier: Apache-2.0
// A plug-in as an interpreter would load it: one function with C linkage, which writes a record.
#include "shmring/shmring.hpp"

extern "C" [[gnu::visibility("default")]] int write_a_record(const char* path) {
  const auto ring = shmring::Ring::open(path, {.service_name = "test"});
  return ring && ring->logger("test").emit(shmring::Severity::kInfo, "from a plug-in") ? 0 : 1;
}
