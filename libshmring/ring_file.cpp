// SPDX-License-Identifier: Apache-2.0
// Attaching to a ring: every check before the first byte is believed, then the mapping.
#include "libshmring/ring_file.hpp"

#include <fcntl.h>
#include <grp.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <vector>

#include "libshmring/identity.hpp"
#include "libshmring/mapping.hpp"
#include "libshmring/ring_path.hpp"
#include "libshmring/system.hpp"

namespace shmring {
namespace {

bool in_group(gid_t group) {
  if (::getegid() == group) return true;
  const int count = ::getgroups(0, nullptr);
  if (count <= 0) return false;
  std::vector<gid_t> groups(static_cast<std::size_t>(count));
  const int got = ::getgroups(count, groups.data());
  return got > 0 && std::find(groups.begin(), groups.begin() + got, group) != groups.begin() + got;
}

Error cannot_open(const std::string& path, int error) {
  switch (error) {
    case ENOENT:
      return {ErrorCode::kNotFound,
              "there is no ring at " + path + "; a producer creates it, or `shmring create`"};
    case ELOOP:
      return {ErrorCode::kNotARing,
              path + " is a symbolic link, which is not followed; name the ring itself"};
    case EISDIR:
      return {ErrorCode::kNotARing, path + " is a folder, not a ring"};
    case ENXIO:
      return {ErrorCode::kNotARing, path + " is a socket or device, not a ring"};
    default:
      return system_error("open the ring", path, error);
  }
}

/// A ring is one trust domain: ours, or of a group that was let in on purpose. Root may look at any.
Result<void> check_owner(const struct stat& info, Access access, const std::string& path) {
  if ((info.st_mode & 0007U) != 0) {
    return Error{ErrorCode::kPermission,
                 path + " is open to everybody; a ring must have mode 0600, or 0660 for a group"};
  }
  if (info.st_uid == ::geteuid()) return {};
  const bool shared = (info.st_mode & 0060U) == 0060U && in_group(info.st_gid);
  if (shared || (::geteuid() == 0 && access == Access::kReadOnly)) return {};
  return Error{ErrorCode::kPermission,
               path + " belongs to uid " + std::to_string(info.st_uid) + ", this program runs as uid " +
                   std::to_string(::geteuid()) +
                   ": a ring is a trust domain of one uid; run as that user, or create the ring " +
                   "with --group and --mode 0660"};
}

Result<void> check_type(const struct stat& info, const std::string& path) {
  if (S_ISDIR(info.st_mode)) return Error{ErrorCode::kNotARing, path + " is a folder, not a ring"};
  if (S_ISFIFO(info.st_mode)) return Error{ErrorCode::kNotARing, path + " is a named pipe, not a ring"};
  if (!S_ISREG(info.st_mode))
    return Error{ErrorCode::kNotARing, path + " is no regular file, so it is no ring"};
  if (info.st_size == 0) return Error{ErrorCode::kNotARing, path + " is empty, not a ring"};
  if (static_cast<std::size_t>(info.st_size) < kHeaderBytes) {
    return Error{ErrorCode::kNotARing, path + " is too short for a ring: " + std::to_string(info.st_size) +
                                           " bytes, a header alone has " + std::to_string(kHeaderBytes)};
  }
  return {};
}

/// Cut short and filled again, or the bytes of another ring copied over it. A flipped bit is neither: the sizes that count are
/// in private memory, so the ring goes on.
bool is_another(const RingIdentity& now, const RingIdentity& attached) noexcept {
  if (std::memcmp(&now, &attached, sizeof(now)) == 0) return false;
  const RingIdentity nothing{};
  return std::memcmp(&now, &nothing, sizeof(now)) == 0 || now.checksum == identity_checksum(now);
}

}  // namespace

struct RingFile::Impl {
  std::filesystem::path path;
  UniqueFd fd;
  Geometry geometry;
  RingIdentity identity{};
  boost::interprocess::mapped_region region;
  std::byte* base = nullptr;
  dev_t device = 0;
  ino_t inode = 0;
};

RingFile::RingFile(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
RingFile::RingFile(RingFile&&) noexcept = default;
RingFile& RingFile::operator=(RingFile&&) noexcept = default;
RingFile::~RingFile() = default;

Result<RingFile> RingFile::attach(const std::filesystem::path& path_or_default, Access access) {
  const std::filesystem::path path = resolve_ring_path(path_or_default);
  auto impl = std::make_unique<Impl>();
  const int flags = (access == Access::kReadWrite ? O_RDWR : O_RDONLY) | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK;
  impl->fd = UniqueFd(::open(path.c_str(), flags));
  if (!impl->fd.valid()) return cannot_open(path, errno);
  struct stat info {};
  if (::fstat(impl->fd.get(), &info) != 0) return system_error("examine the ring", path, errno);
  if (auto typed = check_type(info, path); !typed) return typed.error();
  if (auto owned = check_owner(info, access, path); !owned) return owned.error();
  if (auto fit = check_file_system(impl->fd.get(), path); !fit) return fit.error();

  const ssize_t got = ::pread(impl->fd.get(), &impl->identity, sizeof(RingIdentity), 0);
  if (got != static_cast<ssize_t>(sizeof(RingIdentity)))
    return system_error("read the ring", path, got < 0 ? errno : EIO);
  auto geometry = check_identity(impl->identity, static_cast<std::uint64_t>(info.st_size), path);
  if (!geometry) return geometry.error();
  auto region = map_file(impl->fd.get(), geometry->file_bytes, access, path);
  if (!region) return region.error();

  impl->path = path;
  impl->geometry = *geometry;
  impl->region = std::move(*region);
  impl->base = static_cast<std::byte*>(impl->region.get_address());
  impl->device = info.st_dev;
  impl->inode = info.st_ino;
  return RingFile(std::move(impl));
}

const std::filesystem::path& RingFile::path() const noexcept { return impl_->path; }
[[gnu::hot]] const Geometry& RingFile::geometry() const noexcept { return impl_->geometry; }
const RingIdentity& RingFile::identity() const noexcept { return impl_->identity; }
int RingFile::fd() const noexcept { return impl_->fd.get(); }
[[gnu::hot]] std::byte* RingFile::base() const noexcept { return impl_->base; }
FileKey RingFile::key() const noexcept { return {impl_->device, impl_->inode}; }

[[gnu::hot]] std::span<WriterSlot> RingFile::slots() const noexcept {
  return {reinterpret_cast<WriterSlot*>(base() + geometry().slots_offset), geometry().writer_count};
}

[[gnu::hot]] std::span<BlockDescriptor> RingFile::descriptors() const noexcept {
  return {reinterpret_cast<BlockDescriptor*>(base() + geometry().descriptors_offset), geometry().block_count};
}

[[gnu::hot]] std::byte* RingFile::block(std::uint32_t index) const noexcept {
  return base() + geometry().blocks_offset + std::uint64_t{index} * geometry().block_bytes;
}

bool RingFile::of_an_earlier_boot() const noexcept {
  // What lies in memory did not survive a boot. (Containers are shown boot ids of their own, so the id alone proves nothing.)
  if (is_memory_file_system(fd())) return false;
  const BootId now = current_boot_id();
  // A boot that either side could not learn of is not an earlier one.
  BootId made{};
  std::memcpy(made.bytes, identity().boot_id, sizeof(made.bytes));
  return now != BootId{} && made != BootId{} && now != made;
}

void RingFile::move_mapping(std::byte* base) noexcept { impl_->base = base; }

Result<void> RingFile::still_valid() const {
  struct stat info {};
  if (::fstat(fd(), &info) != 0) return system_error("examine the ring", path(), errno);
  if (static_cast<std::uint64_t>(info.st_size) != geometry().file_bytes) {
    return Error{ErrorCode::kDamaged,
                 path().string() + " was truncated from " + std::to_string(geometry().file_bytes) + " to " +
                     std::to_string(info.st_size) +
                     " bytes while in use: its records are lost; remove it, and restart its producers"};
  }
  RingIdentity now{};
  if (::pread(fd(), &now, sizeof(now), 0) != static_cast<ssize_t>(sizeof(now)) ||
      is_another(now, identity())) {
    return Error{ErrorCode::kDamaged,
                 path().string() +
                     " was overwritten while in use: what it held is lost; remove it, and "
                     "restart its producers"};
  }
  struct stat named {};
  if (::lstat(path().c_str(), &named) != 0 || named.st_dev != impl_->device || named.st_ino != impl_->inode) {
    return Error{ErrorCode::kNotFound,
                 path().string() +
                     " was removed or replaced while in use: producers that are attached "
                     "to it still write to the old file; restart them"};
  }
  return {};
}

}  // namespace shmring
