/* SPDX-License-Identifier: Apache-2.0 */
/* Logger and Tracer: log records and finished spans. */
#include <string.h>

#include "ring.h"

typedef struct LoggerObject {
  PyObject_HEAD
  shmring_logger* logger;
} LoggerObject;

typedef struct TracerObject {
  PyObject_HEAD
  shmring_tracer* tracer;
} TracerObject;

PyObject* make_logger(PyObject* ring, PyObject* args, PyObject* kwargs) {
  static Parameters parameters = {"logger", scope_arguments, SCOPE_ARGUMENTS, 0, 2, {NULL}};
  shmring_scope_options scope = SHMRING_SCOPE_OPTIONS_INIT;
  Scratch scratch;
  scratch_begin(&scratch);
  LoggerObject* self = NULL;
  if (parse_scope(&parameters, args, kwargs, &scratch, &scope) == 0) self = (LoggerObject*)allocate(logger_type);
  if (self != NULL) {
    const int error = shmring_logger_new_for(((RingObject*)ring)->ring, &scope, &self->logger);
    if (error != SHMRING_OK) {
      raise_error(error);
      Py_CLEAR(self);
    }
  }
  scratch_end(&scratch);
  return (PyObject*)self;
}

PyObject* make_tracer(PyObject* ring, PyObject* args, PyObject* kwargs) {
  static Parameters parameters = {"tracer", scope_arguments, SCOPE_ARGUMENTS, 0, 2, {NULL}};
  shmring_scope_options scope = SHMRING_SCOPE_OPTIONS_INIT;
  Scratch scratch;
  scratch_begin(&scratch);
  TracerObject* self = NULL;
  if (parse_scope(&parameters, args, kwargs, &scratch, &scope) == 0) self = (TracerObject*)allocate(tracer_type);
  if (self != NULL) {
    const int error = shmring_tracer_new_for(((RingObject*)ring)->ring, &scope, &self->tracer);
    if (error != SHMRING_OK) {
      raise_error(error);
      Py_CLEAR(self);
    }
  }
  scratch_end(&scratch);
  return (PyObject*)self;
}

static void logger_dealloc(PyObject* self) {
  shmring_logger_free(((LoggerObject*)self)->logger);
  release(self);
}
static void tracer_dealloc(PyObject* self) {
  shmring_tracer_free(((TracerObject*)self)->tracer);
  release(self);
}

static PyObject* logger_enabled(PyObject* self, PyObject* severity) {
  uint32_t number = 0;
  if (convert_u32(severity, &number) != 0) return NULL;
  return PyBool_FromLong(shmring_log_enabled(((LoggerObject*)self)->logger, number));
}

static PyObject* logger_log(PyObject* self, PyObject* args, PyObject* kwargs) {
  static const char* const names[] = {"severity",      "body",       "attributes", "trace",
                                      "severity_text", "event_name", "timestamp",  "observed_timestamp",
                                      "dropped_attributes_count"};
  static Parameters parameters = {"log", names, 9, 2, 3, {NULL}};
  PyObject* given[9] = {NULL};
  const shmring_logger* const logger = ((LoggerObject*)self)->logger;
  shmring_log_record record;
  memset(&record, 0, sizeof(record));
  record.size = sizeof(record);
  if (parse_arguments(&parameters, args, kwargs, given) != 0 || convert_u32(given[0], &record.severity_number) != 0) return NULL;
  if (!shmring_log_enabled(logger, record.severity_number)) Py_RETURN_FALSE;
  Scratch scratch;
  scratch_begin(&scratch);
  PyObject* result = NULL;
  if (convert_value(&scratch, given[1], &record.body, 1) == 0 && convert_attributes(&scratch, given[2], &record.attributes) == 0 &&
      convert_trace(given[3], &record.trace) == 0 && convert_text(&scratch, given[4], &record.severity_text) == 0 &&
      convert_text(&scratch, given[5], &record.event_name) == 0 && convert_u64(given[6], &record.time_unix_nano) == 0 &&
      convert_u64(given[7], &record.observed_time_unix_nano) == 0 && convert_u32(given[8], &record.dropped_attributes_count) == 0)
    result = outcome(shmring_log(logger, &record));
  scratch_end(&scratch);
  return result;
}

/* Sequences of tuples become arrays of structs; `one` converts each. NULL with `*count` 0 is an empty one. */
static int convert_each(Scratch* scratch, PyObject* sequence, size_t size, int (*one)(Scratch*, PyObject*, void*), void** converted,
                        size_t* count) {
  *converted = NULL;
  *count = 0;
  if (sequence == NULL || sequence == Py_None) return 0;
  PyObject* const tuple = PySequence_Tuple(sequence);
  if (tuple == NULL || scratch_own(scratch, tuple) != 0) return -1;
  const size_t length = (size_t)PyTuple_Size(tuple);
  char* const memory = scratch_memory(scratch, length, size);
  if (memory == NULL) return -1;
  memset(memory, 0, length * size);
  for (size_t i = 0; i < length; ++i) {
    PyObject* const element = PyTuple_GetItem(tuple, (Py_ssize_t)i);
    if (!PyTuple_Check(element)) {
      PyErr_SetString(PyExc_TypeError, "events and links are tuples");
      return -1;
    }
    if (one(scratch, element, memory + i * size) != 0) return -1;
  }
  *converted = memory;
  *count = length;
  return 0;
}

static int convert_context(Scratch* scratch, PyObject* context, PyObject* trace_state, PyObject* is_remote, shmring_span_context* to) {
  if (convert_trace(context, &to->trace) != 0 || convert_text(scratch, trace_state, &to->trace_state) != 0) return -1;
  if (is_remote != NULL && is_remote != Py_None) {
    const int remote = PyObject_IsTrue(is_remote);
    if (remote < 0) return -1;
    to->origin = remote ? SHMRING_ORIGIN_REMOTE : SHMRING_ORIGIN_LOCAL;
  }
  return 0;
}

static int convert_event(Scratch* scratch, PyObject* tuple, void* to) {
  shmring_event* const event = to;
  PyObject *name, *time = NULL, *attributes = NULL, *dropped = NULL;
  return PyArg_ParseTuple(tuple, "O|OOO;an event is (name, timestamp, attributes, dropped_attributes_count)", &name, &time, &attributes,
                          &dropped) &&
                 convert_text(scratch, name, &event->name) == 0 && convert_u64(time, &event->time_unix_nano) == 0 &&
                 convert_attributes(scratch, attributes, &event->attributes) == 0 &&
                 convert_u32(dropped, &event->dropped_attributes_count) == 0
             ? 0
             : -1;
}

static int convert_link(Scratch* scratch, PyObject* tuple, void* to) {
  shmring_link* const link = to;
  PyObject *context, *attributes = NULL, *trace_state = NULL, *is_remote = NULL, *dropped = NULL;
  return PyArg_ParseTuple(tuple, "O|OOOO;a link is (context, attributes, trace_state, is_remote, dropped_attributes_count)", &context,
                          &attributes, &trace_state, &is_remote, &dropped) &&
                 convert_context(scratch, context, trace_state, is_remote, &link->context) == 0 &&
                 convert_attributes(scratch, attributes, &link->attributes) == 0 &&
                 convert_u32(dropped, &link->dropped_attributes_count) == 0
             ? 0
             : -1;
}

static int convert_parent(PyObject* parent_span_id, PyObject* parent_is_remote, shmring_span_record* span) {
  if (convert_id(parent_span_id, span->parent_span_id, sizeof(span->parent_span_id)) != 0) return -1;
  if (parent_is_remote == NULL || parent_is_remote == Py_None) return 0;
  const int remote = PyObject_IsTrue(parent_is_remote);
  if (remote < 0) return -1;
  span->parent_origin = remote ? SHMRING_ORIGIN_REMOTE : SHMRING_ORIGIN_LOCAL;
  return 0;
}

static PyObject* tracer_emit(PyObject* self, PyObject* args, PyObject* kwargs) {
  static const char* const names[] = {"name", "context", "start_time", "end_time", "attributes", "kind", "trace_state",
                                      "parent_span_id", "parent_is_remote", "events", "links", "status", "status_message",
                                      "dropped_attributes_count", "dropped_events_count", "dropped_links_count"};
  static Parameters parameters = {"emit", names, 16, 4, 5, {NULL}};
  PyObject* given[16] = {NULL};
  shmring_span_record span;
  memset(&span, 0, sizeof(span));
  span.size = sizeof(span);
  if (parse_arguments(&parameters, args, kwargs, given) != 0) return NULL;
  Scratch scratch;
  scratch_begin(&scratch);
  void *events = NULL, *links = NULL;
  PyObject* result = NULL;
  if (convert_text(&scratch, given[0], &span.name) == 0 &&
      convert_context(&scratch, given[1], given[6], NULL, &span.context) == 0 &&
      convert_u64(given[2], &span.start_time_unix_nano) == 0 && convert_u64(given[3], &span.end_time_unix_nano) == 0 &&
      convert_attributes(&scratch, given[4], &span.attributes) == 0 && convert_u32(given[5], &span.kind) == 0 &&
      convert_parent(given[7], given[8], &span) == 0 &&
      convert_each(&scratch, given[9], sizeof(shmring_event), convert_event, &events, &span.event_count) == 0 &&
      convert_each(&scratch, given[10], sizeof(shmring_link), convert_link, &links, &span.link_count) == 0 &&
      convert_u32(given[11], &span.status) == 0 && convert_text(&scratch, given[12], &span.status_message) == 0 &&
      convert_u32(given[13], &span.dropped_attributes_count) == 0 && convert_u32(given[14], &span.dropped_events_count) == 0 &&
      convert_u32(given[15], &span.dropped_links_count) == 0) {
    span.events = events;
    span.links = links;
    result = outcome(shmring_span_emit(((TracerObject*)self)->tracer, &span));
  }
  scratch_end(&scratch);
  return result;
}

#define WITH_KEYWORDS(function) ((PyCFunction)(void (*)(void))(function)), METH_VARARGS | METH_KEYWORDS

static PyMethodDef logger_methods[] = {
    {"log", WITH_KEYWORDS(logger_log),
     "log(severity, body, attributes=None, *, trace=None, ...) -> bool. True: committed, and safe whatever becomes of the process."},
    {"enabled", logger_enabled, METH_O, "enabled(severity) -> bool: whether a record of that severity would be written."},
    {NULL, NULL, 0, NULL}};
static PyType_Slot logger_slots[] = {{Py_tp_new, no_new},
                                     {Py_tp_dealloc, logger_dealloc},
                                     {Py_tp_methods, logger_methods},
                                     {Py_tp_doc, "Writes log records of one instrumentation scope."},
                                     {0, NULL}};
PyType_Spec logger_spec = {"shmring.Logger", sizeof(LoggerObject), 0, Py_TPFLAGS_DEFAULT, logger_slots};

static PyMethodDef tracer_methods[] = {
    {"emit", WITH_KEYWORDS(tracer_emit),
     "emit(name, context, start_time, end_time, attributes=None, *, kind=0, ...) -> bool: commits a finished span."},
    {NULL, NULL, 0, NULL}};
static PyType_Slot tracer_slots[] = {{Py_tp_new, no_new},
                                     {Py_tp_dealloc, tracer_dealloc},
                                     {Py_tp_methods, tracer_methods},
                                     {Py_tp_doc, "Writes finished spans of one instrumentation scope."},
                                     {0, NULL}};
PyType_Spec tracer_spec = {"shmring.Tracer", sizeof(TracerObject), 0, Py_TPFLAGS_DEFAULT, tracer_slots};
