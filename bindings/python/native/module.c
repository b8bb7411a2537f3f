/* SPDX-License-Identifier: Apache-2.0 */
/* shmring._native: the module, its constants and types. */
#include "ring.h" /* first: Python.h says which of the C library there is */

#include <dlfcn.h>
#include <string.h>

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

static int import_names(void) {
  PyObject* const abc = PyImport_ImportModule("collections.abc");
  if (abc == NULL) return -1;
  python.mapping = PyObject_GetAttrString(abc, "Mapping");
  python.sequence = PyObject_GetAttrString(abc, "Sequence");
  Py_DECREF(abc);
  return python.mapping == NULL || python.sequence == NULL ? -1 : 0;
}

static int make_objects(void) {
  void* const as_utf8 = dlsym(RTLD_DEFAULT, "PyUnicode_AsUTF8AndSize");
  memcpy(&python.as_utf8, &as_utf8, sizeof(as_utf8)); /* ISO C has no conversion for it */
  python.ring_error = PyErr_NewExceptionWithDoc(
      "shmring.Error", "A ring could not be opened or looked at. `code` is the number of shmring.h, str() says what to do.", NULL, NULL);
  return python.ring_error == NULL || import_names() != 0 || (ring_type = PyType_FromSpec(&ring_spec)) == NULL ||
                 (logger_type = PyType_FromSpec(&logger_spec)) == NULL || (tracer_type = PyType_FromSpec(&tracer_spec)) == NULL ||
                 (sink_type = PyType_FromSpec(&sink_spec)) == NULL
             ? -1
             : 0;
}

/* The objects above, and the words that records are taken apart by, are one interpreter's: CPython 3.9 has no way for us to find those of another. */
static int belong_to_this_interpreter(void) {
  static int64_t owner = -1;
  const int64_t current = PyInterpreterState_GetID(PyInterpreterState_Get());
  if (current == -1) return -1;
  if (owner == current) return 0;
  if (owner != -1) {
    PyErr_SetString(PyExc_ImportError, "shmring is loaded in another interpreter of this process, and serves one of them only");
    return -1;
  }
  if (make_objects() != 0) return -1;
  owner = current;
  return 0;
}

static int fill(PyObject* module) {
  return belong_to_this_interpreter() != 0 || PyObject_SetAttrString(module, "Error", python.ring_error) != 0 ||
                 PyObject_SetAttrString(module, "Ring", ring_type) != 0 || PyObject_SetAttrString(module, "Logger", logger_type) != 0 ||
                 PyObject_SetAttrString(module, "Tracer", tracer_type) != 0 || PyObject_SetAttrString(module, "SinkType", sink_type) != 0 ||
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
static PyModuleDef_Slot slots[] = {{Py_mod_exec, (void*)fill}, {0, NULL}};
static struct PyModuleDef definition = {
    PyModuleDef_HEAD_INIT, "shmring._native", "shmring's C interface.", 0, functions, slots, NULL, NULL, NULL};

PyMODINIT_FUNC PyInit__native(void) { return PyModuleDef_Init(&definition); }
