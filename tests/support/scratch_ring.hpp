// SPDX-License-Identifier: Apache-2.0
// Rings for tests: each in a folder of its own in memory, removed with it.
#pragma once

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <string>

#include "libshmring/ring_core.hpp"
#include "libshmring/ring_file.hpp"
#include "shmring/ring.hpp"

namespace shmring::testing {

[[noreturn]] inline void give_up(const std::string& message) {
  std::fprintf(stderr, "%s\n", message.c_str());
  std::abort();
}

/// What a test cannot go on without.
template <typename T>
T value_or_abort(Result<T> result) {
  if (!result) give_up(result.error().message);
  return std::move(*result);
}

enum class Medium : std::uint8_t { kMemory, kDisk };

class ScratchFolder {
 public:
  explicit ScratchFolder(Medium medium = Medium::kMemory) {
    const char* named = std::getenv("TMPDIR");
    const bool in_memory = medium == Medium::kMemory && std::filesystem::is_directory("/dev/shm");
    const std::filesystem::path base = in_memory ? "/dev/shm" : named != nullptr ? named : "/var/tmp";
    std::string pattern = base / "shmring-test-XXXXXX";
    if (::mkdtemp(pattern.data()) == nullptr) give_up("cannot make a folder like " + pattern);
    path_ = pattern;
  }
  ScratchFolder(const ScratchFolder&) = delete;
  ScratchFolder& operator=(const ScratchFolder&) = delete;
  ~ScratchFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  const std::filesystem::path& path() const noexcept { return path_; }

 private:
  std::filesystem::path path_;
};

/// A ring of few blocks and few writers, unless a test asks for more.
struct RingShape {
  std::uint32_t blocks = 64;
  std::uint32_t block_bytes = 4096;
  std::uint32_t writers = 64;
  FullPolicy on_full = FullPolicy::kDropNewest;
  std::chrono::microseconds block_timeout{10000};
  Medium medium = Medium::kMemory;
};

class ScratchRing {
 public:
  explicit ScratchRing(const RingShape& shape = {})
      : folder_(shape.medium), path_(folder_.path() / "test.ring") {
    const auto created = Ring::create({.path = path_,
                                       .capacity_bytes = std::uint64_t{shape.blocks} * shape.block_bytes,
                                       .block_bytes = shape.block_bytes,
                                       .writers = shape.writers,
                                       .on_full = shape.on_full,
                                       .block_timeout = shape.block_timeout});
    if (!created) give_up(created.error().message);
  }

  const std::filesystem::path& path() const noexcept { return path_; }
  const std::filesystem::path& folder() const noexcept { return folder_.path(); }

  /// As a producer opens it. A name short and always the same: what a record takes does not depend on this program's name.
  Ring open() const { return value_or_abort(Ring::open(path_, {.service_name = "test"})); }
  /// As a flusher or a tool opens it: a mapping of its own.
  RingFile attach(Access access = Access::kReadWrite) const {
    return value_or_abort(RingFile::attach(path_, access));
  }

 private:
  ScratchFolder folder_;
  std::filesystem::path path_;
};

}  // namespace shmring::testing
