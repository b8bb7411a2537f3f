// SPDX-License-Identifier: Apache-2.0
// Checks the constant part of a header field by field: what a refused attachment names the first of.
#include <bit>

#include "libshmring/fsck.hpp"
#include "libshmring/identity.hpp"

namespace shmring {
namespace {

class FieldChecker {
 public:
  FieldChecker(const RingIdentity& identity, std::uint64_t file_bytes)
      : identity_(identity), file_bytes_(file_bytes) {}

  std::vector<Finding> run() {
    check_format();
    const bool can_be = check_sizes();
    if (can_be) check_places();
    expect(identity_.checksum == identity_checksum(identity_), "its checksum does not fit its bytes");
    return std::move(findings_);
  }

 private:
  void expect(bool holds, std::string what) {
    if (!holds) findings_.push_back({Finding::Severity::kDamage, "header", std::move(what)});
  }
  template <typename T>
  void expect_value(T value, T wanted, const std::string& name) {
    expect(value == wanted,
           name + " is " + std::to_string(value) + ", and should be " + std::to_string(wanted));
  }

  void check_format() {
    expect(identity_.magic == kRingMagic, "it does not begin with a ring's magic number");
    expect(identity_.layout_major == kLayoutMajor, "its layout is " + std::to_string(identity_.layout_major) +
                                                       "." + std::to_string(identity_.layout_minor) +
                                                       ", this program knows " +
                                                       std::to_string(kLayoutMajor) + ".x");
    expect((identity_.incompatible_features & ~kKnownIncompatibleFeatures) == 0,
           "it uses features that this program does not know (bits " +
               std::to_string(identity_.incompatible_features) + ")");
    expect(identity_.abi_tag == abi_tag(), "its ABI tag is " + std::to_string(identity_.abi_tag) +
                                               ", this program's is " + std::to_string(abi_tag()) +
                                               ": another C library made it");
  }

  bool check_sizes() {
    const std::size_t before = findings_.size();
    expect(std::has_single_bit(identity_.block_bytes) && identity_.block_bytes >= kMinBlockBytes &&
               identity_.block_bytes <= kMaxBlockBytes,
           "its block size is " + std::to_string(identity_.block_bytes) + ", which is none");
    expect(identity_.block_count >= kMinBlocks && identity_.block_count <= kMaxBlocks,
           "its number of blocks is " + std::to_string(identity_.block_count) + ", which is out of range");
    expect(identity_.writer_count >= 1 && identity_.writer_count <= kMaxWriters,
           "its number of writer slots is " + std::to_string(identity_.writer_count) +
               ", which is out of range");
    return findings_.size() == before;
  }

  void check_places() {
    const Geometry g = lay_out(identity_.block_bytes, identity_.block_count, identity_.writer_count);
    expect_value(identity_.slots_offset, g.slots_offset, "the place of its slots");
    expect_value(identity_.descriptors_offset, g.descriptors_offset, "the place of its descriptors");
    expect_value(identity_.blocks_offset, g.blocks_offset, "the place of its blocks");
    expect_value(identity_.file_bytes, g.file_bytes, "its length by its own account");
    expect(file_bytes_ == g.file_bytes, "the file is " + std::to_string(file_bytes_) +
                                            " bytes long, and should be " + std::to_string(g.file_bytes) +
                                            ": it was truncated or extended");
  }

  const RingIdentity& identity_;
  std::uint64_t file_bytes_;
  std::vector<Finding> findings_;
};

}  // namespace

std::vector<Finding> fsck_identity(const RingIdentity& identity, std::uint64_t file_bytes) {
  return FieldChecker(identity, file_bytes).run();
}

}  // namespace shmring
