/* SPDX-License-Identifier: Apache-2.0 */
/* host PLUGIN RING: a program in C that loads a plug-in, lets two threads write through it, and unloads it in between. */
#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>

typedef int (*write_function)(const char*);
static write_function write_a_record;

static void* write_in_thread(void* path) { return write_a_record((const char*)path) == 0 ? path : NULL; }

int main(int argc, char** argv) {
  if (argc != 3) return 2;
  void* plugin = dlopen(argv[1], RTLD_NOW | RTLD_LOCAL);
  if (plugin == NULL) {
    fprintf(stderr, "%s\n", dlerror());
    return 3;
  }
  *(void**)&write_a_record = dlsym(plugin, "write_a_record");
  if (write_a_record == NULL || write_a_record(argv[2]) != 0) return 4;
  pthread_t thread;
  void* result = NULL;
  if (pthread_create(&thread, NULL, write_in_thread, argv[2]) != 0 || pthread_join(thread, &result) != 0) return 5;
  if (result == NULL) return 6;
  if (dlclose(plugin) != 0) return 7;
  /* The plug-in may be gone; the library, under a live writer, is not. */
  return dlopen("libshmring.so.0", RTLD_NOW | RTLD_NOLOAD) == NULL ? 8 : 0;
}
