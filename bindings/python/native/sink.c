/* SPDX-License-Identifier: Apache-2.0 */
/* Sink: takes the records of Python's `logging`. A record's __dict__ is walked once: what logging put there itself comes
 * first and in a fixed order, everything else came from `extra` and becomes an attribute. */
#include <string.h>

#include "ring.h"

enum Field {
  NAME, MSG, ARGS, LEVELNAME, LEVELNO, PATHNAME, FILENAME, MODULE, EXC_INFO, EXC_TEXT, STACK_INFO, LINENO, FUNCNAME, CREATED, MSECS,
  RELATIVE_CREATED, THREAD, THREAD_NAME, PROCESS_NAME, PROCESS, TASK_NAME, MESSAGE, ASCTIME, FIELDS
};
static const char* const field_names[FIELDS] = {
    "name",    "msg",   "args",  "levelname",       "levelno", "pathname",   "filename",    "module",  "exc_info", "exc_text", "stack_info", "lineno",
    "funcName", "created", "msecs", "relativeCreated", "thread",  "threadName", "processName", "process", "taskName", "message",  "asctime"};
static PyObject* fields[FIELDS]; /* interned, as the keys are */

/* Words that are looked up for every record. */
static PyObject *dict_name, *get_message_name, *trace_module_name, *get_current_span_name, *invalid_span_name, *get_span_context_name;
static PyObject* plain_record; /* logging.LogRecord, whose getMessage() is known */
static PyObject* describe;     /* shmring._exceptions.describe */
static PyObject* modules;      /* sys.modules, which the interpreter itself lets go of before the last __del__ has run */

typedef struct SinkObject {
  PyObject_HEAD
  RingObject* ring;
  PyObject* loggers; /* by name: capsules */
  PyObject* last_name;
  shmring_logger* last_logger;
  PyObject* get_current_span; /* of opentelemetry.trace, once the program has loaded that */
  PyObject* invalid_span;
} SinkObject;

static int intern(PyObject** word, const char* text) { return (*word = PyUnicode_InternFromString(text)) == NULL ? -1 : 0; }

static int prepare(void) {
  if (describe != NULL) return 0;
  for (int i = 0; i < FIELDS; ++i) {
    if (intern(&fields[i], field_names[i]) != 0) return -1;
  }
  if (intern(&dict_name, "__dict__") != 0 || intern(&get_message_name, "getMessage") != 0 ||
      intern(&trace_module_name, "opentelemetry.trace") != 0 || intern(&get_current_span_name, "get_current_span") != 0 ||
      intern(&invalid_span_name, "INVALID_SPAN") != 0 || intern(&get_span_context_name, "get_span_context") != 0)
    return -1;
  PyObject* const logging = PyImport_ImportModule("logging");
  PyObject* const exceptions = PyImport_ImportModule("shmring._exceptions");
  if (logging != NULL) plain_record = PyObject_GetAttrString(logging, "LogRecord");
  modules = PyImport_GetModuleDict();
  Py_INCREF(modules);
  if (exceptions != NULL) describe = PyObject_GetAttrString(exceptions, "describe");
  Py_XDECREF(logging);
  Py_XDECREF(exceptions);
  return plain_record == NULL || describe == NULL ? -1 : 0;
}

PyObject* make_sink(PyObject* module, PyObject* args) {
  PyObject* ring = NULL;
  (void)module;
  if (!PyArg_ParseTuple(args, "O!:Sink", (PyTypeObject*)ring_type, &ring) || prepare() != 0) return NULL;
  SinkObject* self = (SinkObject*)allocate(sink_type);
  if (self == NULL) return NULL;
  self->loggers = PyDict_New();
  if (self->loggers == NULL) Py_CLEAR(self);
  if (self != NULL) {
    Py_INCREF(ring);
    self->ring = (RingObject*)ring;
  }
  return (PyObject*)self;
}

static void sink_dealloc(PyObject* object) {
  SinkObject* const self = (SinkObject*)object;
  Py_CLEAR(self->last_name);
  Py_CLEAR(self->loggers);
  Py_CLEAR(self->ring);
  Py_CLEAR(self->get_current_span);
  Py_CLEAR(self->invalid_span);
  release(object);
}

static void free_logger(PyObject* capsule) { shmring_logger_free(PyCapsule_GetPointer(capsule, NULL)); }

static shmring_logger* new_logger(SinkObject* self, Scratch* scratch, PyObject* name) {
  shmring_text text;
  const shmring_text no_version = {NULL, 0};
  shmring_logger* logger = NULL;
  if (convert_text(scratch, name, &text) != 0) return NULL;
  const int error = shmring_logger_new(self->ring->ring, text, no_version, &logger);
  if (error != SHMRING_OK) {
    raise_error(error);
    return NULL;
  }
  PyObject* const capsule = PyCapsule_New(logger, NULL, free_logger);
  if (capsule == NULL) {
    shmring_logger_free(logger);
    return NULL;
  }
  if (PyDict_SetItem(self->loggers, name, capsule) != 0) logger = NULL;
  Py_DECREF(capsule);
  return logger;
}

/* Stays valid as long as the sink: nothing leaves `loggers`. */
static shmring_logger* logger_for(SinkObject* self, Scratch* scratch, PyObject* name) {
  if (name == self->last_name) return self->last_logger;
  if (!PyUnicode_Check(name)) {
    name = text_of_anything(name);
    if (name == NULL || scratch_own(scratch, name) != 0) return NULL;
  }
  PyObject* const capsule = PyDict_GetItemWithError(self->loggers, name);
  if (capsule == NULL && PyErr_Occurred()) return NULL;
  shmring_logger* const logger = capsule != NULL ? PyCapsule_GetPointer(capsule, NULL) : new_logger(self, scratch, name);
  if (logger == NULL) return NULL;
  PyObject* const before = self->last_name;
  Py_INCREF(name);
  self->last_name = name;
  self->last_logger = logger;
  Py_XDECREF(before);
  return logger;
}

/* Where a part of a record could not be had: whether it goes on without it, rather than not at all. */
static int goes_without(void) {
  if (!PyErr_ExceptionMatches(PyExc_Exception)) return 0;
  PyErr_Clear();
  return 1;
}

/* DEBUG 10 to 19 are OpenTelemetry's 5 to 8, INFO 9 to 12, and so on; below DEBUG it is TRACE. */
static uint32_t severity_of(PyObject* levelno) {
  const long level = levelno == NULL ? 0 : PyLong_AsLong(levelno);
  if (level == -1 && PyErr_Occurred()) PyErr_Clear();
  if (level <= 0) return 0;
  if (level < 10) return 1;
  if (level >= 50) return 21 + (uint32_t)(level > 53 ? 3 : level - 50);
  return 1 + 4 * (uint32_t)(level / 10) + (uint32_t)(level % 10 > 3 ? 3 : level % 10);
}

/* The trace context of the current span, where the program has loaded OpenTelemetry. */
static int find_trace(SinkObject* self, shmring_trace_context* trace) {
  if (self->get_current_span == NULL) {
    PyObject* const module = PyDict_GetItemWithError(modules, trace_module_name);
    if (module == NULL) return PyErr_Occurred() ? -1 : 0;
    self->invalid_span = PyObject_GetAttr(module, invalid_span_name);
    if (self->invalid_span != NULL) self->get_current_span = PyObject_GetAttr(module, get_current_span_name);
    if (self->get_current_span == NULL) { /* it is being imported at this moment */
      PyErr_Clear();
      Py_CLEAR(self->invalid_span);
      return 0;
    }
  }
  PyObject* const span = PyObject_CallFunctionObjArgs(self->get_current_span, NULL);
  if (span == NULL) return -1;
  int result = 0;
  if (span != self->invalid_span) {
    PyObject* const context = PyObject_CallMethodObjArgs(span, get_span_context_name, NULL);
    result = context == NULL ? -1 : convert_trace(context, trace);
    Py_XDECREF(context);
  }
  Py_DECREF(span);
  return result;
}

/* Sorts a record's __dict__ into fields and the rest. Both are kept alive by `scratch`. */
static int sort_fields(Scratch* scratch, PyObject* dict, PyObject** found, shmring_attribute* attributes, size_t room, size_t* used) {
  PyObject *key, *value;
  Py_ssize_t place = 0;
  int expected = 0;
  while (PyDict_Next(dict, &place, &key, &value)) {
    int field = expected;
    if (field >= FIELDS || fields[field] != key) {
      field = 0;
      while (field < FIELDS && fields[field] != key) ++field;
    }
    if (field < FIELDS) {
      found[field] = value;
      expected = field + 1;
      Py_INCREF(value);
      if (scratch_own(scratch, value) != 0) return -1;
      continue;
    }
    if (*used == room) break;
    Py_INCREF(value);
    int result = scratch_own(scratch, value);
    shmring_attribute* const attribute = attributes + *used;
    if (result == 0) result = convert_text(scratch, key, &attribute->key);
    if (result == 0) result = convert_value(scratch, value, &attribute->value, 1);
    if (result != 0) return -1;
    if (attribute->key.size != 0) ++*used;
  }
  return 0;
}

static shmring_attribute* add(shmring_attribute* attribute, const char* key, size_t size) {
  memset(attribute, 0, sizeof(*attribute));
  attribute->key.data = key;
  attribute->key.size = size;
  return attribute;
}
#define ADD(record, key) (add((shmring_attribute*)(record)->attributes.data + (record)->attributes.count++, key, sizeof(key) - 1))

static int is_there(PyObject* object) { return object != NULL && object != Py_None; }

/* exception.* of what was raised; of a record that came through a queue only its text is left. */
static int add_exception(Scratch* scratch, PyObject* const* found, shmring_log_record* record) {
  PyObject* const exception = found[EXC_INFO];
  if (!is_there(exception) || exception == Py_False) {
    if (!is_there(found[EXC_TEXT])) return 0;
    return convert_value(scratch, found[EXC_TEXT], &ADD(record, "exception.stacktrace")->value, 1);
  }
  PyObject* const texts = PyObject_CallFunctionObjArgs(describe, exception, NULL);
  if (texts == NULL) return goes_without() ? 0 : -1;
  if (scratch_own(scratch, texts) != 0) return -1;
  if (!PyTuple_Check(texts)) return 0; /* exc_info without an exception */
  return convert_value(scratch, PyTuple_GetItem(texts, 0), &ADD(record, "exception.type")->value, 1) != 0 ||
                 convert_value(scratch, PyTuple_GetItem(texts, 1), &ADD(record, "exception.message")->value, 1) != 0 ||
                 convert_value(scratch, PyTuple_GetItem(texts, 2), &ADD(record, "exception.stacktrace")->value, 1) != 0
             ? -1
             : 0;
}

static int add_place(Scratch* scratch, PyObject* const* found, shmring_log_record* record) {
  if (is_there(found[PATHNAME]) && convert_value(scratch, found[PATHNAME], &ADD(record, "code.file.path")->value, 1) != 0) return -1;
  if (is_there(found[FUNCNAME]) && convert_value(scratch, found[FUNCNAME], &ADD(record, "code.function.name")->value, 1) != 0) return -1;
  if (is_there(found[LINENO]) && convert_value(scratch, found[LINENO], &ADD(record, "code.line.number")->value, 1) != 0) return -1;
  if (is_there(found[STACK_INFO]) && convert_value(scratch, found[STACK_INFO], &ADD(record, "code.stacktrace")->value, 1) != 0) return -1;
  return 0;
}

/* What getMessage() gives. A new reference. */
static PyObject* message_of(PyObject* object, PyObject* const* found) {
  if ((PyObject*)Py_TYPE(object) != plain_record || found[MSG] == NULL || found[ARGS] == NULL)
    return PyObject_CallMethodObjArgs(object, get_message_name, NULL);
  PyObject* const text = PyUnicode_Check(found[MSG]) ? (Py_INCREF(found[MSG]), found[MSG]) : PyObject_Str(found[MSG]);
  if (text == NULL) return NULL;
  const int has_arguments = PyObject_IsTrue(found[ARGS]);
  if (has_arguments == 0) return text;
  PyObject* const message = has_arguments < 0 ? NULL : PyNumber_Remainder(text, found[ARGS]);
  Py_DECREF(text);
  return message;
}

static PyObject* write_fields(SinkObject* self, Scratch* scratch, PyObject* object, PyObject* dict, PyObject* body) {
  enum { OUR_ATTRIBUTES = 8 };
  PyObject* found[FIELDS] = {NULL};
  const size_t room = (size_t)PyDict_Size(dict);
  shmring_attribute* const attributes = scratch_memory(scratch, room + OUR_ATTRIBUTES, sizeof(shmring_attribute));
  shmring_log_record record;
  memset(&record, 0, sizeof(record));
  record.size = sizeof(record);
  record.attributes.data = attributes;
  if (attributes == NULL || sort_fields(scratch, dict, found, attributes, room, &record.attributes.count) != 0) return NULL;
  record.severity_number = severity_of(found[LEVELNO]);
  const shmring_logger* const logger = logger_for(self, scratch, found[NAME] == NULL ? fields[NAME] : found[NAME]);
  if (logger == NULL) return NULL;
  if (!shmring_log_enabled(logger, record.severity_number)) Py_RETURN_FALSE;
  PyObject* const message = body == NULL ? message_of(object, found) : (Py_INCREF(body), body);
  if (message == NULL || scratch_own(scratch, message) != 0 || convert_value(scratch, message, &record.body, 1) != 0 ||
      convert_text(scratch, found[LEVELNAME], &record.severity_text) != 0 || add_place(scratch, found, &record) != 0 ||
      add_exception(scratch, found, &record) != 0)
    return NULL;
  if (find_trace(self, &record.trace) != 0) {
    if (!goes_without()) return NULL;
    memset(&record.trace, 0, sizeof(record.trace));
  }
  const double created = is_there(found[CREATED]) ? PyFloat_AsDouble(found[CREATED]) : 0;
  if (created == -1 && PyErr_Occurred() && !goes_without()) return NULL;
  if (created > 0 && created < 1e10) record.time_unix_nano = (uint64_t)(created * 1e9);
  return outcome(shmring_log(logger, &record));
}

static PyObject* write_record(PyObject* self, PyObject* object, PyObject* body) {
  PyObject* const dict = PyObject_GetAttr(object, dict_name);
  if (dict == NULL) return NULL;
  Scratch scratch;
  scratch_begin(&scratch);
  PyObject* const result = write_fields((SinkObject*)self, &scratch, object, dict, body);
  scratch_end(&scratch);
  Py_DECREF(dict);
  return result;
}

static PyObject* sink_emit(PyObject* self, PyObject* record) { return write_record(self, record, NULL); }

static PyObject* sink_emit_as(PyObject* self, PyObject* args) {
  PyObject *record, *body;
  if (!PyArg_ParseTuple(args, "OO:emit_as", &record, &body)) return NULL;
  return write_record(self, record, body);
}

static PyMethodDef methods[] = {{"emit", sink_emit, METH_O, "emit(record) -> bool: commits a logging.LogRecord."},
                                {"emit_as", sink_emit_as, METH_VARARGS, "emit_as(record, body) -> bool: the same, with a body of one's own."},
                                {NULL, NULL, 0, NULL}};
static PyType_Slot slots[] = {{Py_tp_new, no_new},
                              {Py_tp_dealloc, sink_dealloc},
                              {Py_tp_methods, methods},
                              {Py_tp_doc, "Writes records of logging; see Handler."},
                              {0, NULL}};
PyType_Spec sink_spec = {"shmring._native.SinkType", sizeof(SinkObject), 0, Py_TPFLAGS_DEFAULT, slots};
