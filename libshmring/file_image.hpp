// SPDX-License-Identifier: Apache-2.0
// A file that is read piece by piece and believed in nothing: shorter than it should be, or getting shorter meanwhile.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>

#include "libshmring/system.hpp"
#include "shmring/result.hpp"

namespace shmring {

class FileImage {
 public:
  /// A regular file, opened for reading only; symbolic links are followed.
  static Result<FileImage> open(const std::filesystem::path& path);

  std::uint64_t size() const noexcept { return size_; }
  /// As many of the bytes as there are; those that are not there become zero. Returns how many there were.
  std::size_t read(std::uint64_t offset, std::span<std::byte> into) const noexcept;

 private:
  FileImage(UniqueFd fd, std::uint64_t size) : fd_(std::move(fd)), size_(size) {}
  UniqueFd fd_;
  std::uint64_t size_;
};

}  // namespace shmring
