// SPDX-License-Identifier: Apache-2.0
// Rings that survived a reboot.
#include "libshmring/earlier_boot.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <string>
#include <system_error>

#include "libshmring/system.hpp"

namespace shmring {
namespace {

constexpr const char* kSuffix = ".boot-";

}  // namespace

std::filesystem::path earlier_boot_path(const RingFile& ring) {
  const auto* id = ring.identity().boot_id;
  char digits[9];
  std::snprintf(digits, sizeof(digits), "%02x%02x%02x%02x", id[0], id[1], id[2], id[3]);
  return ring.path().string() + kSuffix + digits;
}

Result<void> set_aside(const RingFile& ring) {
  // Who holds this lock is the only one to rename this file; whoever comes after finds it renamed. Nobody waits for it here.
  if (::flock(ring.fd(), LOCK_EX | LOCK_NB) != 0) {
    if (errno == EWOULDBLOCK || errno == EINTR) return {};
    return system_error("lock", ring.path(), errno);
  }
  struct stat named {};
  const bool still_named = ::lstat(ring.path().c_str(), &named) == 0 && named.st_ino == ring.key().inode &&
                           named.st_dev == ring.key().device;
  int error = 0;
  if (still_named && ::renameat2(AT_FDCWD, ring.path().c_str(), AT_FDCWD, earlier_boot_path(ring).c_str(),
                                 RENAME_NOREPLACE) != 0) {
    error = errno;
  }
  ::flock(ring.fd(), LOCK_UN);
  if (error != 0) return system_error("set aside, as a ring of an earlier boot,", ring.path(), error);
  return {};
}

std::vector<std::filesystem::path> rings_set_aside(const std::filesystem::path& path) {
  const std::string prefix = path.filename().string() + kSuffix;
  std::vector<std::filesystem::path> found;
  std::error_code error;
  const std::filesystem::path folder = path.has_parent_path() ? path.parent_path() : ".";
  for (const auto& entry : std::filesystem::directory_iterator(folder, error)) {
    if (entry.path().filename().string().starts_with(prefix)) found.push_back(entry.path());
  }
  std::sort(found.begin(), found.end());
  return found;
}

}  // namespace shmring
