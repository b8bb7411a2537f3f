// SPDX-License-Identifier: Apache-2.0
// A ring as a file: made whole or not at all, attached only after every check, mapped by Boost.Interprocess.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>

#include "shmring/layout.hpp"
#include "shmring/result.hpp"
#include "shmring/ring.hpp"

namespace shmring {

enum class Access : std::uint8_t { kReadWrite, kReadOnly };

/// Sizes of an attached ring, checked against the file once and never read from the ring again.
struct Geometry {
  std::uint64_t file_bytes = 0;
  std::uint32_t block_bytes = 0;
  std::uint32_t block_count = 0;
  std::uint32_t writer_count = 0;
  std::uint64_t slots_offset = 0;
  std::uint64_t descriptors_offset = 0;
  std::uint64_t blocks_offset = 0;

  std::uint64_t capacity_bytes() const noexcept { return std::uint64_t{block_bytes} * block_count; }
};

/// Which file this is, whatever its name.
struct FileKey {
  std::uint64_t device = 0;
  std::uint64_t inode = 0;
  bool operator==(const FileKey&) const = default;
};

/// An attached ring file. Move-only; unmaps when destroyed (the producers' handle, RingCore, never is).
class RingFile {
 public:
  /// Creates the file and gives it its name in one step: a creator that dies leaves nothing behind.
  static Result<void> create(const CreateOptions& options);
  /// All checks of DESIGN 3.6. With kReadOnly nothing in the ring can be changed: header() etc. must then only be read.
  static Result<RingFile> attach(const std::filesystem::path& path, Access access = Access::kReadWrite);

  RingFile(RingFile&&) noexcept;
  RingFile& operator=(RingFile&&) noexcept;
  ~RingFile();

  const std::filesystem::path& path() const noexcept;
  const Geometry& geometry() const noexcept;
  const RingIdentity& identity() const noexcept;  // a private copy
  int fd() const noexcept;
  std::byte* base() const noexcept;

  RingHeader& header() const noexcept { return *reinterpret_cast<RingHeader*>(base()); }
  std::span<WriterSlot> slots() const noexcept;
  std::span<BlockDescriptor> descriptors() const noexcept;
  /// REQUIRES: index < geometry().block_count.
  std::byte* block(std::uint32_t index) const noexcept;

  FileKey key() const noexcept;

  /// Every writer of such a ring is gone, whatever its words say: the machine was started anew since.
  bool of_an_earlier_boot() const noexcept;

  /// From now on the ring is seen at another address (a forked child's own mapping of the same file).
  void move_mapping(std::byte* base) noexcept;

  /// The file is as long as when it was attached, the same ring (kDamaged otherwise), and still the one that its path names
  /// (kNotFound). What a long-running reader asks at each tick.
  Result<void> still_valid() const;

 private:
  struct Impl;
  explicit RingFile(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

/// The geometry that `options` lead to; kInvalidArgument says which option is out of range.
Result<Geometry> plan_geometry(const CreateOptions& options);

/// The tag that a ring of this build carries: C library, word size, byte order, shape of its mutex.
std::uint32_t abi_tag() noexcept;

}  // namespace shmring
