// SPDX-License-Identifier: Apache-2.0
// musl_writer RING OFFSET: what a thread of another C library would do to a slot's mutex: makes it, locks it, and dies. Prints
// the ABI tag that a library built so would give its rings. Compiled by musl-gcc.
#define _GNU_SOURCE
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

// Where this library keeps the thread id of a robust mutex's holder.
static unsigned futex_word_offset(const pthread_mutex_t* mutex) {
  const int* words = (const int*)mutex;
  const int tid = (int)syscall(SYS_gettid);
  for (unsigned at = 0; at < sizeof(*mutex) / sizeof(int); ++at) {
    if ((words[at] & 0x3FFFFFFF) == tid) return at * sizeof(int);
  }
  return 255;
}

int main(int argc, char** argv) {
  if (argc != 3) return 2;
  const int fd = open(argv[1], O_RDWR);
  char* base = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  if (fd < 0 || base == MAP_FAILED) return 3;
  pthread_mutex_t* mutex = (pthread_mutex_t*)(base + atol(argv[2]));
  pthread_mutexattr_t attributes;
  pthread_mutexattr_init(&attributes);
  pthread_mutexattr_setrobust(&attributes, PTHREAD_MUTEX_ROBUST);
  pthread_mutexattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED);
  if (pthread_mutex_init(mutex, &attributes) != 0 || pthread_mutex_lock(mutex) != 0) return 4;
  const unsigned offset = futex_word_offset(mutex);
  const unsigned musl = 2;
  const unsigned little_endian = 1;
  printf("%u\n", musl << 24 | (unsigned)sizeof(void*) << 20 | little_endian << 16 | (unsigned)sizeof(*mutex) << 8 | offset);
  return 0;
}
