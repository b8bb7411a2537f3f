// SPDX-License-Identifier: Apache-2.0
// For tests under qemu-user, which has no robust lists: lets get_robust_list() answer what Linux would, so that threads can
// register and write. Nobody marks a dead owner's mutex all the same; the tests that wait for the mark are in not_run.txt.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <linux/futex.h>
#include <stdarg.h>
#include <stddef.h>
#include <sys/syscall.h>

static struct robust_list_head head = {{&head.list}, 0, NULL};

// A thread that a raw clone() made has no list (R16), nor have the threads of its process; nothing here clones within one.
static int made_by_raw_clone;

long syscall(long number, ...) {
  long a[6];
  va_list arguments;
  va_start(arguments, number);
  for (int i = 0; i < 6; ++i) a[i] = va_arg(arguments, long);
  va_end(arguments);

  if (number == SYS_get_robust_list && a[0] == 0) {
    *(struct robust_list_head**)a[1] = made_by_raw_clone ? NULL : &head;
    *(size_t*)a[2] = sizeof(head);
    return 0;
  }
  long (*next)(long, ...) = (long (*)(long, ...))dlsym(RTLD_NEXT, "syscall");
  const long result = next(number, a[0], a[1], a[2], a[3], a[4], a[5]);
  if (number == SYS_clone && result == 0) made_by_raw_clone = 1;
  return result;
}
