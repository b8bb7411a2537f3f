// SPDX-License-Identifier: Apache-2.0
// Small wrappers around the kernel: descriptors that close themselves, errors that name the call, futexes, clocks.
#pragma once

#include <sys/types.h>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "shmring/result.hpp"

namespace shmring {

class UniqueFd {
 public:
  UniqueFd() noexcept = default;
  explicit UniqueFd(int fd) noexcept : fd_(fd) {}
  UniqueFd(UniqueFd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  UniqueFd& operator=(UniqueFd&& other) noexcept {
    if (this != &other) {
      reset();
      fd_ = std::exchange(other.fd_, -1);
    }
    return *this;
  }
  ~UniqueFd() { reset(); }

  int get() const noexcept { return fd_; }
  bool valid() const noexcept { return fd_ >= 0; }
  int release() noexcept { return std::exchange(fd_, -1); }
  void reset() noexcept;

 private:
  int fd_ = -1;
};

/// "cannot <what> <path>: <strerror>", with the code that fits the errno.
Error system_error(std::string_view what, const std::string& path, int error_number);

/// 33554432 -> "32 MiB"
std::string human_bytes(std::uint64_t bytes);

/// At most `max_bytes` of a small file (/proc, /sys); nullopt when it cannot be read.
std::optional<std::string> read_small_file(const std::string& path, std::size_t max_bytes = 4096);

/// CLOCK_MONOTONIC in nanoseconds: deadlines within one process. Async-signal-safe.
std::uint64_t monotonic_ns() noexcept;
/// CLOCK_REALTIME in nanoseconds. Async-signal-safe.
std::uint64_t unix_ns() noexcept;

/// Sleeps while `word` is `expected`, at most `timeout_ns`; may wake early. The word lies in shared memory.
void futex_wait(const std::atomic<std::uint32_t>& word, std::uint32_t expected,
                std::uint64_t timeout_ns) noexcept;
void futex_wake_all(const std::atomic<std::uint32_t>& word) noexcept;

/// This boot's id; zero bytes when /proc does not say.
struct BootId {
  std::uint8_t bytes[16] = {};
  bool operator==(const BootId&) const = default;
};
BootId current_boot_id() noexcept;

}  // namespace shmring
