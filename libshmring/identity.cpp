// SPDX-License-Identifier: Apache-2.0
// The constant part of a ring's header.
#include "libshmring/identity.hpp"

#include <features.h>
#include <pthread.h>
#include <sys/random.h>
#include <unistd.h>

#include <bit>
#include <cstddef>
#include <cstring>

#include "libshmring/robust_mutex.hpp"
#include "libshmring/system.hpp"

namespace shmring {
namespace {

constexpr std::uint64_t kPage = 4096;

constexpr std::uint64_t round_up(std::uint64_t value, std::uint64_t unit) noexcept {
  return (value + unit - 1) / unit * unit;
}

Error invalid(std::string message) { return {ErrorCode::kInvalidArgument, std::move(message)}; }
Error damaged(const std::string& path, std::string_view what) {
  std::string message = path + ": the ring's header is damaged: ";
  message.append(what).append("; `shmring fsck` shows more, and removing the file makes way for a new ring");
  return {ErrorCode::kDamaged, std::move(message)};
}

std::string libc_of(std::uint32_t tag) {
  switch (tag >> 24U) {
    case 1:
      return "glibc";
    case 2:
      return "musl";
    default:
      return "an unknown C library";
  }
}

}  // namespace

Geometry lay_out(std::uint32_t block_bytes, std::uint32_t block_count, std::uint32_t writers) noexcept {
  Geometry g;
  g.block_bytes = block_bytes;
  g.block_count = block_count;
  g.writer_count = writers;
  g.slots_offset = kHeaderBytes;
  g.descriptors_offset = g.slots_offset + std::uint64_t{writers} * sizeof(WriterSlot);
  g.blocks_offset =
      round_up(g.descriptors_offset + std::uint64_t{block_count} * sizeof(BlockDescriptor), kPage);
  g.file_bytes = g.blocks_offset + g.capacity_bytes();
  return g;
}

std::uint32_t abi_tag() noexcept {
#if defined(__GLIBC__)
  constexpr std::uint32_t kLibc = 1;
#else
  constexpr std::uint32_t kLibc = 2;
#endif
  constexpr std::uint32_t kEndian = std::endian::native == std::endian::little ? 1 : 2;
  return kLibc << 24U | static_cast<std::uint32_t>(sizeof(void*)) << 20U | kEndian << 16U |
         static_cast<std::uint32_t>(sizeof(pthread_mutex_t)) << 8U |
         static_cast<std::uint32_t>(kFutexWordOffset);
}

Result<Geometry> plan_geometry(const CreateOptions& options) {
  if (!std::has_single_bit(options.block_bytes) || options.block_bytes < kMinBlockBytes ||
      options.block_bytes > kMaxBlockBytes) {
    return invalid("block size " + human_bytes(options.block_bytes) + " is not a power of two from " +
                   human_bytes(kMinBlockBytes) + " to " + human_bytes(kMaxBlockBytes));
  }
  const std::uint64_t blocks = options.capacity_bytes / options.block_bytes;
  if (blocks < kMinBlocks || blocks > kMaxBlocks) {
    return invalid("size " + human_bytes(options.capacity_bytes) + " makes " + std::to_string(blocks) +
                   " blocks of " + human_bytes(options.block_bytes) + "; a ring has " +
                   std::to_string(kMinBlocks) + " to " + std::to_string(kMaxBlocks));
  }
  if (options.writers < 1 || options.writers > kMaxWriters) {
    return invalid("writers must be 1 to " + std::to_string(kMaxWriters) + ", not " +
                   std::to_string(options.writers));
  }
  return lay_out(options.block_bytes, static_cast<std::uint32_t>(blocks), options.writers);
}

std::uint64_t identity_checksum(const RingIdentity& identity) noexcept {
  unsigned char bytes[offsetof(RingIdentity, checksum)];
  std::memcpy(bytes, &identity, sizeof(bytes));
  std::uint64_t hash = 0xCBF29CE484222325U;
  for (const unsigned char byte : bytes) hash = (hash ^ byte) * 0x100000001B3U;
  return hash;
}

RingIdentity make_identity(const Geometry& geometry) {
  RingIdentity identity{};
  identity.magic = kRingMagic;
  identity.layout_major = kLayoutMajor;
  identity.layout_minor = kLayoutMinor;
  identity.abi_tag = abi_tag();
  identity.file_bytes = geometry.file_bytes;
  identity.block_bytes = geometry.block_bytes;
  identity.block_count = geometry.block_count;
  identity.writer_count = geometry.writer_count;
  identity.creator_pid = static_cast<std::uint32_t>(::getpid());
  identity.slots_offset = geometry.slots_offset;
  identity.descriptors_offset = geometry.descriptors_offset;
  identity.blocks_offset = geometry.blocks_offset;
  identity.created_unix_ns = unix_ns();
  if (::getrandom(identity.uuid, sizeof(identity.uuid), 0) != static_cast<ssize_t>(sizeof(identity.uuid))) {
    const std::uint64_t words[2] = {identity.created_unix_ns, monotonic_ns() ^ identity.creator_pid};
    std::memcpy(identity.uuid, words, sizeof(words));
  }
  identity.uuid[6] = static_cast<std::uint8_t>((identity.uuid[6] & 0x0FU) | 0x40U);  // RFC 9562, version 4
  identity.uuid[8] = static_cast<std::uint8_t>((identity.uuid[8] & 0x3FU) | 0x80U);  // its variant
  const BootId boot = current_boot_id();
  std::memcpy(identity.boot_id, boot.bytes, sizeof(identity.boot_id));
  identity.checksum = identity_checksum(identity);
  return identity;
}

Result<Geometry> check_identity(const RingIdentity& identity, std::uint64_t file_bytes,
                                const std::string& path) {
  if (identity.magic != kRingMagic) {
    return Error{ErrorCode::kNotARing, path + " is not a ring: it does not begin with a ring's magic number"};
  }
  if (identity.layout_major != kLayoutMajor) {
    return Error{ErrorCode::kIncompatibleVersion,
                 path + " has ring layout " + std::to_string(identity.layout_major) + "." +
                     std::to_string(identity.layout_minor) + ", this library reads and writes " +
                     std::to_string(kLayoutMajor) +
                     ".x; drain it with the flusher of the version that made it"};
  }
  if (identity.checksum != identity_checksum(identity)) return damaged(path, "its checksum does not fit");
  if ((identity.incompatible_features & ~kKnownIncompatibleFeatures) != 0) {
    return Error{ErrorCode::kIncompatibleVersion,
                 path + " uses ring features that this library does not know (bits " +
                     std::to_string(identity.incompatible_features) + "); update shmring"};
  }
  if (identity.abi_tag != abi_tag()) {
    return Error{
        ErrorCode::kIncompatibleAbi,
        path + " was made with " + libc_of(identity.abi_tag) + " (ABI tag " +
            std::to_string(identity.abi_tag) + "), this program uses " + libc_of(abi_tag()) + " (" +
            std::to_string(abi_tag()) +
            "): their mutexes differ, so they cannot share a ring; give this program a ring of its own"};
  }
  if (!std::has_single_bit(identity.block_bytes) || identity.block_bytes < kMinBlockBytes ||
      identity.block_bytes > kMaxBlockBytes || identity.block_count < kMinBlocks ||
      identity.block_count > kMaxBlocks || identity.writer_count < 1 || identity.writer_count > kMaxWriters) {
    return damaged(path, "its geometry is out of range");
  }
  const Geometry g = lay_out(identity.block_bytes, identity.block_count, identity.writer_count);
  if (identity.file_bytes != g.file_bytes || identity.slots_offset != g.slots_offset ||
      identity.descriptors_offset != g.descriptors_offset || identity.blocks_offset != g.blocks_offset) {
    return damaged(path, "its geometry contradicts itself");
  }
  if (file_bytes != g.file_bytes) {
    return Error{ErrorCode::kDamaged, path + " is " + std::to_string(file_bytes) +
                                          " bytes long, its header says " + std::to_string(g.file_bytes) +
                                          ": it was truncated or extended"};
  }
  return g;
}

}  // namespace shmring
