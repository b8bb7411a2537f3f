// SPDX-License-Identifier: Apache-2.0
// Reading a file piece by piece.
#include "libshmring/file_image.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

namespace shmring {

Result<FileImage> FileImage::open(const std::filesystem::path& path) {
  UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (!fd.valid() && errno == ENOENT) return Error{ErrorCode::kNotFound, "there is no file " + path.string()};
  if (!fd.valid()) return system_error("open", path, errno);
  struct stat info {};
  if (::fstat(fd.get(), &info) != 0) return system_error("examine", path, errno);
  if (!S_ISREG(info.st_mode))
    return Error{ErrorCode::kNotARing, path.string() + " is no regular file, so it is no ring"};
  if (info.st_size == 0) return Error{ErrorCode::kNotARing, path.string() + " is empty, not a ring"};
  return FileImage(std::move(fd), static_cast<std::uint64_t>(info.st_size));
}

std::size_t FileImage::read(std::uint64_t offset, std::span<std::byte> into) const noexcept {
  std::size_t done = 0;
  while (done < into.size() && offset < size_) {
    const ssize_t got =
        ::pread(fd_.get(), into.data() + done, into.size() - done, static_cast<off_t>(offset));
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) break;
    done += static_cast<std::size_t>(got);
    offset += static_cast<std::uint64_t>(got);
  }
  std::fill(into.begin() + static_cast<std::ptrdiff_t>(done), into.end(), std::byte{0});
  return done;
}

}  // namespace shmring
