/* SPDX-License-Identifier: Apache-2.0 */
/* Python's values as the C interface has them, and what keeps them alive for the length of one call. */
#ifndef SHMRING_PYTHON_VALUES_H
#define SHMRING_PYTHON_VALUES_H

/* One binary for CPython 3.9 and newer. */
#define Py_LIMITED_API 0x03090000
#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include "shmring/shmring.h"

enum { SCRATCH_BYTES = 4096, SCRATCH_KEPT = 96 };

/* Memory and references of one call: on the stack what nearly every record needs. */
typedef struct Scratch {
  PyObject** kept; /* texts and bytes that values point into: str() of a value may run code that changes the dict they are from */
  size_t kept_count;
  size_t kept_room;
  void* chunks; /* further memory, linked through its first word */
  char* next;
  size_t left;
  PyObject* kept_here[SCRATCH_KEPT];
  _Alignas(16) char here[SCRATCH_BYTES];
} Scratch;

void scratch_begin(Scratch* scratch);
void scratch_end(Scratch* scratch);
/* NULL with MemoryError. */
void* scratch_memory(Scratch* scratch, size_t count, size_t size);
/* Takes over the reference, whatever comes of it. -1 with MemoryError. */
int scratch_own(Scratch* scratch, PyObject* object);

/* All of these: 0, or -1 with an exception. None is an empty text, no attributes, no context. */
/* str(), or what stands for it where that raises. A new reference. */
PyObject* text_of_anything(PyObject* object);
int convert_text(Scratch* scratch, PyObject* object, shmring_text* text);
int convert_value(Scratch* scratch, PyObject* object, shmring_value* value, unsigned nesting);
int convert_attributes(Scratch* scratch, PyObject* mapping, shmring_attributes* attributes);
int convert_u32(PyObject* object, uint32_t* number);
int convert_u64(PyObject* object, uint64_t* number);
/* From an int or bytes, most significant byte first. */
int convert_id(PyObject* object, uint8_t* id, size_t size);
/* From a traceparent header, (trace_id, span_id[, flags]), or an object with trace_id, span_id and trace_flags. */
int convert_trace(PyObject* object, shmring_trace_context* trace);

/* An exception from an error of the C interface. Gives NULL. */
PyObject* raise_error(int error);
/* True: committed; False: dropped, or not to be recorded. An exception for everything else. */
PyObject* outcome(int error);

/* Arguments by place or name into `out`, which the caller has set to the defaults (borrowed references). */
typedef struct Parameters {
  const char* function;
  const char* const* names;
  int count;
  int required;
  int by_place; /* how many may be given by place */
  PyObject* interned[24];
} Parameters;
int parse_arguments(Parameters* parameters, PyObject* args, PyObject* kwargs, PyObject** out);
/* The arguments of what is for an instrumentation scope. */
enum { SCOPE_ARGUMENTS = 4 };
extern const char* const scope_arguments[SCOPE_ARGUMENTS];
int parse_scope(Parameters* parameters, PyObject* args, PyObject* kwargs, Scratch* scratch, shmring_scope_options* scope);

/* Set once, when the module is loaded. */
typedef struct Python {
  PyObject* ring_error;
  PyObject* mapping; /* collections.abc */
  PyObject* sequence;
  /* PyUnicode_AsUTF8AndSize(), which is promised from 3.10 on only, though there long before. NULL: this Python has none. */
  const char* (*as_utf8)(PyObject* unicode, Py_ssize_t* size);
} Python;
extern Python python;

#endif
