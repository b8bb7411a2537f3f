// SPDX-License-Identifier: Apache-2.0
// Making a ring: nameless, allocated, initialised, then linked into place in one step. What if the creator dies? Before
// the link the kernel removes everything; after it the ring is whole.
#include <fcntl.h>
#include <grp.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <boost/interprocess/mapped_region.hpp>
#include <cerrno>
#include <cstring>
#include <new>

#include "libshmring/identity.hpp"
#include "libshmring/mapping.hpp"
#include "libshmring/ring_file.hpp"
#include "libshmring/ring_path.hpp"
#include "libshmring/robust_mutex.hpp"
#include "libshmring/system.hpp"

namespace shmring {
namespace {

struct Ownership {
  mode_t mode = 0600;
  gid_t group = static_cast<gid_t>(-1);
};

Result<Ownership> check_ownership(const CreateOptions& options) {
  Ownership ownership;
  if (options.mode != 0600 && options.mode != 0660) {
    return Error{ErrorCode::kInvalidArgument, "mode must be 0600, or 0660 together with a group"};
  }
  if ((options.mode == 0660) != !options.group.empty()) {
    return Error{
        ErrorCode::kInvalidArgument,
        "mode 0660 and a group go together: they let a flusher of another uid in that group drain the ring"};
  }
  ownership.mode = static_cast<mode_t>(options.mode);
  if (!options.group.empty()) {
    const struct group* entry = ::getgrnam(options.group.c_str());
    if (entry == nullptr) return Error{ErrorCode::kInvalidArgument, "there is no group " + options.group};
    ownership.group = entry->gr_gid;
  }
  return ownership;
}

Error no_space(const std::string& path, std::uint64_t wanted, std::uint64_t free, std::string_view where,
               std::string_view remedy) {
  std::string message = "no room for the ring " + path + ": it needs " + human_bytes(wanted) + ", ";
  message.append(where).append(" has ").append(human_bytes(free)).append(" free; ").append(remedy);
  return {ErrorCode::kNoSpace, std::move(message)};
}

Error already_there(const std::string& path) {
  return {
      ErrorCode::kAlreadyExists,
      path +
          " exists already; `shmring status` shows it if it is a ring, and another path makes another one"};
}

/// Allocates every byte now: a sparse file on a full tmpfs would answer the first store with SIGBUS.
Result<void> allocate(int fd, const Geometry& geometry, const std::string& path) {
  if (is_memory_file_system(fd)) {
    const auto headroom = memory_headroom();
    if (headroom && *headroom < geometry.file_bytes) {
      return no_space(
          path, geometry.file_bytes, *headroom, "this control group's memory limit",
          "raise the limit (Kubernetes: resources.limits.memory; Docker: --memory) or make the ring smaller "
          "(capacity_bytes, shmring create --size)");
    }
  }
  int error = 0;
  do {
    error = ::posix_fallocate(fd, 0, static_cast<off_t>(geometry.file_bytes));
  } while (error == EINTR);
  if (error == 0) return {};
  if (error != ENOSPC && error != EFBIG) return system_error("allocate", path, error);
  struct statvfs info {};
  const std::uint64_t free = ::fstatvfs(fd, &info) == 0 ? std::uint64_t{info.f_bavail} * info.f_frsize : 0;
  return no_space(
      path, geometry.file_bytes, free, "its file system",
      "enlarge it (Docker: --shm-size; Kubernetes: an emptyDir of medium Memory with a sizeLimit, mounted at "
      "/dev/shm; else mount -o remount,size=...) or make the ring smaller (capacity_bytes, shmring create "
      "--size)");
}

Result<void> initialise(int fd, const Geometry& geometry, const CreateOptions& options,
                        const std::string& path) {
  auto region = map_file(fd, geometry.file_bytes, Access::kReadWrite, path);
  if (!region) return region.error();
  auto* base = static_cast<std::byte*>(region->get_address());
  // A fresh file is zero: every block FREE in its first generation, every slot vacant, every counter zero.
  auto* header = new (base) RingHeader{};
  header->identity = make_identity(geometry);
  const std::uint32_t stretch = stretch_blocks(geometry.block_count);
  for (std::uint32_t number = 0; number < kStretches; ++number)
    header->next_block[number].hint.store(number * stretch,
                                          std::memory_order_relaxed);  // relaxed: nobody sees the file yet
  header->free_blocks.store(geometry.block_count,
                            std::memory_order_relaxed);  // relaxed: nobody else sees the file yet
  header->on_full.store(static_cast<std::uint32_t>(options.on_full),
                        std::memory_order_relaxed);  // relaxed: likewise
  header->block_timeout_us.store(static_cast<std::uint32_t>(options.block_timeout.count()),
                                 std::memory_order_relaxed);                            // relaxed: likewise
  header->max_record_bytes.store(options.max_record_bytes, std::memory_order_relaxed);  // relaxed: likewise
  for (std::uint32_t i = 0; i < geometry.writer_count; ++i) {
    auto* slot = reinterpret_cast<WriterSlot*>(base + geometry.slots_offset) + i;
    if (const int error = init_robust_mutex(*slot); error != 0)
      return system_error("initialise a mutex in", path, error);
  }
  return {};
}

}  // namespace

Result<void> RingFile::create(const CreateOptions& options) {
  const std::filesystem::path path = resolve_ring_path(options.path);
  const auto geometry = plan_geometry(options);
  if (!geometry) return geometry.error();
  const auto ownership = check_ownership(options);
  if (!ownership) return ownership.error();
  if (options.block_timeout.count() < 0 || options.block_timeout > std::chrono::minutes(1)) {
    return Error{ErrorCode::kInvalidArgument, "the block timeout must be from 0 to one minute"};
  }
  if (options.max_record_bytes == 0 || options.max_record_bytes > kLargestMaxRecordBytes) {
    return Error{ErrorCode::kInvalidArgument,
                 "the largest record must be from 1 byte to " + human_bytes(kLargestMaxRecordBytes)};
  }
  if (auto ready = prepare_folder(path); !ready) return ready.error();
  if (struct stat info{}; ::lstat(path.c_str(), &info) == 0) return already_there(path);

  const std::filesystem::path folder = path.has_parent_path() ? path.parent_path() : ".";
  const UniqueFd fd(::open(folder.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, 0600));
  if (!fd.valid()) {
    if (errno == EOPNOTSUPP || errno == EISDIR) {
      return Error{
          ErrorCode::kUnsupported,
          folder.string() + " is on a file system without O_TMPFILE; put the ring on /dev/shm, ext4 or xfs"};
    }
    Error failure = system_error("create a ring in", folder, errno);
    if (failure.code == ErrorCode::kPermission) {
      failure.message += "; make the folder writable, or set SHMRING_PATH to a ring in one that is";
    }
    return failure;
  }
  if (auto fit = check_file_system(fd.get(), path); !fit) return fit.error();
  if (auto allocated = allocate(fd.get(), *geometry, path); !allocated) return allocated.error();
  if (auto initialised = initialise(fd.get(), *geometry, options, path); !initialised)
    return initialised.error();
  if (ownership->group != static_cast<gid_t>(-1) &&
      ::fchown(fd.get(), static_cast<uid_t>(-1), ownership->group) != 0) {
    return system_error("give the group " + options.group + " to", path, errno);
  }
  if (::fchmod(fd.get(), ownership->mode) != 0) return system_error("set the mode of", path, errno);

  const std::string self = "/proc/self/fd/" + std::to_string(fd.get());
  // What if we die right after this? The ring is whole, and whoever comes next attaches to it.
  if (::linkat(AT_FDCWD, self.c_str(), AT_FDCWD, path.c_str(), AT_SYMLINK_FOLLOW) != 0) {
    return errno == EEXIST ? already_there(path) : system_error("create", path, errno);
  }
  return {};
}

}  // namespace shmring
