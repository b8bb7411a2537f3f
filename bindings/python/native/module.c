/* SPDX-License-Identifier: Apache-2.0 */
/* shmring._native: the module, its constants and types. */
#include <string.h>

#include "ring.h"

PyObject *ring_type, *logger_type, *tracer_type, *sink_type;

PyObject* no_new(PyTypeObject* type, PyObject* args, PyObject* kwargs) {
  (void)args;
  (void)kwargs;
  PyErr_Format(PyExc_TypeError, "%R is not made by calling it: see shmring.open()", (PyObject*)type);
  return NULL;
}

PyObject* allocate(PyObject* type) { return PyType_GenericAlloc((PyTypeObject*)type, 0); }

void release(PyObject* self) {
  PyTypeObject* const type = Py_TYPE(self);
  ((freefunc)PyType_GetSlot(type, Py_tp_free))(self);
  Py_DECREF(type);
}

static int add_type(PyObject* module, const char* name, PyType_Spec* spec, PyObject** type) {
  *type = PyType_FromSpec(spec);
  return *type == NULL ? -1 : PyObject_SetAttrString(module, name, *type);
}

static int import_names(void) {
  PyObject* const abc = PyImport_ImportModule("collections.abc");
  if (abc == NULL) return -1;
  python.mapping = PyObject_GetAttrString(abc, "Mapping");
  python.sequence = PyObject_GetAttrString(abc, "Sequence");
  Py_DECREF(abc);
  return python.mapping == NULL || python.sequence == NULL ? -1 : 0;
}

static int fill(PyObject* module) {
  python.ring_error = PyErr_NewExceptionWithDoc(
      "shmring.Error", "A ring could not be opened or looked at. `code` is the number of shmring.h, str() says what to do.", NULL, NULL);
  return python.ring_error == NULL || import_names() != 0 || PyObject_SetAttrString(module, "Error", python.ring_error) != 0 ||
                 add_type(module, "Ring", &ring_spec, &ring_type) != 0 || add_type(module, "Logger", &logger_spec, &logger_type) != 0 ||
                 add_type(module, "Tracer", &tracer_spec, &tracer_type) != 0 || add_type(module, "SinkType", &sink_spec, &sink_type) != 0 ||
                 PyModule_AddIntConstant(module, "LOG", SHMRING_RECORD_LOG) != 0 ||
                 PyModule_AddIntConstant(module, "SPAN", SHMRING_RECORD_SPAN) != 0 ||
                 PyModule_AddIntConstant(module, "METRIC", SHMRING_RECORD_METRIC) != 0 ||
                 PyModule_AddStringConstant(module, "version", shmring_version()) != 0
             ? -1
             : 0;
}

static PyMethodDef functions[] = {
    {"open", (PyCFunction)(void (*)(void))ring_open, METH_VARARGS | METH_KEYWORDS,
     "open(path=None, *, ...) -> Ring: attaches to a ring, making it first if there is none."},
    {"Sink", make_sink, METH_VARARGS, "Sink(ring): what shmring.Handler writes with."},
    {NULL, NULL, 0, NULL}};
static struct PyModuleDef definition = {PyModuleDef_HEAD_INIT, "shmring._native", "shmring's C interface.", -1, functions,
                                        NULL,                  NULL,              NULL,                     NULL};

PyMODINIT_FUNC PyInit__native(void) {
  PyObject* const module = PyModule_Create(&definition);
  if (module != NULL && fill(module) != 0) {
    Py_DECREF(module);
    return NULL;
  }
  return module;
}
