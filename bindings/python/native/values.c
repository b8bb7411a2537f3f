/* SPDX-License-Identifier: Apache-2.0 */
/* Conversion of Python's values. */
#include "values.h"

#include <string.h>

enum { MAX_NESTING = 32 }; /* records hold no deeper values */

Python python;

void scratch_begin(Scratch* scratch) {
  scratch->kept = scratch->kept_here;
  scratch->kept_count = 0;
  scratch->kept_room = SCRATCH_KEPT;
  scratch->chunks = NULL;
  scratch->next = scratch->here;
  scratch->left = SCRATCH_BYTES;
}

void scratch_end(Scratch* scratch) {
  for (size_t i = 0; i < scratch->kept_count; ++i) Py_DECREF(scratch->kept[i]);
  if (scratch->kept != scratch->kept_here) PyMem_Free(scratch->kept);
  while (scratch->chunks != NULL) {
    void* const next = *(void**)scratch->chunks;
    PyMem_Free(scratch->chunks);
    scratch->chunks = next;
  }
}

void* scratch_memory(Scratch* scratch, size_t count, size_t size) {
  enum { CHUNK_HEADER = 16 };
  if (count > (SIZE_MAX - CHUNK_HEADER - 15) / size) return PyErr_NoMemory();
  const size_t bytes = (count * size + 15) & ~(size_t)15;
  if (bytes > scratch->left) {
    const size_t room = bytes > 4 * SCRATCH_BYTES ? bytes : 4 * SCRATCH_BYTES;
    char* const chunk = PyMem_Malloc(CHUNK_HEADER + room);
    if (chunk == NULL) return PyErr_NoMemory();
    *(void**)(void*)chunk = scratch->chunks;
    scratch->chunks = chunk;
    scratch->next = chunk + CHUNK_HEADER;
    scratch->left = room;
  }
  void* const memory = scratch->next;
  scratch->next += bytes;
  scratch->left -= bytes;
  return memory;
}

int scratch_own(Scratch* scratch, PyObject* object) {
  if (scratch->kept_count == scratch->kept_room) {
    const size_t room = 2 * scratch->kept_room;
    PyObject** const more = PyMem_Malloc(room * sizeof(PyObject*));
    if (more == NULL) {
      Py_DECREF(object);
      PyErr_NoMemory();
      return -1;
    }
    memcpy(more, scratch->kept, scratch->kept_count * sizeof(PyObject*));
    if (scratch->kept != scratch->kept_here) PyMem_Free(scratch->kept);
    scratch->kept = more;
    scratch->kept_room = room;
  }
  scratch->kept[scratch->kept_count++] = object;
  return 0;
}

/* str(), which may raise: a log call is not where a program wants to hear of that. */
PyObject* text_of_anything(PyObject* object) {
  PyObject* text = PyObject_Str(object);
  if (text != NULL || !PyErr_ExceptionMatches(PyExc_Exception)) return text;
  PyErr_Clear();
  PyObject* const name = PyObject_GetAttrString((PyObject*)Py_TYPE(object), "__name__");
  if (name == NULL) return NULL;
  text = PyUnicode_FromFormat("<%S object whose str() failed>", name);
  Py_DECREF(name);
  return text;
}

static int keep_utf8(Scratch* scratch, PyObject* unicode, const char** data, size_t* size) {
  Py_ssize_t length = 0;
  if (python.as_utf8 != NULL) { /* without a copy */
    *data = python.as_utf8(unicode, &length);
    *size = (size_t)length;
    if (*data != NULL) {
      Py_INCREF(unicode);
      return scratch_own(scratch, unicode);
    }
    if (!PyErr_ExceptionMatches(PyExc_UnicodeEncodeError)) return -1;
    PyErr_Clear();
  }
  /* Lone surrogates, as of file names that are no UTF-8, are written as \udc80. */
  PyObject* const bytes = PyUnicode_AsEncodedString(unicode, "utf-8", "backslashreplace");
  char* text = NULL;
  if (bytes == NULL || scratch_own(scratch, bytes) != 0 || PyBytes_AsStringAndSize(bytes, &text, &length) != 0) return -1;
  *data = text;
  *size = (size_t)length;
  return 0;
}

int convert_text(Scratch* scratch, PyObject* object, shmring_text* text) {
  text->data = NULL;
  text->size = 0;
  if (object == NULL || object == Py_None) return 0;
  if (PyUnicode_Check(object)) return keep_utf8(scratch, object, &text->data, &text->size);
  PyObject* const unicode = text_of_anything(object);
  if (unicode == NULL) return -1;
  const int result = keep_utf8(scratch, unicode, &text->data, &text->size);
  Py_DECREF(unicode);
  return result;
}

static int convert_string(Scratch* scratch, PyObject* object, shmring_value* value) {
  shmring_text text;
  if (convert_text(scratch, object, &text) != 0) return -1;
  value->kind = SHMRING_STRING;
  value->size = text.size;
  value->as.string = text.data;
  return 0;
}

static int convert_bytes(Scratch* scratch, PyObject* bytes, shmring_value* value) {
  char* data = NULL;
  Py_ssize_t size = 0;
  Py_INCREF(bytes);
  if (scratch_own(scratch, bytes) != 0 || PyBytes_AsStringAndSize(bytes, &data, &size) != 0) return -1;
  value->kind = SHMRING_BYTES;
  value->size = (size_t)size;
  value->as.bytes = data;
  return 0;
}

static int convert_int(Scratch* scratch, PyObject* object, shmring_value* value) {
  int overflow = 0;
  const long long number = PyLong_AsLongLongAndOverflow(object, &overflow);
  if (!overflow) {
    value->kind = SHMRING_INT;
    value->as.integer = number;
    return number == -1 && PyErr_Occurred() ? -1 : 0;
  }
  PyObject* digits = PyNumber_ToBase(object, 10);
  if (digits == NULL && PyErr_ExceptionMatches(PyExc_ValueError)) { /* more digits than sys.set_int_max_str_digits() allows */
    PyErr_Clear();
    digits = PyNumber_ToBase(object, 16);
  }
  if (digits == NULL) return -1;
  const int result = convert_string(scratch, digits, value);
  Py_DECREF(digits);
  return result;
}

static int convert_array(Scratch* scratch, PyObject* object, shmring_value* value, unsigned nesting) {
  const int is_list = PyList_Check(object);
  const Py_ssize_t count = is_list ? PyList_Size(object) : PyTuple_Size(object);
  if (count < 0) return -1;
  shmring_value* const elements = scratch_memory(scratch, (size_t)count, sizeof(shmring_value));
  if (elements == NULL) return -1;
  Py_ssize_t i = 0;
  for (; i < count && (!is_list || i < PyList_Size(object)); ++i) { /* str() of an element may shorten the list */
    PyObject* const element = is_list ? PyList_GetItem(object, i) : PyTuple_GetItem(object, i);
    if (element == NULL) return -1;
    Py_INCREF(element); /* or take the list that is being converted out of this one */
    const int result = convert_value(scratch, element, elements + i, nesting + 1);
    Py_DECREF(element);
    if (result != 0) return -1;
  }
  value->kind = SHMRING_ARRAY;
  value->size = (size_t)i;
  value->as.array = elements;
  return 0;
}

static int convert_entries(Scratch* scratch, PyObject* dict, const shmring_attribute** entries, size_t* used, unsigned nesting) {
  const Py_ssize_t count = PyDict_Size(dict);
  if (count < 0) return -1;
  shmring_attribute* const converted = scratch_memory(scratch, (size_t)count, sizeof(shmring_attribute));
  if (converted == NULL) return -1;
  PyObject *key, *item;
  Py_ssize_t place = 0, i = 0;
  while (i < count && PyDict_Next(dict, &place, &key, &item)) {
    Py_INCREF(item); /* str() of the key may change the dict */
    int result = convert_text(scratch, key, &converted[i].key);
    if (result == 0) result = convert_value(scratch, item, &converted[i].value, nesting);
    Py_DECREF(item);
    if (result != 0) return -1;
    if (converted[i].key.size != 0) ++i;
  }
  *entries = converted;
  *used = (size_t)i;
  return 0;
}

static int convert_map(Scratch* scratch, PyObject* dict, shmring_value* value, unsigned nesting) {
  value->kind = SHMRING_MAP;
  return convert_entries(scratch, dict, &value->as.map, &value->size, nesting + 1);
}

/* A copy in bytes, a dict or a tuple of what is like one of them; NULL without an exception, where it is like none. What `object` is asked
 * is its own code, which may raise: a memoryview that was released, a proxy for what is not there. */
static PyObject* plain_copy(PyObject* object) {
  if (PyByteArray_Check(object) || PyMemoryView_Check(object)) return PyBytes_FromObject(object);
  const int is_mapping = PyObject_IsInstance(object, python.mapping);
  if (is_mapping < 0) return NULL;
  if (is_mapping) return PyObject_CallFunctionObjArgs((PyObject*)&PyDict_Type, object, NULL);
  const int is_sequence = PyObject_IsInstance(object, python.sequence);
  return is_sequence > 0 ? PyObject_CallFunctionObjArgs((PyObject*)&PyTuple_Type, object, NULL) : NULL;
}

/* A container that is neither dict, list nor tuple, copied into one of those; everything else as text, and so what cannot be copied. */
static int convert_other(Scratch* scratch, PyObject* object, shmring_value* value, unsigned nesting) {
  PyObject* const copy = plain_copy(object);
  if (copy == NULL) {
    if (PyErr_Occurred()) {
      if (!PyErr_ExceptionMatches(PyExc_Exception)) return -1;
      PyErr_Clear();
    }
    return convert_string(scratch, object, value);
  }
  const int result = PyBytes_Check(copy)  ? convert_bytes(scratch, copy, value)
                     : PyDict_Check(copy) ? convert_map(scratch, copy, value, nesting)
                                          : convert_array(scratch, copy, value, nesting);
  Py_DECREF(copy);
  return result;
}

int convert_value(Scratch* scratch, PyObject* object, shmring_value* value, unsigned nesting) {
  memset(value, 0, sizeof(*value));
  if (object == NULL || object == Py_None || nesting > MAX_NESTING) return 0;
  if (PyUnicode_Check(object)) {
    value->kind = SHMRING_STRING;
    return keep_utf8(scratch, object, &value->as.string, &value->size);
  }
  if (object == Py_True || object == Py_False) {
    value->kind = SHMRING_BOOL;
    value->as.boolean = object == Py_True;
    return 0;
  }
  if (PyLong_Check(object)) return convert_int(scratch, object, value);
  if (PyFloat_Check(object)) {
    value->kind = SHMRING_DOUBLE;
    value->as.number = PyFloat_AsDouble(object);
    return 0;
  }
  if (PyDict_Check(object)) return convert_map(scratch, object, value, nesting);
  if (PyList_Check(object) || PyTuple_Check(object)) return convert_array(scratch, object, value, nesting);
  if (PyBytes_Check(object)) return convert_bytes(scratch, object, value);
  /* What it is copied into, or its text, lives in `scratch`; but its own str() may drop the last reference to it. */
  Py_INCREF(object);
  const int result = convert_other(scratch, object, value, nesting);
  Py_DECREF(object);
  return result;
}

int convert_attributes(Scratch* scratch, PyObject* mapping, shmring_attributes* attributes) {
  attributes->data = NULL;
  attributes->count = 0;
  if (mapping == NULL || mapping == Py_None) return 0;
  PyObject* const dict =
      PyDict_Check(mapping) ? (Py_INCREF(mapping), mapping) : PyObject_CallFunctionObjArgs((PyObject*)&PyDict_Type, mapping, NULL);
  if (dict == NULL) return -1;
  const int result = convert_entries(scratch, dict, &attributes->data, &attributes->count, 1);
  Py_DECREF(dict);
  return result;
}
