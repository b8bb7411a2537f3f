// SPDX-License-Identifier: Apache-2.0
// Children, and memory that they share with their parent.
#pragma once

#include <sys/mman.h>
#include <sys/types.h>
#include <unistd.h>

#include <cstdlib>
#include <functional>
#include <new>
#include <type_traits>
#include <utility>

namespace shmring::bench {

/// One T in memory that every child of this process sees. Ends the program when there is no memory.
template <typename T>
class Shared {
 public:
  Shared() {
    void* memory = ::mmap(nullptr, sizeof(T), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) std::abort();
    value_ = ::new (memory) T{};
  }
  ~Shared() { ::munmap(value_, sizeof(T)); }
  Shared(const Shared&) = delete;
  Shared& operator=(const Shared&) = delete;
  T* operator->() const noexcept { return value_; }
  T& operator*() const noexcept { return *value_; }

 private:
  T* value_;
};

/// A child process. One that still runs is killed when this object goes away.
class Child {
 public:
  Child() noexcept = default;
  explicit Child(pid_t pid) noexcept : pid_(pid) {}
  Child(Child&& other) noexcept : pid_(std::exchange(other.pid_, -1)) {}
  Child& operator=(Child&& other) noexcept;
  ~Child();

  /// Runs `body` in a child, which ends by _exit() with what it returns: nothing of the parent's runs in it. The child dies with its parent.
  static Child forked(const std::function<int()>& body);

  pid_t pid() const noexcept { return pid_; }
  bool started() const noexcept { return pid_ > 0; }
  void send(int signal) const noexcept;
  /// Waits for its end. True: it ended by itself, with status 0.
  bool wait() noexcept;
  /// Ends it.
  void kill() noexcept;

 private:
  pid_t pid_ = -1;
};

/// Until `condition` holds, looking every now and then. False: not within `seconds`.
bool wait_until(const std::function<bool()>& condition, double seconds = 60);

}  // namespace shmring::bench
