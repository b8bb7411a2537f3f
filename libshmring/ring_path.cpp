// SPDX-License-Identifier: Apache-2.0
// Where rings live, and whether a place is fit for one.
#include "libshmring/ring_path.hpp"

#include <sys/stat.h>
#include <sys/statfs.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <cstdlib>

#include "libshmring/system.hpp"
#include "shmring/ring.hpp"

namespace shmring {
namespace {

struct FileSystem {
  std::uint32_t magic;
  const char* name;
};
// statfs(2) and linux/magic.h. FUSE is here because what lies behind it may be remote, and its mmap need not be coherent.
constexpr FileSystem kRefused[] = {
    {0x6969, "NFS"},      {0x517B, "SMB"},       {0xFE534D42, "SMB2"}, {0xFF534D42, "CIFS"},
    {0x65735546, "FUSE"}, {0x01021997, "9P"},    {0x00C36400, "Ceph"}, {0x5346414F, "AFS"},
    {0x6B414653, "AFS"},  {0x7461636F, "OCFS2"}, {0x01161970, "GFS2"}, {0x0BD00BD0, "Lustre"},
    {0x73757245, "Coda"}, {0x47504653, "GPFS"},
};
constexpr std::uint32_t kTmpfs = 0x01021994;
constexpr std::uint32_t kRamfs = 0x858458F6;

std::filesystem::path default_folder() { return "/dev/shm/shmring-" + std::to_string(::geteuid()); }

std::optional<std::uint64_t> read_number(const std::string& path) {
  const auto text = read_small_file(path, 64);
  if (!text) return std::nullopt;
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), value);
  if (error != std::errc{}) return std::nullopt;  // "max"
  return value;
}

}  // namespace

std::filesystem::path default_ring_path() {
  if (const char* path = std::getenv("SHMRING_PATH"); path != nullptr && *path != '\0') return path;
  return default_folder() / "default.ring";
}

std::filesystem::path resolve_ring_path(const std::filesystem::path& path) {
  return path.empty() ? default_ring_path() : path;
}

Result<void> prepare_folder(const std::filesystem::path& path) {
  const std::filesystem::path folder = path.has_parent_path() ? path.parent_path() : ".";
  const bool ours_to_make = folder == default_folder();
  if (ours_to_make && ::mkdir(folder.c_str(), 0700) != 0 && errno != EEXIST) {
    return system_error("make the folder", folder, errno);
  }
  struct stat info {};
  if (::lstat(folder.c_str(), &info) != 0) return system_error("use the folder", folder, errno);
  if (!ours_to_make) return {};
  if (!S_ISDIR(info.st_mode) || info.st_uid != ::geteuid()) {
    return Error{ErrorCode::kPermission,
                 folder.string() + " belongs to uid " + std::to_string(info.st_uid) + ", not to uid " +
                     std::to_string(::geteuid()) +
                     ", so a ring in it could be replaced by somebody else; remove it, or set SHMRING_PATH"};
  }
  if ((info.st_mode & 0022U) != 0) {
    return Error{ErrorCode::kPermission, folder.string() + " can be written by others; run chmod 700 on it"};
  }
  return {};
}

Result<void> check_file_system(int fd, const std::string& path) {
  struct statfs info {};
  if (::fstatfs(fd, &info) != 0) return system_error("examine the file system of", path, errno);
  for (const auto& refused : kRefused) {
    if (static_cast<std::uint32_t>(info.f_type) != refused.magic) continue;
    return Error{ErrorCode::kUnsupported,
                 path + " lies on " + refused.name +
                     ", where a mapping is not reliably shared; put the ring on /dev/shm or a local disk"};
  }
  return {};
}

bool is_memory_file_system(int fd) noexcept {
  struct statfs info {};
  if (::fstatfs(fd, &info) != 0) return false;
  const auto type = static_cast<std::uint32_t>(info.f_type);
  return type == kTmpfs || type == kRamfs;
}

std::optional<std::uint64_t> memory_headroom() {
  const auto groups = read_small_file("/proc/self/cgroup", 16384);
  if (!groups) return std::nullopt;
  std::optional<std::uint64_t> headroom;
  const auto consider = [&headroom](const std::string& limit_file, const std::string& usage_file) {
    const auto limit = read_number(limit_file);
    const auto usage = read_number(usage_file);
    if (!limit || !usage) return;
    const std::uint64_t left = *limit > *usage ? *limit - *usage : 0;
    if (!headroom || left < *headroom) headroom = left;
  };
  std::size_t begin = 0;
  while (begin < groups->size()) {
    std::size_t end = groups->find('\n', begin);
    if (end == std::string::npos) end = groups->size();
    const std::string line = groups->substr(begin, end - begin);
    begin = end + 1;
    const std::size_t second = line.find(':', line.find(':') + 1);
    if (second == std::string::npos) continue;
    const std::string group = line.substr(second + 1);
    if (line.starts_with("0::")) {
      // Version 2: every ancestor's limit holds as well; in a container the group's own root is what we see.
      for (std::filesystem::path at = group;; at = at.parent_path()) {
        const std::string base = "/sys/fs/cgroup" + (at == "/" ? "" : at.string());
        consider(base + "/memory.max", base + "/memory.current");
        if (!at.has_relative_path()) break;
      }
    } else if (line.find(":memory:") != std::string::npos) {
      for (const std::string& base :
           {"/sys/fs/cgroup/memory" + group, std::string("/sys/fs/cgroup/memory")}) {
        consider(base + "/memory.limit_in_bytes", base + "/memory.usage_in_bytes");
      }
    }
  }
  return headroom;
}

}  // namespace shmring
