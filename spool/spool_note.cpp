// SPDX-License-Identifier: Apache-2.0
// Where a ring's spool is.

#include "spool/spool_note.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <string>

namespace shmring::spool {

std::filesystem::path note_path(const std::filesystem::path& ring) {
  std::filesystem::path path = ring;
  return path.replace_filename("." + ring.filename().string() + ".spools");
}

std::vector<std::filesystem::path> spools_of(const std::filesystem::path& ring) {
  std::ifstream file(note_path(ring));
  std::vector<std::filesystem::path> folders;
  for (std::string line; std::getline(file, line);) {
    if (!line.empty()) folders.emplace_back(line);
  }
  return folders;
}

Result<void> note_spool(const std::filesystem::path& ring, const std::filesystem::path& folder) {
  std::error_code error;
  const std::filesystem::path whole = std::filesystem::absolute(folder, error).lexically_normal();
  const auto known = spools_of(ring);
  if (std::find(known.begin(), known.end(), whole) != known.end()) return {};
  const std::filesystem::path path = note_path(ring);
  const int fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600);
  const std::string line = whole.string() + "\n";
  const bool is_written =
      fd >= 0 && ::write(fd, line.data(), line.size()) == static_cast<ssize_t>(line.size());
  const int code = errno;
  if (fd >= 0) ::close(fd);
  if (is_written) return {};
  return Error{ErrorCode::kSystem,
               fmt::format("cannot note the spool in {}: {}", path.string(), std::strerror(code))};
}

}  // namespace shmring::spool
