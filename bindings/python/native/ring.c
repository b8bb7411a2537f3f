/* SPDX-License-Identifier: Apache-2.0 */
/* shmring.open() and Ring. */
#include "ring.h"

#include <string.h>

static void ring_dealloc(PyObject* self) {
  shmring_close(((RingObject*)self)->ring);
  release(self);
}

static int convert_policy(PyObject* object, uint32_t* policy) {
  static const char* const names[] = {"drop-newest", "block", "drop-oldest"};
  *policy = SHMRING_DROP_NEWEST;
  if (object == NULL || object == Py_None) return 0;
  for (uint32_t i = 0; PyUnicode_Check(object) && i < 3; ++i) {
    if (PyUnicode_CompareWithASCIIString(object, names[i]) != 0) continue;
    *policy = i;
    return 0;
  }
  PyErr_Format(PyExc_ValueError, "on_full is 'drop-newest', 'block' or 'drop-oldest', not %R", object);
  return -1;
}

/* None, or a path as os.fspath() takes them; a text that ends with a zero. */
static int convert_path(Scratch* scratch, PyObject* object, const char** path) {
  *path = NULL;
  if (object == NULL || object == Py_None) return 0;
  PyObject* bytes = NULL;
  if (!PyUnicode_FSConverter(object, &bytes)) return -1;
  char* text = NULL;
  if (scratch_own(scratch, bytes) != 0 || PyBytes_AsStringAndSize(bytes, &text, NULL) != 0) return -1;
  *path = text;
  return 0;
}

static int convert_options(Scratch* scratch, PyObject* const* given, shmring_open_options* options) {
  shmring_text name;
  const int attach_only = given[1] == NULL ? 0 : PyObject_IsTrue(given[1]);
  if (attach_only < 0 || convert_path(scratch, given[0], &options->path) != 0 ||
      convert_u64(given[2], &options->capacity_bytes) != 0 || convert_u32(given[3], &options->block_bytes) != 0 ||
      convert_u32(given[4], &options->writers) != 0 || convert_policy(given[5], &options->on_full) != 0 ||
      convert_u32(given[6], &options->block_timeout_us) != 0 || convert_u32(given[7], &options->max_record_bytes) != 0 ||
      convert_attributes(scratch, given[9], &options->resource) != 0 ||
      convert_text(scratch, given[10], &options->resource_schema_url) != 0)
    return -1;
  options->attach_only = (uint32_t)attach_only;
  if (given[8] == NULL || given[8] == Py_None) return 0;
  if (!PyUnicode_Check(given[8])) {
    PyErr_SetString(PyExc_TypeError, "service_name is a str");
    return -1;
  }
  if (convert_text(scratch, given[8], &name) != 0) return -1;
  if (memchr(name.data, 0, name.size) != NULL) {
    PyErr_SetString(PyExc_ValueError, "service_name has a zero byte");
    return -1;
  }
  options->service_name = name.data;
  return 0;
}

PyObject* ring_open(PyObject* module, PyObject* args, PyObject* kwargs) {
  static const char* const names[] = {"path",             "attach_only",      "capacity_bytes", "block_bytes", "writers", "on_full",
                                      "block_timeout_us", "max_record_bytes", "service_name",   "resource",
                                      "resource_schema_url"};
  static Parameters parameters = {"open", names, 11, 0, 1, {NULL}};
  PyObject* given[11] = {NULL};
  shmring_open_options options = SHMRING_OPEN_OPTIONS_INIT;
  (void)module;
  if (parse_arguments(&parameters, args, kwargs, given) != 0) return NULL;
  Scratch scratch;
  scratch_begin(&scratch);
  RingObject* self = NULL;
  if (convert_options(&scratch, given, &options) == 0) {
    self = (RingObject*)allocate(ring_type);
    shmring_ring* ring = NULL;
    int error = SHMRING_OK;
    if (self != NULL) {
      Py_BEGIN_ALLOW_THREADS
      error = shmring_open(&options, &ring);
      Py_END_ALLOW_THREADS
      self->ring = ring;
    }
    if (error != SHMRING_OK) {
      raise_error(error);
      Py_CLEAR(self);
    }
  }
  scratch_end(&scratch);
  return (PyObject*)self;
}

static PyObject* ring_scope(PyObject* self, PyObject* args, PyObject* kwargs) {
  static Parameters parameters = {"scope", scope_arguments, SCOPE_ARGUMENTS, 1, 2, {NULL}};
  shmring_scope_options options = SHMRING_SCOPE_OPTIONS_INIT;
  uint16_t scope = 0;
  Scratch scratch;
  scratch_begin(&scratch);
  PyObject* result = NULL;
  if (parse_scope(&parameters, args, kwargs, &scratch, &options) == 0) {
    const int error = shmring_scope_for(((RingObject*)self)->ring, &options, &scope);
    result = error == SHMRING_OK ? PyLong_FromLong(scope) : raise_error(error);
  }
  scratch_end(&scratch);
  return result;
}

static PyObject* ring_write(PyObject* self, PyObject* args) {
  PyObject *first, *second, *data;
  uint32_t kind = 0, scope = 0;
  char* bytes = NULL;
  Py_ssize_t size = 0;
  if (!PyArg_ParseTuple(args, "OOS:write", &first, &second, &data) || convert_u32(first, &kind) != 0 || convert_u32(second, &scope) != 0 ||
      PyBytes_AsStringAndSize(data, &bytes, &size) != 0)
    return NULL;
  return outcome(scope > UINT16_MAX ? SHMRING_E_INVALID_ARGUMENT
                                    : shmring_write(((RingObject*)self)->ring, kind, (uint16_t)scope, bytes, (size_t)size));
}

static PyObject* ring_set_min_severity(PyObject* self, PyObject* number) {
  uint32_t severity = 0;
  if (convert_u32(number, &severity) != 0) return NULL;
  const int error = shmring_set_min_severity(((RingObject*)self)->ring, severity);
  if (error != SHMRING_OK) return raise_error(error);
  Py_RETURN_NONE;
}

static int put_number(PyObject* dict, const char* name, uint64_t number) {
  PyObject* const value = PyLong_FromUnsignedLongLong(number);
  const int result = value == NULL ? -1 : PyDict_SetItemString(dict, name, value);
  Py_XDECREF(value);
  return result;
}

static PyObject* drops_of(const shmring_status* status) {
  static const char* const causes[SHMRING_DROP_CAUSES] = {"ring_full",  "block_timeout", "too_large",          "no_writer_slot",
                                                          "after_fork", "nested",        "unsupported_process"};
  PyObject* const drops = PyDict_New();
  for (int i = 0; drops != NULL && i < SHMRING_DROP_CAUSES; ++i) {
    if (put_number(drops, causes[i], status->dropped[i]) == 0) continue;
    Py_DECREF(drops);
    return NULL;
  }
  return drops;
}

static PyObject* status_of(const shmring_status* status) {
  const struct {
    const char* name;
    uint64_t number;
  } numbers[] = {{"attempted", status->attempted},
                 {"written", status->written},
                 {"pending", status->pending},
                 {"accepted", status->accepted},
                 {"rejected", status->rejected},
                 {"dead_lettered", status->dead_lettered},
                 {"invalid", status->invalid},
                 {"corrupt", status->corrupt},
                 {"evicted", status->evicted},
                 {"spooled", status->spooled},
                 {"duplicates_possible", status->duplicates_possible},
                 {"blocks", status->blocks},
                 {"free_blocks", status->free_blocks}};
  PyObject* const result = PyDict_New();
  PyObject* const drops = result == NULL ? NULL : drops_of(status);
  int failed = drops == NULL || PyDict_SetItemString(result, "dropped", drops) != 0 ||
               PyDict_SetItemString(result, "closes", status->closes ? Py_True : Py_False) != 0;
  for (size_t i = 0; !failed && i < sizeof(numbers) / sizeof(numbers[0]); ++i)
    failed = put_number(result, numbers[i].name, numbers[i].number) != 0;
  Py_XDECREF(drops);
  if (!failed) return result;
  Py_XDECREF(result);
  return NULL;
}

static PyObject* look(PyObject* self, PyObject* (*shown)(const shmring_status*)) {
  shmring_status status = {0};
  status.size = sizeof(status);
  int error;
  Py_BEGIN_ALLOW_THREADS
  error = shmring_get_status(((RingObject*)self)->ring, &status);
  Py_END_ALLOW_THREADS
  return error == SHMRING_OK ? shown(&status) : raise_error(error);
}
static PyObject* ring_status(PyObject* self, PyObject* nothing) {
  (void)nothing;
  return look(self, status_of);
}
static PyObject* ring_drops(PyObject* self, PyObject* nothing) {
  (void)nothing;
  return look(self, drops_of);
}

static PyObject* ring_path(PyObject* self, void* nothing) {
  (void)nothing;
  return PyUnicode_DecodeFSDefault(shmring_path(((RingObject*)self)->ring));
}
static PyObject* ring_max_payload(PyObject* self, void* nothing) {
  (void)nothing;
  return PyLong_FromSize_t(shmring_max_payload(((RingObject*)self)->ring));
}
static PyObject* ring_repr(PyObject* self) {
  PyObject* const path = ring_path(self, NULL);
  PyObject* const text = path == NULL ? NULL : PyUnicode_FromFormat("<shmring.Ring %R>", path);
  Py_XDECREF(path);
  return text;
}

#define WITH_KEYWORDS(function) ((PyCFunction)(void (*)(void))(function)), METH_VARARGS | METH_KEYWORDS

static PyMethodDef methods[] = {
    {"logger", WITH_KEYWORDS(make_logger),
     "logger(name='', version='', *, attributes=None, schema_url=None) -> Logger, for an instrumentation scope."},
    {"tracer", WITH_KEYWORDS(make_tracer),
     "tracer(name='', version='', *, attributes=None, schema_url=None) -> Tracer, for an instrumentation scope."},
    {"scope", WITH_KEYWORDS(ring_scope),
     "scope(name, version='', *, attributes=None, schema_url=None) -> int: the number of an instrumentation scope, for write()."},
    {"write", ring_write, METH_VARARGS, "write(kind, scope, data) -> bool: commits one OTLP message: LOG, SPAN or METRIC."},
    {"set_min_severity", ring_set_min_severity, METH_O,
     "set_min_severity(number): log records below it are written by no process from now on; 0: all are."},
    {"drops", ring_drops, METH_NOARGS, "drops() -> dict: dropped records by cause, of every process on this ring."},
    {"status", ring_status, METH_NOARGS, "status() -> dict: what became of every record of every process on this ring."},
    {NULL, NULL, 0, NULL}};
static PyGetSetDef properties[] = {{"path", ring_path, NULL, "The path of its file.", NULL},
                                   {"max_payload", ring_max_payload, NULL, "The largest record, in bytes.", NULL},
                                   {NULL, NULL, NULL, NULL, NULL}};
static PyType_Slot slots[] = {{Py_tp_new, no_new},      {Py_tp_dealloc, ring_dealloc}, {Py_tp_repr, ring_repr},
                              {Py_tp_methods, methods}, {Py_tp_getset, properties},
                              {Py_tp_doc, "A ring in shared memory. What is committed to it outlives the process."},
                              {0, NULL}};
PyType_Spec ring_spec = {"shmring.Ring", sizeof(RingObject), 0, Py_TPFLAGS_DEFAULT, slots};
