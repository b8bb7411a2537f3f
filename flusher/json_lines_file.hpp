// SPDX-License-Identifier: Apache-2.0
// A file of whole lines: one that a crash tore is cut off when the file is opened, and one that a full disk tore at once.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string_view>

#include "flusher/config.hpp"
#include "shmring/result.hpp"

namespace shmring::flusher {

class JsonLinesFile {
 public:
  /// Creates the file where there is none, mode 0640. Cuts what follows the last line break.
  static Result<JsonLinesFile> open(const std::filesystem::path& path);

  JsonLinesFile(JsonLinesFile&& other) noexcept;
  JsonLinesFile& operator=(JsonLinesFile&& other) noexcept;
  JsonLinesFile(const JsonLinesFile&) = delete;
  JsonLinesFile& operator=(const JsonLinesFile&) = delete;
  ~JsonLinesFile();

  /// Appends `line`, which ends with its line break. All of it is in the file, or (after an error) none of it.
  Result<void> append(std::string_view line, FileSync sync);

  /// Bytes that open() cut off.
  std::uint64_t cut_bytes() const noexcept { return cut_bytes_; }

 private:
  JsonLinesFile(std::filesystem::path path, int fd) : path_(std::move(path)), fd_(fd) {}
  Result<void> cut_torn_line();
  Error error(const char* what) const;

  std::filesystem::path path_;
  int fd_ = -1;
  std::uint64_t cut_bytes_ = 0;
  bool is_torn_ = false;  // a failed append could not be taken back
};

}  // namespace shmring::flusher
