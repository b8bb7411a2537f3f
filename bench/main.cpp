// SPDX-License-Identifier: Apache-2.0
// shmring-bench: what a record costs, ours and every rival's, in one run. harness/program.hpp has the command line.
#include "bench/harness/program.hpp"
#include "bench/rivals/rivals.hpp"

int main(int argc, char** argv) {
  shmring::bench::Rows rows;
  shmring::bench::add_shmring_rows(rows);
  shmring::bench::add_shmring_situations(rows);
  shmring::bench::add_rival_rows(rows);
  shmring::bench::add_floor_rows(rows);
  return shmring::bench::run_program(rows, argc, argv);
}
