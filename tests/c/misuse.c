/* SPDX-License-Identifier: Apache-2.0 */
/* Every function of shmring.h with what it must refuse: null handles and places, structs too small, numbers that are none. Each gives a code. Its
 * argument is a ring's path. */
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "shmring/shmring.h"

static int failures = 0;

static void check(int holds, const char* what, int line) {
  if (holds) return;
  (void)fprintf(stderr, "misuse.c:%d: not so: %s (%s)\n", line, what, shmring_error_message());
  ++failures;
}
#define CHECK(condition) check((condition) != 0, #condition, __LINE__)
#define REFUSED(call) CHECK((call) == SHMRING_E_INVALID_ARGUMENT)

static const shmring_text kNothing = {NULL, 0};
static const shmring_text kNull = {NULL, 5}; /* no text, whatever its size says */
static shmring_ring* const kStale =
    (shmring_ring*)(uintptr_t)16; /* what is no handle must not be left in place of one */

static void without_a_ring(void) {
  shmring_ring* ring = kStale;
  shmring_open_options options = SHMRING_OPEN_OPTIONS_INIT;
  for (size_t size = 0; size < sizeof(size_t); ++size) {
    options.size = size;
    CHECK(shmring_open(&options, &ring) == SHMRING_E_INCOMPATIBLE_VERSION && ring == NULL);
  }
  options.size = sizeof(options);
  REFUSED(shmring_open(&options, NULL));
  shmring_close(NULL);
  CHECK(shmring_path(NULL)[0] == '\0');
  CHECK(shmring_max_payload(NULL) == 0);
  REFUSED(shmring_set_min_severity(NULL, 0));
  REFUSED(shmring_prepare_thread(NULL));
  shmring_logger* logger = (shmring_logger*)(void*)kStale;
  REFUSED(shmring_logger_new(NULL, kNothing, kNothing, &logger));
  CHECK(logger == NULL);
  shmring_tracer* tracer = (shmring_tracer*)(void*)kStale;
  REFUSED(shmring_tracer_new(NULL, kNothing, kNothing, &tracer));
  CHECK(tracer == NULL);
  uint16_t scope = 7;
  REFUSED(shmring_scope(NULL, kNothing, kNothing, &scope));
  const shmring_scope_options described = SHMRING_SCOPE_OPTIONS_INIT;
  logger = (shmring_logger*)(void*)kStale;
  REFUSED(shmring_logger_new_for(NULL, &described, &logger));
  CHECK(logger == NULL);
  tracer = (shmring_tracer*)(void*)kStale;
  REFUSED(shmring_tracer_new_for(NULL, &described, &tracer));
  CHECK(tracer == NULL);
  REFUSED(shmring_scope_for(NULL, &described, &scope));
  shmring_slot slot;
  REFUSED(shmring_reserve(NULL, SHMRING_RECORD_LOG, 0, 8, &slot));
  REFUSED(shmring_commit(&slot, 0));
  shmring_abandon(&slot);
  REFUSED(shmring_write(NULL, SHMRING_RECORD_LOG, 0, "x", 1));
  shmring_status status = {.size = sizeof(status)};
  REFUSED(shmring_get_status(NULL, &status));
  shmring_set_error_handler(NULL);
}

static void without_a_place(const shmring_ring* ring) {
  REFUSED(shmring_logger_new(ring, kNothing, kNothing, NULL));
  REFUSED(shmring_tracer_new(ring, kNothing, kNothing, NULL));
  REFUSED(shmring_scope(ring, kNothing, kNothing, NULL));
  const shmring_scope_options described = SHMRING_SCOPE_OPTIONS_INIT;
  REFUSED(shmring_logger_new_for(ring, &described, NULL));
  REFUSED(shmring_tracer_new_for(ring, &described, NULL));
  REFUSED(shmring_scope_for(ring, &described, NULL));
  uint16_t scope = 7;
  shmring_scope_options sized = {.name = kNull, .version = kNull, .attributes = {NULL, 3}, .schema_url = kNull};
  for (; sized.size < sizeof(size_t); ++sized.size)
    CHECK(shmring_scope_for(ring, &sized, &scope) == SHMRING_E_INCOMPATIBLE_VERSION);
  for (; sized.size <= sizeof(sized); ++sized.size) CHECK(shmring_scope_for(ring, &sized, &scope) == 0 && scope == 0);
  CHECK(shmring_scope_for(ring, NULL, &scope) == SHMRING_E_INCOMPATIBLE_VERSION);
  REFUSED(shmring_reserve(ring, SHMRING_RECORD_LOG, 0, 8, NULL));
  REFUSED(shmring_commit(NULL, 0));
  shmring_abandon(NULL);
  REFUSED(shmring_write(ring, SHMRING_RECORD_LOG, 0, NULL, 1));
  REFUSED(shmring_write(ring, UINT32_MAX, 0, "x", 1));
  REFUSED(shmring_get_status(ring, NULL));
  REFUSED(shmring_set_min_severity(ring, UINT32_MAX));
  shmring_logger_free(NULL);
  shmring_tracer_free(NULL);
  shmring_trace_context context;
  memset(&context, 0, sizeof(context));
  char header[SHMRING_TRACEPARENT_SIZE];
  REFUSED(shmring_format_traceparent(NULL, header));
  REFUSED(shmring_format_traceparent(&context, NULL));
  REFUSED(shmring_format_traceparent(&context, header));
  REFUSED(shmring_parse_traceparent(kNull, &context));
  REFUSED(shmring_parse_traceparent(shmring_str("00-"), NULL));
}

static void a_status_of_less(const shmring_ring* ring) {
  shmring_status status;
  for (size_t size = 0; size < sizeof(size_t); ++size) {
    status.size = size;
    REFUSED(shmring_get_status(ring, &status));
  }
  for (size_t size = sizeof(size_t); size <= sizeof(status); size += 4) {
    memset(&status, 0x5A, sizeof(status));
    status.size = size;
    CHECK(shmring_get_status(ring, &status) == 0 && status.size == size);
    for (size_t i = size; i < sizeof(status); ++i) CHECK(((const unsigned char*)&status)[i] == 0x5A);
  }
}

static void logs(const shmring_ring* ring) {
  shmring_logger* logger = NULL;
  CHECK(shmring_logger_new(ring, kNull, kNull, &logger) == 0);
  shmring_log_record record = {.size = sizeof(record), .severity_number = 9};
  REFUSED(shmring_log(NULL, &record));
  CHECK(shmring_log_enabled(NULL, 9) == 0);
  CHECK(shmring_log(logger, NULL) == SHMRING_E_INCOMPATIBLE_VERSION);
  for (record.size = 0; record.size < sizeof(size_t); ++record.size)
    CHECK(shmring_log(logger, &record) == SHMRING_E_INCOMPATIBLE_VERSION);
  for (; record.size <= sizeof(record); ++record.size) CHECK(shmring_log(logger, &record) == 0);
  /* Kinds and numbers that nobody has given a meaning, containers without their elements, one that holds itself. */
  shmring_value endless[1] = {{SHMRING_ARRAY, 0, 1, {0}}};
  endless[0].as.array = endless;
  shmring_attribute attributes[8];
  memset(attributes, 0, sizeof(attributes));
  for (uint32_t i = 0; i < 8; ++i)
    attributes[i].key = shmring_str("k"), attributes[i].value.kind = i, attributes[i].value.size = 5;
  attributes[SHMRING_BOOL].key = kNull;
  attributes[SHMRING_ARRAY].value = endless[0];
  attributes[SHMRING_EMPTY].value.kind = 99;
  record = (shmring_log_record){
      .size = sizeof(record), .severity_number = UINT32_MAX, .severity_text = kNull, .event_name = kNull};
  record.body = endless[0];
  record.attributes.data = attributes;
  record.attributes.count = 8;
  CHECK(shmring_log(logger, &record) == 0);
  record.attributes.data = NULL;
  CHECK(shmring_log(logger, &record) == 0);
  shmring_logger_free(logger);
}

static void finished_spans(const shmring_tracer* tracer) {
  shmring_span_record span = {.size = sizeof(span),
                              .kind = 77,
                              .status = 99,
                              .parent_origin = 55,
                              .name = kNull,
                              .status_message = kNull};
  REFUSED(shmring_span_emit(NULL, &span));
  CHECK(shmring_span_emit(tracer, NULL) == SHMRING_E_INCOMPATIBLE_VERSION);
  span.size = 7;
  CHECK(shmring_span_emit(tracer, &span) == SHMRING_E_INCOMPATIBLE_VERSION);
  span.size = sizeof(span);
  REFUSED(shmring_span_emit(tracer, &span));
  span.context.trace.trace_id[15] = 1;
  REFUSED(shmring_span_emit(tracer, &span));
  span.context.trace.span_id[7] = 1;
  span.event_count = span.link_count = span.attributes.count = 5; /* of nothing */
  CHECK(shmring_span_emit(tracer, &span) == 0);
}

static void spans(const shmring_ring* ring) {
  shmring_tracer* tracer = NULL;
  CHECK(shmring_tracer_new(ring, kNothing, kNothing, &tracer) == 0);
  finished_spans(tracer);
  shmring_span* span = (shmring_span*)(void*)kStale;
  shmring_span_options options = SHMRING_SPAN_OPTIONS_INIT;
  REFUSED(shmring_span_start(NULL, kNothing, NULL, &span));
  CHECK(span == NULL);
  REFUSED(shmring_span_start(tracer, kNothing, NULL, NULL));
  options.size = 7;
  CHECK(shmring_span_start(tracer, kNothing, &options, &span) == SHMRING_E_INCOMPATIBLE_VERSION &&
        span == NULL);
  options.size = sizeof(options);
  options.kind = 77;
  options.link_count = options.attributes.count = 5;
  CHECK(shmring_span_start(tracer, kNull, &options, &span) == 0);
  shmring_span_context context;
  const shmring_event event = {.name = kNull, .attributes = {NULL, 5}};
  const shmring_link link = {.attributes = {NULL, 5}};
  CHECK(shmring_span_is_recording(NULL) == 0);
  REFUSED(shmring_span_get_context(NULL, &context));
  REFUSED(shmring_span_get_context(span, NULL));
  REFUSED(shmring_span_set_attributes(NULL, link.attributes));
  CHECK(shmring_span_set_attributes(span, link.attributes) == 0);
  REFUSED(shmring_span_add_event(NULL, &event));
  REFUSED(shmring_span_add_event(span, NULL));
  CHECK(shmring_span_add_event(span, &event) == 0);
  REFUSED(shmring_span_add_link(NULL, &link));
  REFUSED(shmring_span_add_link(span, NULL));
  CHECK(shmring_span_add_link(span, &link) == 0);
  REFUSED(shmring_span_set_status(NULL, SHMRING_STATUS_OK, kNothing));
  REFUSED(shmring_span_set_status(span, UINT32_MAX, kNothing));
  REFUSED(shmring_span_update_name(NULL, kNothing));
  CHECK(shmring_span_update_name(span, kNull) == 0);
  REFUSED(shmring_span_end(NULL, 0));
  CHECK(shmring_span_end(span, 0) == 0);
  shmring_tracer_free(tracer);
}

/* What was made from a ring stays usable when its handle is gone. */
static void after_closing(shmring_ring* ring) {
  shmring_logger* logger = NULL;
  shmring_tracer* tracer = NULL;
  shmring_span* span = NULL;
  CHECK(shmring_logger_new(ring, kNothing, kNothing, &logger) == 0 &&
        shmring_tracer_new(ring, kNothing, kNothing, &tracer) == 0);
  CHECK(shmring_span_start(tracer, shmring_str("longer"), NULL, &span) == 0);
  shmring_close(ring);
  const shmring_log_record record = {.size = sizeof(record)};
  CHECK(shmring_log(logger, &record) == 0);
  shmring_tracer_free(tracer);
  CHECK(shmring_span_end(span, 0) == 0);
  shmring_logger_free(logger);
}

int main(int argc, char** argv) {
  if (argc != 2) {
    (void)fprintf(stderr, "usage: misuse RING\n");
    return 2;
  }
  without_a_ring();
  shmring_ring* ring = NULL;
  shmring_open_options options = SHMRING_OPEN_OPTIONS_INIT;
  options.path = argv[1];
  options.capacity_bytes = 4U << 20U;
  if (shmring_open(&options, &ring) != 0) {
    (void)fprintf(stderr, "misuse: %s\n", shmring_error_message());
    return 1;
  }
  without_a_place(ring);
  shmring_status status = {.size = sizeof(status)};
  CHECK(shmring_get_status(ring, &status) == 0 && status.attempted == 0);
  a_status_of_less(ring);
  logs(ring);
  spans(ring);
  CHECK(shmring_get_status(ring, &status) == 0 && status.attempted == status.written && status.closes == 1);
  after_closing(ring);
  return failures == 0 ? 0 : 1;
}
