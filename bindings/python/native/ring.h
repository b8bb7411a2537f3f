/* SPDX-License-Identifier: Apache-2.0 */
/* The types of the module: each knows its handle, and is made by functions of ours only. */
#ifndef SHMRING_PYTHON_RING_H
#define SHMRING_PYTHON_RING_H

#include "values.h"

typedef struct RingObject {
  PyObject_HEAD
  shmring_ring* ring;
} RingObject;

extern PyType_Spec ring_spec, logger_spec, tracer_spec, sink_spec;
extern PyObject *ring_type, *logger_type, *tracer_type, *sink_type;
PyObject* no_new(PyTypeObject* type, PyObject* args, PyObject* kwargs);
PyObject* allocate(PyObject* type);
void release(PyObject* self);

/* open() of the module; logger() and tracer() of a ring */
PyObject* ring_open(PyObject* module, PyObject* args, PyObject* kwargs);
PyObject* make_logger(PyObject* ring, PyObject* args, PyObject* kwargs);
PyObject* make_tracer(PyObject* ring, PyObject* args, PyObject* kwargs);
/* Sink(ring), for log records of `logging` */
PyObject* make_sink(PyObject* module, PyObject* args);

#endif
