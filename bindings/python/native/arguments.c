/* SPDX-License-Identifier: Apache-2.0 */
/* Arguments of calls, numbers and ids among them; and what a call answers. */
#include <string.h>

#include "values.h"

int parse_arguments(Parameters* parameters, PyObject* args, PyObject* kwargs, PyObject** out) {
  if (parameters->interned[0] == NULL) {
    for (int i = parameters->count - 1; i >= 0; --i) {
      parameters->interned[i] = PyUnicode_InternFromString(parameters->names[i]);
      if (parameters->interned[i] == NULL) return -1;
    }
  }
  const Py_ssize_t placed = PyTuple_Size(args);
  if (placed > parameters->by_place) {
    PyErr_Format(PyExc_TypeError, "%s() takes at most %d positional arguments, %zd were given", parameters->function, parameters->by_place,
                 placed);
    return -1;
  }
  uint32_t given = 0;
  for (Py_ssize_t i = 0; i < placed; ++i) {
    out[i] = PyTuple_GetItem(args, i);
    given |= 1U << i;
  }
  PyObject *key, *value;
  Py_ssize_t place = 0;
  while (kwargs != NULL && PyDict_Next(kwargs, &place, &key, &value)) {
    int i = 0;
    while (i < parameters->count && parameters->interned[i] != key) ++i;
    if (i == parameters->count) {
      i = 0;
      while (i < parameters->count && PyUnicode_Compare(parameters->interned[i], key) != 0) ++i;
    }
    if (i == parameters->count || (given & 1U << i) != 0) {
      PyErr_Format(PyExc_TypeError, i == parameters->count ? "%s() has no argument '%U'" : "%s() got '%U' twice", parameters->function, key);
      return -1;
    }
    out[i] = value;
    given |= 1U << i;
  }
  for (int i = 0; i < parameters->required; ++i) {
    if ((given & 1U << i) != 0) continue;
    PyErr_Format(PyExc_TypeError, "%s() needs '%s'", parameters->function, parameters->names[i]);
    return -1;
  }
  return 0;
}

static void raise_type(PyObject* given, const char* needed) {
  PyObject* const type = PyObject_GetAttrString((PyObject*)Py_TYPE(given), "__name__");
  if (type != NULL) PyErr_Format(PyExc_TypeError, "%s is needed, not %U", needed, type);
  Py_XDECREF(type);
}

const char* const scope_arguments[SCOPE_ARGUMENTS] = {"name", "version", "attributes", "schema_url"};

int parse_scope(Parameters* parameters, PyObject* args, PyObject* kwargs, Scratch* scratch, shmring_scope_options* scope) {
  PyObject* given[SCOPE_ARGUMENTS] = {NULL};
  return parse_arguments(parameters, args, kwargs, given) != 0 || convert_text(scratch, given[0], &scope->name) != 0 ||
                 convert_text(scratch, given[1], &scope->version) != 0 || convert_attributes(scratch, given[2], &scope->attributes) != 0 ||
                 convert_text(scratch, given[3], &scope->schema_url) != 0
             ? -1
             : 0;
}

int convert_u64(PyObject* object, uint64_t* number) {
  *number = 0;
  if (object == NULL || object == Py_None) return 0;
  if (!PyIndex_Check(object)) {
    raise_type(object, "a whole number");
    return -1;
  }
  PyObject* const index = PyNumber_Index(object);
  if (index == NULL) return -1;
  *number = PyLong_AsUnsignedLongLong(index);
  Py_DECREF(index);
  return *number == (uint64_t)-1 && PyErr_Occurred() ? -1 : 0;
}

int convert_u32(PyObject* object, uint32_t* number) {
  uint64_t wide = 0;
  *number = 0;
  if (object == NULL || object == Py_None) return 0;
  PyObject* value = NULL;
  if (!PyIndex_Check(object)) { /* an Enum whose value is the number */
    value = PyObject_GetAttrString(object, "value");
    if (value == NULL) PyErr_Clear();
  }
  const int result = convert_u64(value == NULL ? object : value, &wide);
  Py_XDECREF(value);
  if (result != 0) return -1;
  if (wide > UINT32_MAX) {
    PyErr_SetString(PyExc_OverflowError, "a number of at most 32 bits is needed");
    return -1;
  }
  *number = (uint32_t)wide;
  return 0;
}

static void put_big_endian(uint64_t number, uint8_t* to) {
  for (int i = 7; i >= 0; --i, number >>= 8) to[i] = (uint8_t)number;
}

/* Eight bytes of an id; OverflowError for a number that is negative or has more of them. */
static int put_number(PyObject* number, uint8_t* to) {
  const unsigned long long bits = PyLong_AsUnsignedLongLong(number);
  if (bits == (unsigned long long)-1 && PyErr_Occurred()) return -1;
  put_big_endian(bits, to);
  return 0;
}

static int convert_int_id(PyObject* number, uint8_t* id, size_t size) {
  if (size == 8) return put_number(number, id);
  PyObject* const bits = PyLong_FromLong(64);
  PyObject* const high = bits == NULL ? NULL : PyNumber_Rshift(number, bits);
  Py_XDECREF(bits);
  const int result = high == NULL ? -1 : put_number(high, id);
  Py_XDECREF(high);
  if (result == 0) put_big_endian(PyLong_AsUnsignedLongLongMask(number), id + 8);
  return result;
}

int convert_id(PyObject* object, uint8_t* id, size_t size) {
  memset(id, 0, size);
  if (object == NULL || object == Py_None) return 0;
  char* data = NULL;
  Py_ssize_t length = 0;
  if (PyLong_Check(object)) {
    if (convert_int_id(object, id, size) == 0) return 0;
    if (!PyErr_ExceptionMatches(PyExc_OverflowError)) return -1;
    PyErr_Clear();
  } else if (!PyBytes_Check(object)) {
    raise_type(object, "an id as int or bytes");
    return -1;
  } else if (PyBytes_AsStringAndSize(object, &data, &length) == 0 && (size_t)length == size) {
    memcpy(id, data, size);
    return 0;
  }
  PyErr_Format(PyExc_ValueError, "an id is %zu bytes, or an int that fits in them", size);
  return -1;
}

static int convert_trace_tuple(PyObject* tuple, shmring_trace_context* trace) {
  const Py_ssize_t size = PyTuple_Size(tuple);
  if (size != 2 && size != 3) {
    PyErr_SetString(PyExc_ValueError, "a trace context is (trace_id, span_id) or (trace_id, span_id, flags)");
    return -1;
  }
  uint32_t flags = 1;
  if (convert_id(PyTuple_GetItem(tuple, 0), trace->trace_id, sizeof(trace->trace_id)) != 0 ||
      convert_id(PyTuple_GetItem(tuple, 1), trace->span_id, sizeof(trace->span_id)) != 0 ||
      (size == 3 && convert_u32(PyTuple_GetItem(tuple, 2), &flags) != 0))
    return -1;
  trace->flags = (uint8_t)flags;
  return 0;
}

int convert_trace(PyObject* object, shmring_trace_context* trace) {
  memset(trace, 0, sizeof(*trace));
  if (object == NULL || object == Py_None) return 0;
  if (PyTuple_CheckExact(object)) return convert_trace_tuple(object, trace);
  if (PyUnicode_Check(object)) {
    PyObject* const bytes = PyUnicode_AsEncodedString(object, "utf-8", "replace");
    if (bytes == NULL) return -1;
    const shmring_text header = {PyBytes_AsString(bytes), (size_t)PyBytes_Size(bytes)};
    const int error = shmring_parse_traceparent(header, trace);
    Py_DECREF(bytes);
    if (error == SHMRING_OK) return 0;
    PyErr_Format(PyExc_ValueError, "%R is no traceparent header", object);
    return -1;
  }
  /* OpenTelemetry's SpanContext, a tuple of its own kind, is one of these. */
  PyObject* const trace_id = PyObject_GetAttrString(object, "trace_id");
  if (trace_id == NULL && PyErr_ExceptionMatches(PyExc_AttributeError)) {
    PyErr_Clear();
    raise_type(object, "a traceparent header, a tuple of ids, or a span's context");
  }
  PyObject* const span_id = trace_id == NULL ? NULL : PyObject_GetAttrString(object, "span_id");
  PyObject* const flags = span_id == NULL ? NULL : PyObject_GetAttrString(object, "trace_flags");
  uint32_t bits = 0;
  int result = -1;
  if (flags != NULL && convert_id(trace_id, trace->trace_id, sizeof(trace->trace_id)) == 0 &&
      convert_id(span_id, trace->span_id, sizeof(trace->span_id)) == 0)
    result = convert_u32(flags, &bits);
  trace->flags = (uint8_t)bits;
  Py_XDECREF(trace_id);
  Py_XDECREF(span_id);
  Py_XDECREF(flags);
  return result;
}

static PyObject* raise_with(int error, const char* message) {
  if (error == SHMRING_E_NO_MEMORY) return PyErr_NoMemory();
  PyObject* const text = PyUnicode_DecodeFSDefault(message); /* it has paths in it */
  PyObject* const exception = text == NULL ? NULL : PyObject_CallFunctionObjArgs(python.ring_error, text, NULL);
  Py_XDECREF(text);
  PyObject* const code = exception == NULL ? NULL : PyLong_FromLong(error);
  if (code != NULL && PyObject_SetAttrString(exception, "code", code) == 0) PyErr_SetObject(python.ring_error, exception);
  Py_XDECREF(code);
  Py_XDECREF(exception);
  return NULL;
}

PyObject* raise_error(int error) {
  const char* const message = shmring_error_message();
  return raise_with(error, message[0] != '\0' ? message : shmring_strerror(error));
}

PyObject* outcome(int error) {
  if (error == SHMRING_OK) Py_RETURN_TRUE;
  if (error == SHMRING_E_DROPPED || error == SHMRING_E_NOT_RECORDED) Py_RETURN_FALSE;
  return raise_with(error, shmring_strerror(error));
}
