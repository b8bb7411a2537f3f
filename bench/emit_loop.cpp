// SPDX-License-Identifier: Apache-2.0
// shmring-emit-loop N: emits N log records to a ring of its own and ends. Two runs under an instruction counter, with
// different N, give the instructions that one record takes.
#include <cstdio>
#include <cstdlib>

#include "bench/bench_ring.hpp"
#include "bench/sample_records.hpp"

int main(int argc, char** argv) {
  const unsigned long records = argc == 2 ? std::strtoul(argv[1], nullptr, 10) : 0;
  if (records == 0 || records > 65'536)
    return std::fputs("usage: shmring-emit-loop RECORDS  (1 to 65536)\n", stderr), 2;
  const auto ring = shmring::bench::BenchRing::create();
  if (!ring) return std::fprintf(stderr, "shmring-emit-loop: %s\n", ring.error().message.c_str()), 1;
  const shmring::Logger log = (*ring)->ring().logger("shop.orders", "1.4.0");
  const shmring::bench::SampleRecords samples;
  for (unsigned long i = 0; i < records; ++i) {
    if (!samples.emit_log(log, i)) return std::fputs("shmring-emit-loop: a record was dropped\n", stderr), 1;
  }
  return 0;
}
