// SPDX-License-Identifier: Apache-2.0
// System calls by the instruction itself: for what a new process does first. Calling one of the C library's functions makes it read
// the page with that function from its file, which takes ten times as long as most system calls.
#pragma once

#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>

namespace shmring {

/// What the kernel answers: a negative errno, or the result; errno stays as it is. No cancellation point. Async-signal-safe.
inline long raw_syscall(long number, long a = 0, long b = 0, long c = 0, long d = 0) noexcept {
#if defined(__x86_64__) && defined(__LP64__)
  long answer = number;
  register long r10 __asm__("r10") = d;
  __asm__ volatile("syscall" : "+a"(answer) : "D"(a), "S"(b), "d"(c), "r"(r10) : "rcx", "r11", "memory");
  return answer;
#elif defined(__aarch64__)
  register long x8 __asm__("x8") = number;
  register long x0 __asm__("x0") = a;
  register long x1 __asm__("x1") = b;
  register long x2 __asm__("x2") = c;
  register long x3 __asm__("x3") = d;
  __asm__ volatile("svc 0" : "+r"(x0) : "r"(x8), "r"(x1), "r"(x2), "r"(x3) : "memory", "cc");
  return x0;
#else
  const int before = errno;
  const long answer = ::syscall(number, a, b, c, d);
  if (answer != -1) return answer;
  const int error = errno;
  errno = before;
  return -error;
#endif
}

inline long argument(const void* pointer) noexcept { return reinterpret_cast<long>(pointer); }

}  // namespace shmring
