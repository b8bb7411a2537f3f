/* SPDX-License-Identifier: Apache-2.0 */
/* Writes one record into a ring whose path is the only argument, in C. */
#include <shmring/shmring.h>
#include <stdio.h>

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  shmring_open_options options = SHMRING_OPEN_OPTIONS_INIT;
  options.path = argv[1];
  options.capacity_bytes = 1U << 20U;
  shmring_ring* ring = NULL;
  shmring_logger* logger = NULL;
  if (shmring_open(&options, &ring) != 0 ||
      shmring_logger_new(ring, shmring_str("package-test"), shmring_str(shmring_version()), &logger) != 0) {
    (void)fprintf(stderr, "%s\n", shmring_error_message());
    return 1;
  }
  const shmring_log_record record = {
      .size = sizeof(record), .severity_number = 9, .body = shmring_string_value("hello from C")};
  const int error = shmring_log(logger, &record);
  (void)printf("shmring %s: %s\n", shmring_version(), shmring_strerror(error));
  shmring_logger_free(logger);
  shmring_close(ring);
  return error == 0 ? 0 : 1;
}
