// SPDX-License-Identifier: Apache-2.0
// Memory that a test and its children share, and that outlives each of them.
#pragma once

#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstddef>
#include <cstdlib>
#include <new>
#include <type_traits>

namespace shmring::testing {

/// A zeroed T in shared memory. The descriptor survives exec, so that another program can map it as well.
template <typename T>
class Shared {
  static_assert(std::is_trivially_destructible_v<T>);

 public:
  Shared() : fd_(static_cast<int>(::syscall(SYS_memfd_create, "shmring-test", 0U))) {
    if (fd_ < 0 || ::ftruncate(fd_, sizeof(T)) != 0) std::abort();
    map();
  }
  /// The same memory in a program that was given the descriptor.
  explicit Shared(int fd) : fd_(fd) { map(); }
  Shared(const Shared&) = delete;
  Shared& operator=(const Shared&) = delete;
  ~Shared() {
    ::munmap(value_, sizeof(T));
    ::close(fd_);
  }

  T* operator->() const noexcept { return value_; }
  T& operator*() const noexcept { return *value_; }
  int fd() const noexcept { return fd_; }

 private:
  void map() {
    void* memory = ::mmap(nullptr, sizeof(T), PROT_READ | PROT_WRITE, MAP_SHARED, fd_, 0);
    if (memory == MAP_FAILED) std::abort();
    value_ = static_cast<T*>(memory);  // a fresh file is zero: what T is when it is new
  }

  int fd_;
  T* value_ = nullptr;
};

}  // namespace shmring::testing
