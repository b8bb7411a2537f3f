// SPDX-License-Identifier: Apache-2.0
// A writer slot's mutex.
#include "libshmring/robust_mutex.hpp"

namespace shmring {

int init_robust_mutex(WriterSlot& slot) noexcept {
  pthread_mutexattr_t attributes;
  if (const int error = ::pthread_mutexattr_init(&attributes); error != 0) return error;
  int error = ::pthread_mutexattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED);
  if (error == 0) error = ::pthread_mutexattr_setrobust(&attributes, PTHREAD_MUTEX_ROBUST);
  if (error == 0) error = ::pthread_mutex_init(mutex_of(slot), &attributes);
  ::pthread_mutexattr_destroy(&attributes);
  return error;
}

}  // namespace shmring
