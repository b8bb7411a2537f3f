// SPDX-License-Identifier: Apache-2.0
// Shared memory of the kind that a ring lies in, every page of it touched.
#pragma once

#include <sys/mman.h>

#include <cstddef>
#include <cstring>

namespace shmring::bench {

class SharedMemory {
 public:
  explicit SharedMemory(std::size_t bytes) : bytes_(bytes) {
    void* memory = ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) return;
    std::memset(memory, 0, bytes);  // no page is touched for the first time while somebody measures
    memory_ = static_cast<std::byte*>(memory);
  }
  ~SharedMemory() {
    if (memory_ != nullptr) ::munmap(memory_, bytes_);
  }
  SharedMemory(const SharedMemory&) = delete;
  SharedMemory& operator=(const SharedMemory&) = delete;

  std::byte* data() const noexcept { return memory_; }  // nullptr: there was none

 private:
  std::size_t bytes_;
  std::byte* memory_ = nullptr;
};

}  // namespace shmring::bench
