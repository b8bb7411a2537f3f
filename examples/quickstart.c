/* SPDX-License-Identifier: Apache-2.0 */
/* A log record and a span, in C. The example of the README. */
#include <stdio.h>

#include <shmring/shmring.h>

int main(int argc, char** argv) {
  shmring_open_options options = SHMRING_OPEN_OPTIONS_INIT;
  options.path = argc > 1 ? argv[1] : NULL; /* NULL: the default ring */
  options.service_name = "shop";
  shmring_ring* ring = NULL;
  if (shmring_open(&options, &ring) != 0) {
    (void)fprintf(stderr, "quickstart: %s\n", shmring_error_message());
    return 1;
  }
  shmring_logger* logger = NULL;
  shmring_tracer* tracer = NULL;
  shmring_span* span = NULL;
  if (shmring_logger_new(ring, shmring_str("checkout"), shmring_str("1.4.0"), &logger) != 0 ||
      shmring_tracer_new(ring, shmring_str("checkout"), shmring_str("1.4.0"), &tracer) != 0 ||
      shmring_span_start(tracer, shmring_str("charge card"), NULL, &span) != 0) {
    (void)fprintf(stderr, "quickstart: %s\n", shmring_error_message());
    return 1;
  }
  shmring_span_context context;
  (void)shmring_span_get_context(span, &context);

  const shmring_attribute attributes[] = {shmring_attr("order.id", shmring_int_value(4711)),
                                          shmring_attr("customer", shmring_string_value("Ada"))};
  const shmring_log_record record = {.size = sizeof(record),
                                     .severity_number = 9, /* INFO */
                                     .body = shmring_string_value("order placed"),
                                     .attributes = {attributes, 2},
                                     .trace = context.trace};
  int error = shmring_log(logger, &record); /* 0: committed, and safe whatever becomes of this process */
  if (error == 0) error = shmring_span_end(span, 0);
  if (error != 0) (void)fprintf(stderr, "quickstart: %s\n", shmring_strerror(error));
  shmring_tracer_free(tracer);
  shmring_logger_free(logger);
  shmring_close(ring);
  return error == 0 ? 0 : 1;
}
