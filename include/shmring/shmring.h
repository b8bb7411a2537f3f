/* SPDX-License-Identifier: Apache-2.0 */
/* shmring for C and for languages that call C: rings, log records, spans, raw records, what was dropped.
 *
 * Functions return 0 or a negative shmring_error, unless they say otherwise; shmring_strerror() has words for it, and
 * shmring_error_message() those of this thread's last failed set-up call, with the file and the remedy. No exception
 * leaves this interface.
 *
 * Structs that begin with `size` grow at their end: set it to sizeof(the struct), and everything that is not
 * used to zero, which means the default. SHMRING_OPEN_OPTIONS_INIT and its like do so.
 *
 * Texts are pointer and length, not terminated; SHMRING_TERMINATED as a length means: up to the zero byte. A null pointer is an empty text.
 * They and all that they lie in have to live until the call returns; nothing is kept.
 *
 * Thread-safety: everything but a span and a slot may be used by any number of threads. Handles stay usable in a forked child.
 * Signal-safety: a function is async-signal-safe where it says so.
 */
#ifndef SHMRING_SHMRING_H
#define SHMRING_SHMRING_H

#include <stddef.h>
#include <stdint.h>

#if defined(__GNUC__)
#define SHMRING_API __attribute__((visibility("default")))
#else
#define SHMRING_API
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* ------------------------------------------------------------------------------------------------ version, errors */

/* Of this interface. A library with a larger one still serves programs that were built with a smaller one. */
#define SHMRING_ABI_VERSION 2

/* That of the library that runs. Async-signal-safe. */
SHMRING_API uint32_t shmring_abi_version(void);
/* "0.1.0": the library's. Async-signal-safe. */
SHMRING_API const char* shmring_version(void);

typedef enum shmring_error {
  SHMRING_OK = 0,
  SHMRING_E_INVALID_ARGUMENT = -1,     /* an option out of range, or options that exclude each other; a null handle */
  SHMRING_E_NOT_FOUND = -2,            /* no such ring */
  SHMRING_E_ALREADY_EXISTS = -3,
  SHMRING_E_PERMISSION = -4,           /* not ours: another uid, a mode too open, a folder that somebody else owns */
  SHMRING_E_NOT_A_RING = -5,
  SHMRING_E_INCOMPATIBLE_VERSION = -6, /* another layout, or a struct whose size this library cannot read */
  SHMRING_E_INCOMPATIBLE_ABI = -7,     /* another C library, word size or byte order */
  SHMRING_E_DAMAGED = -8,
  SHMRING_E_NO_SPACE = -9,
  SHMRING_E_UNSUPPORTED = -10,         /* a network file system, a kernel without what we need */
  SHMRING_E_BUSY = -11,
  SHMRING_E_SYSTEM = -12,              /* any other failed system call */
  SHMRING_E_NO_MEMORY = -13,           /* of this process */
  SHMRING_E_DROPPED = -14,             /* the record was dropped, and counted by its cause: shmring_drops() */
  SHMRING_E_NOT_RECORDED = -15         /* filtered: minimum severity, sampler, OTEL_SDK_DISABLED; or a span that another process began, or
                                          that has ended. Counted nowhere */
} shmring_error;

/* A short text that lives for ever, also for numbers that are no error's. Async-signal-safe. */
SHMRING_API const char* shmring_strerror(int error);
/* What this thread's last failed call of those that open, make or look at something has to say to a person; "" before the first. Valid until the
 * thread's next such call. */
SHMRING_API const char* shmring_error_message(void);

/* --------------------------------------------------------------------------------------------------------- values */

#define SHMRING_TERMINATED ((size_t)-1)

typedef struct shmring_text {
  const char* data;
  size_t size; /* bytes, or SHMRING_TERMINATED */
} shmring_text;

/* What a value is: OTLP's AnyValue. */
typedef enum shmring_value_kind {
  SHMRING_EMPTY = 0,
  SHMRING_STRING = 1,
  SHMRING_BOOL = 2,
  SHMRING_INT = 3,
  SHMRING_DOUBLE = 4,
  SHMRING_ARRAY = 5,
  SHMRING_MAP = 6,
  SHMRING_BYTES = 7
} shmring_value_kind;

struct shmring_attribute;

typedef struct shmring_value {
  uint32_t kind;     /* a shmring_value_kind; any other is taken for SHMRING_EMPTY */
  uint32_t reserved; /* 0 */
  size_t size;       /* of a string (or SHMRING_TERMINATED) and of bytes; elements of an array, entries of a map */
  union {
    const char* string;
    const void* bytes;
    uint64_t boolean; /* 0: false */
    int64_t integer;
    double number;
    const struct shmring_value* array;
    const struct shmring_attribute* map;
  } as;
} shmring_value;

/* A key, which must not be empty, and its value. Of two with one key the later wins. */
typedef struct shmring_attribute {
  shmring_text key;
  shmring_value value;
} shmring_attribute;

typedef struct shmring_attributes {
  const shmring_attribute* data;
  size_t count;
} shmring_attributes;

/* -------------------------------------------------------------------------------------------------------- the ring */

typedef struct shmring_ring shmring_ring;
typedef struct shmring_logger shmring_logger;
typedef struct shmring_tracer shmring_tracer;
typedef struct shmring_span shmring_span;

typedef enum shmring_full_policy {
  SHMRING_DROP_NEWEST = 0, /* a record that finds no room is dropped */
  SHMRING_BLOCK = 1,       /* it waits for room, at most block_timeout_us */
  SHMRING_DROP_OLDEST = 2
} shmring_full_policy;

typedef enum shmring_clock {
  SHMRING_CLOCK_DEFAULT = 0, /* SHMRING_CLOCK of the environment, else CLOCK_REALTIME */
  SHMRING_CLOCK_REALTIME = 1,
  SHMRING_CLOCK_COARSE = 2, /* the kernel's tick, some milliseconds; for log records only */
  SHMRING_CLOCK_TSC = 3     /* the time stamp counter, where it can be relied on; converted by readers */
} shmring_clock;

typedef struct shmring_open_options {
  size_t size;
  const char* path;              /* NULL: $SHMRING_PATH, else /dev/shm/shmring-<uid>/default.ring */
  uint32_t attach_only;          /* not 0: SHMRING_E_NOT_FOUND where there is no ring, instead of making one */
  uint32_t clock;                /* a shmring_clock */
  uint64_t capacity_bytes;       /* 0: 32 MiB. This and the next five are used where the ring is made */
  uint32_t block_bytes;          /* 0: 16 KiB; a power of two from 4 KiB to 1 MiB */
  uint32_t writers;              /* 0: 1024; threads that can write at the same time */
  uint32_t on_full;              /* a shmring_full_policy */
  uint32_t block_timeout_us;     /* 0: 10000 */
  uint32_t max_record_bytes;     /* 0: 1 MiB */
  uint32_t reserved;             /* 0 */
  const char* service_name;      /* NULL: OTEL_SERVICE_NAME, service.name of OTEL_RESOURCE_ATTRIBUTES, unknown_service:<program> */
  shmring_attributes resource;   /* beat those of OTEL_RESOURCE_ATTRIBUTES. Interface 1 took texts only */
  shmring_text resource_schema_url; /* of the attributes. Since interface 2 */
} shmring_open_options;
#define SHMRING_OPEN_OPTIONS_INIT {sizeof(shmring_open_options), 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, {0, 0}, {0, 0}}

/* Attaches to a ring, making it first if there is none; any number of processes may do so at once. `options` NULL: defaults. The mapping stays
 * until the process ends; opening the same file again gives the same one. */
SHMRING_API int shmring_open(const shmring_open_options* options, shmring_ring** ring);
/* Frees the handle; what was made from it stays usable, and what was committed is where it was. NULL: nothing. */
SHMRING_API void shmring_close(shmring_ring* ring);
/* The path of its file; lives as long as the process. */
SHMRING_API const char* shmring_path(const shmring_ring* ring);
/* The largest record that shmring_reserve() can grant, in bytes. */
SHMRING_API size_t shmring_max_payload(const shmring_ring* ring);
/* Log records below this severity number (1 to 24) are not written by any process, from now on. 0: all are. */
SHMRING_API int shmring_set_min_severity(const shmring_ring* ring, uint32_t severity_number);
/* Registers the calling thread now rather than with its first record, which a signal handler on its alternate stack could not do.
 * SHMRING_E_DROPPED: it cannot write (no writer slot is free). Async-signal-safe. */
SHMRING_API int shmring_prepare_thread(const shmring_ring* ring);

/* An instrumentation scope in full. In the ring it takes at most a sixteenth of a block: longer names and versions are cut, a schema URL or an
 * attribute that finds no room is left out; attributes left out are counted in the scope's dropped_attributes_count. Since interface 2, like
 * the functions that take it. */
typedef struct shmring_scope_options {
  size_t size;
  shmring_text name;
  shmring_text version;
  shmring_attributes attributes;
  shmring_text schema_url;
} shmring_scope_options;
#define SHMRING_SCOPE_OPTIONS_INIT {sizeof(shmring_scope_options), {0, 0}, {0, 0}, {0, 0}, {0, 0}}

/* --------------------------------------------------------------------------------------------------------- records */

/* To what trace and span something belongs; ids of zeroes: to none. */
typedef struct shmring_trace_context {
  uint8_t trace_id[16];
  uint8_t span_id[8];
  uint8_t flags; /* W3C: 1 is `sampled` */
  uint8_t reserved[7];
} shmring_trace_context;

/* Loggers and tracers are for an instrumentation scope, which they name. Not freed, they are lost memory and nothing worse. */
SHMRING_API int shmring_logger_new(const shmring_ring* ring, shmring_text scope_name, shmring_text scope_version,
                                   shmring_logger** logger);
SHMRING_API int shmring_logger_new_for(const shmring_ring* ring, const shmring_scope_options* scope, shmring_logger** logger);
SHMRING_API void shmring_logger_free(shmring_logger* logger);

/* 1: a record of that severity would be written; 0: it would not, so there is no need to make it. One load. Async-signal-safe. */
SHMRING_API int shmring_log_enabled(const shmring_logger* logger, uint32_t severity_number);

/* A log record. What is zero is left out, but times, which are set to now. */
typedef struct shmring_log_record {
  size_t size;
  uint32_t severity_number; /* 1 to 24: TRACE 1, DEBUG 5, INFO 9, WARN 13, ERROR 17, FATAL 21 */
  uint32_t dropped_attributes_count;
  shmring_text severity_text;
  shmring_value body;
  shmring_attributes attributes;
  shmring_text event_name;
  uint64_t time_unix_nano; /* ns since 1970 */
  uint64_t observed_time_unix_nano;
  shmring_trace_context trace;
} shmring_log_record;

/* Commits a log record: when this has returned 0, it is safe, whatever becomes of the process. Async-signal-safe but for a thread's first
 * record, values inside of values, and more than 64 attributes, which take memory. */
SHMRING_API int shmring_log(const shmring_logger* logger, const shmring_log_record* record);

SHMRING_API int shmring_tracer_new(const shmring_ring* ring, shmring_text scope_name, shmring_text scope_version,
                                   shmring_tracer** tracer);
SHMRING_API int shmring_tracer_new_for(const shmring_ring* ring, const shmring_scope_options* scope, shmring_tracer** tracer);
SHMRING_API void shmring_tracer_free(shmring_tracer* tracer);

typedef enum shmring_span_kind {
  SHMRING_SPAN_UNSPECIFIED = 0,
  SHMRING_SPAN_INTERNAL = 1,
  SHMRING_SPAN_SERVER = 2,
  SHMRING_SPAN_CLIENT = 3,
  SHMRING_SPAN_PRODUCER = 4,
  SHMRING_SPAN_CONSUMER = 5
} shmring_span_kind;

/* Whether a context came from another process. */
typedef enum shmring_origin { SHMRING_ORIGIN_UNKNOWN = 0, SHMRING_ORIGIN_LOCAL = 1, SHMRING_ORIGIN_REMOTE = 2 } shmring_origin;

typedef enum shmring_status_code {
  SHMRING_STATUS_UNSET = 0,
  SHMRING_STATUS_OK = 1,
  SHMRING_STATUS_ERROR = 2
} shmring_status_code;

/* What a child span or a link needs to know of a span. */
typedef struct shmring_span_context {
  shmring_trace_context trace;
  shmring_text trace_state; /* the tracestate header */
  uint32_t origin;          /* a shmring_origin */
  uint32_t reserved;        /* 0 */
} shmring_span_context;

typedef struct shmring_event {
  shmring_text name;
  uint64_t time_unix_nano; /* of a span under way: 0 is now */
  shmring_attributes attributes;
  uint32_t dropped_attributes_count;
  uint32_t reserved; /* 0 */
} shmring_event;

typedef struct shmring_link {
  shmring_span_context context;
  shmring_attributes attributes;
  uint32_t dropped_attributes_count;
  uint32_t reserved; /* 0 */
} shmring_link;

/* A finished span. What is zero is left out. */
typedef struct shmring_span_record {
  size_t size;
  shmring_span_context context;
  uint8_t parent_span_id[8]; /* zeroes: a root */
  uint32_t parent_origin;    /* a shmring_origin */
  uint32_t kind;             /* a shmring_span_kind */
  shmring_text name;
  uint64_t start_time_unix_nano;
  uint64_t end_time_unix_nano;
  shmring_attributes attributes;
  const shmring_event* events;
  size_t event_count;
  const shmring_link* links;
  size_t link_count;
  uint32_t dropped_attributes_count;
  uint32_t dropped_events_count;
  uint32_t dropped_links_count;
  uint32_t status; /* a shmring_status_code */
  shmring_text status_message;
} shmring_span_record;

/* Commits a span that was measured elsewhere, past the sampler. SHMRING_E_INVALID_ARGUMENT: its context has no ids. Safety as shmring_log(). */
SHMRING_API int shmring_span_emit(const shmring_tracer* tracer, const shmring_span_record* span);

typedef struct shmring_span_options {
  size_t size;
  uint32_t kind; /* a shmring_span_kind; 0: internal */
  uint32_t reserved; /* 0 */
  const shmring_span_context* parent; /* NULL, or one without ids: a root span, a new trace */
  shmring_attributes attributes;
  const shmring_link* links;
  size_t link_count;
  uint64_t start_time_unix_nano; /* 0: now */
} shmring_span_options;
#define SHMRING_SPAN_OPTIONS_INIT {sizeof(shmring_span_options), 0, 0, 0, {0, 0}, 0, 0, 0}

/* Begins a span; the sampler of OTEL_TRACES_SAMPLER decides whether it is recorded. `options` NULL: defaults. The handle is for one thread at a time
 * and ends with shmring_span_end(). Until then the span is in this process's memory only. */
SHMRING_API int shmring_span_start(const shmring_tracer* tracer, shmring_text name, const shmring_span_options* options,
                                   shmring_span** span);
/* 0 for a span that is not sampled; what is said of it goes nowhere. */
SHMRING_API int shmring_span_is_recording(const shmring_span* span);
/* Its context, for children and log records; its text lives as long as the handle. */
SHMRING_API int shmring_span_get_context(const shmring_span* span, shmring_span_context* context);
SHMRING_API int shmring_span_set_attributes(shmring_span* span, shmring_attributes attributes);
SHMRING_API int shmring_span_add_event(shmring_span* span, const shmring_event* event);
SHMRING_API int shmring_span_add_link(shmring_span* span, const shmring_link* link);
/* A message goes with SHMRING_STATUS_ERROR only. */
SHMRING_API int shmring_span_set_status(shmring_span* span, uint32_t status, shmring_text message);
SHMRING_API int shmring_span_update_name(shmring_span* span, shmring_text name);
/* Commits it and frees the handle, whatever comes of it. `end_time_unix_nano` 0: now. */
SHMRING_API int shmring_span_end(shmring_span* span, uint64_t end_time_unix_nano);

/* A traceparent header (W3C Trace Context, 55 characters and a zero). SHMRING_E_INVALID_ARGUMENT: a context without ids; a header that is none.
 * Async-signal-safe. */
#define SHMRING_TRACEPARENT_SIZE 56
SHMRING_API int shmring_format_traceparent(const shmring_trace_context* context, char* text);
SHMRING_API int shmring_parse_traceparent(shmring_text text, shmring_trace_context* context);

/* ------------------------------------------------------------------------------------------------------ raw records */

/* What a record's bytes are: one OTLP message. */
typedef enum shmring_record_kind {
  SHMRING_RECORD_LOG = 3,   /* opentelemetry.proto.logs.v1.LogRecord */
  SHMRING_RECORD_SPAN = 4,  /* opentelemetry.proto.trace.v1.Span */
  SHMRING_RECORD_METRIC = 5 /* opentelemetry.proto.metrics.v1.Metric */
} shmring_record_kind;

/* The number of an instrumentation scope, for the functions below; 0 where the process has used up its 65,535. */
SHMRING_API int shmring_scope(const shmring_ring* ring, shmring_text name, shmring_text version, uint16_t* scope);
SHMRING_API int shmring_scope_for(const shmring_ring* ring, const shmring_scope_options* options, uint16_t* scope);

/* Room in the ring for one record, seen by nobody until shmring_commit(). For the thread that reserved it; it keeps at most one. */
typedef struct shmring_slot {
  void* data;   /* write here, 8-byte aligned */
  size_t size;  /* bytes */
  uint64_t state[10]; /* the library's */
} shmring_slot;

/* Async-signal-safe but for a thread's first record. */
SHMRING_API int shmring_reserve(const shmring_ring* ring, uint32_t record_kind, uint16_t scope, size_t size,
                                shmring_slot* slot);
/* Publishes the first `used` bytes. The slot is used up, whatever comes of it. Async-signal-safe. */
SHMRING_API int shmring_commit(shmring_slot* slot, size_t used);
/* Gives it back. No attempt, counted nowhere. Async-signal-safe. */
SHMRING_API void shmring_abandon(shmring_slot* slot);
/* All three at once, for bytes that there are already. */
SHMRING_API int shmring_write(const shmring_ring* ring, uint32_t record_kind, uint16_t scope, const void* data, size_t size);

/* ----------------------------------------------------------------------------------------------- drops and accounting */

/* Why records are dropped. */
typedef enum shmring_drop_cause {
  SHMRING_DROP_RING_FULL = 0,
  SHMRING_DROP_BLOCK_TIMEOUT = 1,
  SHMRING_DROP_TOO_LARGE = 2,
  SHMRING_DROP_NO_WRITER_SLOT = 3,
  SHMRING_DROP_AFTER_FORK = 4,
  SHMRING_DROP_NESTED = 5,
  SHMRING_DROP_UNSUPPORTED_PROCESS = 6
} shmring_drop_cause;
#define SHMRING_DROP_CAUSES 7

/* What became of every record of every process that was attempted on this ring. */
typedef struct shmring_status {
  size_t size;
  uint64_t attempted;
  uint64_t written;
  uint64_t dropped[8]; /* by shmring_drop_cause; the last one is spare */
  uint64_t pending;    /* in the ring, in no destination yet */
  uint64_t accepted;
  uint64_t rejected;
  uint64_t dead_lettered;
  uint64_t invalid;
  uint64_t corrupt;
  uint64_t evicted;
  uint64_t spooled; /* moved to a spool on disk; `shmring status` tells what became of them there */
  uint64_t duplicates_possible;
  uint32_t closes; /* 1: written is the sum of its fates, in every block; 0: it is not, or somebody writes so fast that nobody can tell */
  uint32_t blocks;
  uint32_t free_blocks;
  uint32_t reserved;
} shmring_status;

/* Looks at the whole ring: for monitoring, not for every record. Sets what fits into status->size. */
SHMRING_API int shmring_get_status(const shmring_ring* ring, shmring_status* status);

/* Called at most once per cause and process when records are dropped, by the thread that dropped one. It must not emit, and must be async-signal-safe
 * where handlers emit. NULL: none. */
typedef void (*shmring_error_handler)(uint32_t drop_cause, const char* message, size_t message_size);
SHMRING_API void shmring_set_error_handler(shmring_error_handler handler);

/* ------------------------------------------------------------------------------------- values, written down in one line */

static inline shmring_text shmring_str(const char* text) {
  const shmring_text result = {text, SHMRING_TERMINATED};
  return result;
}
static inline shmring_value shmring_string_value(const char* text) {
  shmring_value value = {SHMRING_STRING, 0, SHMRING_TERMINATED, {0}};
  value.as.string = text;
  return value;
}
static inline shmring_value shmring_int_value(int64_t number) {
  shmring_value value = {SHMRING_INT, 0, 0, {0}};
  value.as.integer = number;
  return value;
}
static inline shmring_value shmring_double_value(double number) {
  shmring_value value = {SHMRING_DOUBLE, 0, 0, {0}};
  value.as.number = number;
  return value;
}
static inline shmring_value shmring_bool_value(int truth) {
  shmring_value value = {SHMRING_BOOL, 0, 0, {0}};
  value.as.boolean = truth != 0;
  return value;
}
static inline shmring_attribute shmring_attr(const char* key, shmring_value value) {
  const shmring_attribute attribute = {{key, SHMRING_TERMINATED}, value};
  return attribute;
}

#ifdef __cplusplus
}
#endif

#endif /* SHMRING_SHMRING_H */
