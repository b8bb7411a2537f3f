/* SPDX-License-Identifier: Apache-2.0 */
/* A C11 program that uses all of shmring.h, and says so when something is not as the header promises. Its argument is a ring's path, or --layout: then it
 * prints the size of each struct and the place of each field. */
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "shmring/shmring.h"

static int failures = 0;

static void check(int holds, const char* what, int line) {
  if (holds) return;
  (void)fprintf(stderr, "tour.c:%d: not so: %s (%s)\n", line, what, shmring_error_message());
  ++failures;
}
#define CHECK(condition) check((condition) != 0, #condition, __LINE__)

static const shmring_text kNothing = {NULL, 0};

static void use_logs(const shmring_ring* ring) {
  shmring_logger* logger = NULL;
  CHECK(shmring_logger_new(ring, shmring_str("tour"), shmring_str("1"), &logger) == 0);
  const shmring_value elements[2] = {shmring_int_value(1), shmring_string_value("two")};
  shmring_value array = {SHMRING_ARRAY, 0, 2, {0}};
  array.as.array = elements;
  const shmring_attribute inner[1] = {shmring_attr("inner", shmring_double_value(0.5))};
  shmring_value map = {SHMRING_MAP, 0, 1, {0}};
  map.as.map = inner;
  const unsigned char raw[3] = {0, 1, 255};
  shmring_value bytes = {SHMRING_BYTES, 0, sizeof(raw), {0}};
  bytes.as.bytes = raw;
  const shmring_attribute attributes[] = {
      shmring_attr("text", shmring_string_value("a")), shmring_attr("truth", shmring_bool_value(7)),
      shmring_attr("array", array), shmring_attr("map", map), shmring_attr("bytes", bytes)};
  shmring_log_record record = {.size = sizeof(record),
                               .severity_number = 9,
                               .body = shmring_string_value("hello from C"),
                               .attributes = {attributes, sizeof(attributes) / sizeof(attributes[0])},
                               .event_name = shmring_str("tour.event")};
  CHECK(shmring_log(logger, &record) == 0);
  CHECK(shmring_log_enabled(logger, 9) == 1);
  CHECK(shmring_set_min_severity(ring, 13) == 0);
  CHECK(shmring_log_enabled(logger, 9) == 0);
  CHECK(shmring_log(logger, &record) == SHMRING_E_NOT_RECORDED);
  CHECK(shmring_set_min_severity(ring, 25) == SHMRING_E_INVALID_ARGUMENT);
  CHECK(shmring_set_min_severity(ring, 0) == 0);
  record.size = 0;
  CHECK(shmring_log(logger, &record) == SHMRING_E_INCOMPATIBLE_VERSION);
  CHECK(shmring_log(NULL, &record) == SHMRING_E_INVALID_ARGUMENT);
  /* A program of an earlier interface, whose struct ends earlier. */
  record.size = offsetof(shmring_log_record, event_name);
  CHECK(shmring_log(logger, &record) == 0);
  /* One of a later interface: what it does not use is no obstacle, what it uses is. */
  struct {
    shmring_log_record known;
    uint64_t later;
  } larger = {record, 0};
  larger.known.size = sizeof(larger);
  CHECK(shmring_log(logger, &larger.known) == 0);
  larger.later = 1;
  CHECK(shmring_log(logger, &larger.known) == SHMRING_E_INCOMPATIBLE_VERSION);
  const size_t too_much = 4U << 20U;
  char* const large = malloc(too_much);
  CHECK(large != NULL);
  if (large != NULL) {
    memset(large, 'x', too_much);
    shmring_log_record refused = {.size = sizeof(refused), .body = {SHMRING_STRING, 0, too_much, {large}}};
    CHECK(shmring_log(logger, &refused) == SHMRING_E_DROPPED);
  }
  free(large);
  shmring_logger_free(logger);
}

static void use_spans(const shmring_ring* ring) {
  shmring_tracer* tracer = NULL;
  CHECK(shmring_tracer_new(ring, shmring_str("tour"), kNothing, &tracer) == 0);
  shmring_span* parent = NULL;
  CHECK(shmring_span_start(tracer, shmring_str("parent"), NULL, &parent) == 0);
  CHECK(shmring_span_is_recording(parent) == 1);
  shmring_span_context context;
  CHECK(shmring_span_get_context(parent, &context) == 0);
  char header[SHMRING_TRACEPARENT_SIZE];
  CHECK(shmring_format_traceparent(&context.trace, header) == 0);
  shmring_trace_context parsed;
  CHECK(shmring_parse_traceparent(shmring_str(header), &parsed) == 0);
  CHECK(memcmp(&parsed, &context.trace, sizeof(parsed)) == 0);
  CHECK(shmring_parse_traceparent(shmring_str("no header"), &parsed) == SHMRING_E_INVALID_ARGUMENT);

  const shmring_link link = {.context = context};
  const shmring_attribute attribute = shmring_attr("db.system", shmring_string_value("postgresql"));
  shmring_span_options options = SHMRING_SPAN_OPTIONS_INIT;
  options.kind = SHMRING_SPAN_CLIENT;
  options.parent = &context;
  options.attributes.data = &attribute;
  options.attributes.count = 1;
  options.links = &link;
  options.link_count = 1;
  shmring_span* child = NULL;
  CHECK(shmring_span_start(tracer, shmring_str("child"), &options, &child) == 0);
  const shmring_event event = {.name = shmring_str("sent"), .attributes = {&attribute, 1}};
  CHECK(shmring_span_add_event(child, &event) == 0);
  CHECK(shmring_span_add_link(child, &link) == 0);
  CHECK(shmring_span_set_attributes(child, (shmring_attributes){&attribute, 1}) == 0);
  CHECK(shmring_span_update_name(child, shmring_str("query")) == 0);
  CHECK(shmring_span_set_status(child, SHMRING_STATUS_ERROR, shmring_str("no such table")) == 0);
  CHECK(shmring_span_set_status(child, 3, kNothing) == SHMRING_E_INVALID_ARGUMENT);

  /* A span is its process's: a child that inherits it does not end it. */
  const pid_t pid = fork();
  if (pid == 0) _exit(shmring_span_end(child, 0) == SHMRING_E_NOT_RECORDED ? 0 : 1);
  int status = 1;
  CHECK(pid > 0 && waitpid(pid, &status, 0) == pid && status == 0);
  CHECK(shmring_span_end(child, 0) == 0);
  CHECK(shmring_span_end(parent, 0) == 0);

  shmring_span_record record = {.size = sizeof(record),
                                .context = context,
                                .kind = SHMRING_SPAN_SERVER,
                                .name = shmring_str("measured"),
                                .start_time_unix_nano = 100,
                                .end_time_unix_nano = 200,
                                .events = &event,
                                .event_count = 1,
                                .links = &link,
                                .link_count = 1};
  CHECK(shmring_span_emit(tracer, &record) == 0);
  shmring_tracer_free(tracer);
}

static void use_raw_records(const shmring_ring* ring) {
  uint16_t scope = 0;
  CHECK(shmring_scope(ring, shmring_str("tour"), shmring_str("raw"), &scope) == 0 && scope != 0);
  /* A Metric message: name "m". */
  const unsigned char metric[] = {0x0A, 1, 'm'};
  CHECK(shmring_write(ring, SHMRING_RECORD_METRIC, scope, metric, sizeof(metric)) == 0);
  CHECK(shmring_write(ring, 2, scope, metric, sizeof(metric)) == SHMRING_E_INVALID_ARGUMENT);
  CHECK(shmring_write(ring, SHMRING_RECORD_METRIC, 60000, metric, sizeof(metric)) == SHMRING_E_INVALID_ARGUMENT);
  shmring_slot slot;
  CHECK(shmring_reserve(ring, SHMRING_RECORD_METRIC, 0, 100, &slot) == 0);
  CHECK(slot.size == 100 && (uintptr_t)slot.data % 8 == 0);
  memcpy(slot.data, metric, sizeof(metric));
  CHECK(shmring_commit(&slot, sizeof(metric)) == 0);
  CHECK(shmring_commit(&slot, sizeof(metric)) == SHMRING_E_INVALID_ARGUMENT);
  CHECK(shmring_reserve(ring, SHMRING_RECORD_METRIC, 0, 100, &slot) == 0);
  CHECK(shmring_commit(&slot, 101) == SHMRING_E_INVALID_ARGUMENT);
  CHECK(shmring_reserve(ring, SHMRING_RECORD_METRIC, 0, 100, &slot) == 0);
  shmring_abandon(&slot);
  shmring_abandon(&slot);
  CHECK(shmring_reserve(ring, SHMRING_RECORD_METRIC, 0, (size_t)1 << 40U, &slot) == SHMRING_E_DROPPED);
  shmring_abandon(&slot);
}

static void use_scopes(const shmring_ring* ring) {
  const shmring_attribute attribute = shmring_attr("scope.kind", shmring_int_value(1));
  shmring_scope_options scope = SHMRING_SCOPE_OPTIONS_INIT;
  scope.name = shmring_str("tour");
  scope.version = shmring_str("raw");
  uint16_t plain = 0, same = 0, other = 0;
  CHECK(shmring_scope(ring, scope.name, scope.version, &plain) == 0);
  CHECK(shmring_scope_for(ring, &scope, &same) == 0 && same == plain);
  scope.attributes.data = &attribute;
  scope.attributes.count = 1;
  CHECK(shmring_scope_for(ring, &scope, &same) == 0 && same != plain);
  scope.schema_url = shmring_str("https://opentelemetry.io/schemas/1.30.0");
  CHECK(shmring_scope_for(ring, &scope, &other) == 0 && other != plain && other != same);
  CHECK(shmring_scope_for(ring, &scope, &same) == 0 && same == other);

  shmring_logger* logger = NULL;
  shmring_tracer* tracer = NULL;
  CHECK(shmring_logger_new_for(ring, &scope, &logger) == 0 && logger != NULL);
  CHECK(shmring_tracer_new_for(ring, &scope, &tracer) == 0 && tracer != NULL);
  shmring_logger_free(logger);
  shmring_tracer_free(tracer);
  CHECK(shmring_logger_new_for(ring, NULL, &logger) == SHMRING_E_INCOMPATIBLE_VERSION);
  CHECK(shmring_tracer_new_for(NULL, &scope, &tracer) == SHMRING_E_INVALID_ARGUMENT);
  CHECK(shmring_scope_for(ring, &scope, NULL) == SHMRING_E_INVALID_ARGUMENT);
  scope.size = offsetof(shmring_scope_options, attributes); /* a program that knows of name and version only */
  CHECK(shmring_scope_for(ring, &scope, &same) == 0 && same == plain);
  scope.size = 0;
  CHECK(shmring_scope_for(ring, &scope, &same) == SHMRING_E_INCOMPATIBLE_VERSION);
}

static uint32_t told_cause = 999;
static void on_drop(uint32_t cause, const char* message, size_t message_size) {
  told_cause = message != NULL && message_size != 0 ? cause : 998;
}

static void open_what_cannot_be_opened(void) {
  shmring_ring* ring = NULL;
  shmring_open_options options = SHMRING_OPEN_OPTIONS_INIT;
  options.path = "/nowhere/at/all/x.ring";
  CHECK(shmring_open(&options, &ring) < 0 && ring == NULL);
  CHECK(strstr(shmring_error_message(), "/nowhere/at/all") != NULL);
  options.attach_only = 1;
  CHECK(shmring_open(&options, &ring) == SHMRING_E_NOT_FOUND);
  options.clock = 4;
  CHECK(shmring_open(&options, &ring) == SHMRING_E_INVALID_ARGUMENT);
  options.clock = 0;
  options.size = 3;
  CHECK(shmring_open(&options, &ring) == SHMRING_E_INCOMPATIBLE_VERSION);
  CHECK(shmring_open(&options, NULL) == SHMRING_E_INVALID_ARGUMENT);
  for (int error = 1; error > -20; --error) CHECK(shmring_strerror(error)[0] != '\0');
}

#define FIELD(type, field) (void)printf("  %-26s %4zu %4zu\n", #field, offsetof(type, field), sizeof(((type*)0)->field))
#define STRUCT(type) (void)printf("%s %zu\n", #type, sizeof(type))

static void print_layout(void) {
  STRUCT(shmring_text);
  FIELD(shmring_text, data), FIELD(shmring_text, size);
  STRUCT(shmring_value);
  FIELD(shmring_value, kind), FIELD(shmring_value, reserved), FIELD(shmring_value, size), FIELD(shmring_value, as);
  STRUCT(shmring_attribute);
  FIELD(shmring_attribute, key), FIELD(shmring_attribute, value);
  STRUCT(shmring_attributes);
  FIELD(shmring_attributes, data), FIELD(shmring_attributes, count);
  STRUCT(shmring_open_options);
  FIELD(shmring_open_options, size), FIELD(shmring_open_options, path), FIELD(shmring_open_options, attach_only);
  FIELD(shmring_open_options, clock), FIELD(shmring_open_options, capacity_bytes);
  FIELD(shmring_open_options, block_bytes), FIELD(shmring_open_options, writers), FIELD(shmring_open_options, on_full);
  FIELD(shmring_open_options, block_timeout_us), FIELD(shmring_open_options, max_record_bytes);
  FIELD(shmring_open_options, reserved), FIELD(shmring_open_options, service_name);
  FIELD(shmring_open_options, resource), FIELD(shmring_open_options, resource_schema_url);
  STRUCT(shmring_scope_options);
  FIELD(shmring_scope_options, size), FIELD(shmring_scope_options, name), FIELD(shmring_scope_options, version);
  FIELD(shmring_scope_options, attributes), FIELD(shmring_scope_options, schema_url);
  STRUCT(shmring_trace_context);
  FIELD(shmring_trace_context, trace_id), FIELD(shmring_trace_context, span_id), FIELD(shmring_trace_context, flags);
  STRUCT(shmring_log_record);
  FIELD(shmring_log_record, size), FIELD(shmring_log_record, severity_number);
  FIELD(shmring_log_record, dropped_attributes_count), FIELD(shmring_log_record, severity_text);
  FIELD(shmring_log_record, body), FIELD(shmring_log_record, attributes), FIELD(shmring_log_record, event_name);
  FIELD(shmring_log_record, time_unix_nano), FIELD(shmring_log_record, observed_time_unix_nano);
  FIELD(shmring_log_record, trace);
  STRUCT(shmring_span_context);
  FIELD(shmring_span_context, trace), FIELD(shmring_span_context, trace_state), FIELD(shmring_span_context, origin);
  STRUCT(shmring_event);
  FIELD(shmring_event, name), FIELD(shmring_event, time_unix_nano), FIELD(shmring_event, attributes);
  FIELD(shmring_event, dropped_attributes_count);
  STRUCT(shmring_link);
  FIELD(shmring_link, context), FIELD(shmring_link, attributes), FIELD(shmring_link, dropped_attributes_count);
  STRUCT(shmring_span_record);
  FIELD(shmring_span_record, size), FIELD(shmring_span_record, context), FIELD(shmring_span_record, parent_span_id);
  FIELD(shmring_span_record, parent_origin), FIELD(shmring_span_record, kind), FIELD(shmring_span_record, name);
  FIELD(shmring_span_record, start_time_unix_nano), FIELD(shmring_span_record, end_time_unix_nano);
  FIELD(shmring_span_record, attributes), FIELD(shmring_span_record, events), FIELD(shmring_span_record, event_count);
  FIELD(shmring_span_record, links), FIELD(shmring_span_record, link_count);
  FIELD(shmring_span_record, dropped_attributes_count), FIELD(shmring_span_record, dropped_events_count);
  FIELD(shmring_span_record, dropped_links_count), FIELD(shmring_span_record, status);
  FIELD(shmring_span_record, status_message);
  STRUCT(shmring_span_options);
  FIELD(shmring_span_options, size), FIELD(shmring_span_options, kind), FIELD(shmring_span_options, parent);
  FIELD(shmring_span_options, attributes), FIELD(shmring_span_options, links);
  FIELD(shmring_span_options, link_count), FIELD(shmring_span_options, start_time_unix_nano);
  STRUCT(shmring_slot);
  FIELD(shmring_slot, data), FIELD(shmring_slot, size), FIELD(shmring_slot, state);
  STRUCT(shmring_status);
  FIELD(shmring_status, size), FIELD(shmring_status, attempted), FIELD(shmring_status, written);
  FIELD(shmring_status, dropped), FIELD(shmring_status, pending), FIELD(shmring_status, accepted);
  FIELD(shmring_status, rejected), FIELD(shmring_status, dead_lettered), FIELD(shmring_status, invalid);
  FIELD(shmring_status, corrupt), FIELD(shmring_status, evicted), FIELD(shmring_status, spooled);
  FIELD(shmring_status, duplicates_possible), FIELD(shmring_status, closes), FIELD(shmring_status, blocks);
  FIELD(shmring_status, free_blocks);
}

int main(int argc, char** argv) {
  if (argc != 2) {
    (void)fprintf(stderr, "usage: tour RING | --layout\n");
    return 2;
  }
  if (strcmp(argv[1], "--layout") == 0) {
    print_layout();
    return 0;
  }
  CHECK(shmring_abi_version() == SHMRING_ABI_VERSION && shmring_version()[0] != '\0');
  CHECK(strcmp(shmring_error_message(), "") == 0);
  open_what_cannot_be_opened();

  shmring_ring* ring = NULL;
  shmring_open_options options = SHMRING_OPEN_OPTIONS_INIT;
  options.path = argv[1];
  options.capacity_bytes = 4U << 20U;
  options.service_name = "tour";
  const shmring_attribute nameless = shmring_attr("", shmring_int_value(1));
  options.resource.data = &nameless;
  options.resource.count = 1;
  CHECK(shmring_open(&options, &ring) == SHMRING_E_INVALID_ARGUMENT && ring == NULL);
  const shmring_attribute where[] = {shmring_attr("host.name", shmring_string_value("here")),
                                     shmring_attr("host.cores", shmring_int_value(4))};
  options.resource.data = where;
  options.resource.count = 2;
  options.resource_schema_url = shmring_str("https://opentelemetry.io/schemas/1.29.0");
  if (shmring_open(&options, &ring) != 0) {
    (void)fprintf(stderr, "tour: %s\n", shmring_error_message());
    return 1;
  }
  CHECK(strcmp(shmring_path(ring), argv[1]) == 0);
  CHECK(shmring_max_payload(ring) >= 1U << 20U);
  CHECK(shmring_prepare_thread(ring) == 0);
  shmring_set_error_handler(on_drop);
  use_logs(ring);
  CHECK(told_cause == SHMRING_DROP_TOO_LARGE);
  use_spans(ring);
  use_raw_records(ring);
  use_scopes(ring);

  shmring_status status = {.size = sizeof(status)};
  CHECK(shmring_get_status(ring, &status) == 0);
  CHECK(status.closes == 1 && status.written == 3 + 3 + 2 && status.pending == status.written);
  CHECK(status.dropped[SHMRING_DROP_TOO_LARGE] == 2 && status.attempted == status.written + 2);
  CHECK(status.blocks != 0 && status.free_blocks < status.blocks);
  status.size = 0;
  CHECK(shmring_get_status(ring, &status) == SHMRING_E_INVALID_ARGUMENT);
  shmring_close(ring);
  return failures == 0 ? 0 : 1;
}
