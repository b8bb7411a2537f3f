// SPDX-License-Identifier: Apache-2.0
// A file of whole lines.

#include "flusher/json_lines_file.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>
#include <vector>

namespace shmring::flusher {

Result<JsonLinesFile> JsonLinesFile::open(const std::filesystem::path& path) {
  const int fd = ::open(path.c_str(), O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC | O_NONBLOCK, 0640);
  if (fd < 0) {
    return Error{ErrorCode::kSystem,
                 fmt::format("cannot open {}: {}; is the folder there, and may this user write to it?",
                             path.string(), std::strerror(errno))};
  }
  JsonLinesFile file(path, fd);
  struct stat status {};
  if (fstat(fd, &status) != 0) return file.error("fstat");
  if (!S_ISREG(status.st_mode)) {
    return Error{ErrorCode::kInvalidArgument,
                 fmt::format("{} is no regular file; give --file another name", path.string())};
  }
  if (auto cut = file.cut_torn_line(); !cut) return cut.error();
  return file;
}

JsonLinesFile::JsonLinesFile(JsonLinesFile&& other) noexcept
    : path_(std::move(other.path_)),
      fd_(std::exchange(other.fd_, -1)),
      cut_bytes_(other.cut_bytes_),
      is_torn_(other.is_torn_) {}

JsonLinesFile& JsonLinesFile::operator=(JsonLinesFile&& other) noexcept {
  std::swap(path_, other.path_);
  std::swap(fd_, other.fd_);
  std::swap(cut_bytes_, other.cut_bytes_);
  std::swap(is_torn_, other.is_torn_);
  return *this;
}

JsonLinesFile::~JsonLinesFile() {
  if (fd_ >= 0) close(fd_);
}

Result<void> JsonLinesFile::append(std::string_view line, FileSync sync) {
  if (is_torn_) {
    if (auto cut = cut_torn_line(); !cut) return cut;
    is_torn_ = false;
  }
  struct stat before {};
  if (fstat(fd_, &before) != 0) return error("fstat");
  while (!line.empty()) {
    const ssize_t written = write(fd_, line.data(), line.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) {
      Error failure = error("write to");
      is_torn_ = ftruncate(fd_, before.st_size) != 0;
      return failure;
    }
    line.remove_prefix(static_cast<std::size_t>(written));
  }
  if (sync == FileSync::kYes && fdatasync(fd_) != 0) {
    Error failure = error("fdatasync");
    is_torn_ =
        ftruncate(fd_, before.st_size) != 0;  // or the line would be there twice after the next attempt
    return failure;
  }
  return {};
}

Result<void> JsonLinesFile::cut_torn_line() {
  const off_t size = lseek(fd_, 0, SEEK_END);
  if (size < 0) return error("seek in");
  std::vector<char> chunk(64U << 10U);
  off_t end = size;  // nothing behind it is a line break
  while (end > 0) {
    const off_t begin = std::max<off_t>(0, end - static_cast<off_t>(chunk.size()));
    const auto want = static_cast<std::size_t>(end - begin);
    if (pread(fd_, chunk.data(), want, begin) != static_cast<ssize_t>(want)) return error("read");
    const auto* const last = static_cast<const char*>(memrchr(chunk.data(), '\n', want));
    if (last != nullptr) {
      end = begin + (last - chunk.data()) + 1;
      break;
    }
    end = begin;
  }
  if (end == size) return {};
  if (ftruncate(fd_, end) != 0) return error("cut the torn last line of");
  cut_bytes_ = static_cast<std::uint64_t>(size - end);
  return {};
}

Error JsonLinesFile::error(const char* what) const {
  const int code = errno;
  const char* const remedy = code == ENOSPC || code == EDQUOT ? "; make room on that file system" : "";
  return {code == ENOSPC || code == EDQUOT ? ErrorCode::kNoSpace : ErrorCode::kSystem,
          fmt::format("cannot {} {}: {}{}", what, path_.string(), std::strerror(code), remedy)};
}

}  // namespace shmring::flusher
