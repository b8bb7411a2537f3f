// SPDX-License-Identifier: Apache-2.0
// The constant part of the header: what is refused, and with which error.
#include "libshmring/identity.hpp"

#include <gtest/gtest.h>

#include <cstring>

#include "tests/libshmring/ring_test_support.hpp"

namespace shmring {
namespace {

CreateOptions options_of(std::uint64_t capacity, std::uint32_t block, std::uint32_t writers) {
  CreateOptions options;
  options.capacity_bytes = capacity;
  options.block_bytes = block;
  options.writers = writers;
  return options;
}

Geometry small_geometry() { return *plan_geometry(options_of(16384, 4096, 2)); }

/// An identity with one thing changed, its checksum made to fit again.
template <typename Change>
RingIdentity changed(Change change) {
  RingIdentity identity = make_identity(small_geometry());
  change(identity);
  identity.checksum = identity_checksum(identity);
  return identity;
}

ErrorCode refusal(const RingIdentity& identity, std::uint64_t file_bytes = small_geometry().file_bytes) {
  const auto checked = check_identity(identity, file_bytes, "a.ring");
  EXPECT_FALSE(checked);
  if (checked) return ErrorCode::kBusy;  // which check_identity() never gives
  EXPECT_NE(checked.error().message.find("a.ring"), std::string::npos);
  return checked.error().code;
}

TEST(Geometry, LaysTheRegionsOutOneBehindTheOther) {
  const Geometry g = small_geometry();
  EXPECT_EQ(g.slots_offset, kHeaderBytes);
  EXPECT_EQ(g.descriptors_offset, kHeaderBytes + 2 * sizeof(WriterSlot));
  EXPECT_EQ(g.blocks_offset, 8192U);
  EXPECT_EQ(g.block_count, 4U);
  EXPECT_EQ(g.file_bytes, 8192U + 16384U);
}

TEST(Geometry, AcceptsTheLimitsAndRefusesWhatLiesBehindThem) {
  struct Case {
    std::uint64_t capacity;
    std::uint32_t block, writers;
    bool is_fine;
  };
  const Case cases[] = {
      {4 * 4096, 4096, 1, true},
      {4 * 4096, 4096, 65536, true},
      {4ULL << 20U, 1U << 20U, 1, true},
      {4096ULL << 22U, 4096, 1, true},
      {4 * 4096 + 1, 4096, 1, true},
      {3 * 4096 + 4095, 4096, 1, false},
      {4 * 2048, 2048, 1, false},
      {4ULL << 21U, 1U << 21U, 1, false},
      {4 * 4100, 4100, 1, false},
      {4 * 4096, 4096, 0, false},
      {4 * 4096, 4096, 65537, false},
      {(4096ULL << 22U) + 4096, 4096, 1, false},
      {0, 4096, 1, false},
      {4 * 4096, 0, 1, false},
      {~0ULL, 4096, 1, false},
  };
  for (const Case& c : cases) {
    const auto planned = plan_geometry(options_of(c.capacity, c.block, c.writers));
    EXPECT_EQ(planned.has_value(), c.is_fine) << c.capacity << " " << c.block << " " << c.writers;
    if (!planned) {
      EXPECT_EQ(planned.error().code, ErrorCode::kInvalidArgument);
    }
  }
}

TEST(Identity, IsAcceptedAsItWasMade) {
  const auto checked = check_identity(make_identity(small_geometry()), small_geometry().file_bytes, "a.ring");
  ASSERT_TRUE(checked) << checked.error().message;
  EXPECT_EQ(checked->blocks_offset, small_geometry().blocks_offset);
}

TEST(Identity, DiffersFromRingToRing) {
  const RingIdentity a = make_identity(small_geometry());
  const RingIdentity b = make_identity(small_geometry());
  EXPECT_NE(std::memcmp(a.uuid, b.uuid, sizeof(a.uuid)), 0);
  EXPECT_EQ(a.uuid[6] >> 4U, 4);
  EXPECT_EQ(a.uuid[8] >> 6U, 2);
}

TEST(Identity, RefusesEachFlippedBit) {
  const RingIdentity sound = make_identity(small_geometry());
  for (std::size_t bit = 0; bit < sizeof(RingIdentity) * 8; ++bit) {
    RingIdentity flipped = sound;
    reinterpret_cast<unsigned char*>(&flipped)[bit / 8] ^= static_cast<unsigned char>(1U << bit % 8);
    EXPECT_FALSE(check_identity(flipped, small_geometry().file_bytes, "a.ring")) << "bit " << bit;
  }
}

TEST(Identity, NamesTheReasonOfARefusal) {
  EXPECT_EQ(refusal(RingIdentity{}), ErrorCode::kNotARing);
  EXPECT_EQ(refusal(changed([](auto& i) { i.magic ^= 1; })), ErrorCode::kNotARing);
  EXPECT_EQ(refusal(changed([](auto& i) { ++i.layout_major; })), ErrorCode::kIncompatibleVersion);
  EXPECT_EQ(refusal(changed([](auto& i) { i.incompatible_features = 1; })), ErrorCode::kIncompatibleVersion);
  EXPECT_EQ(refusal(changed([](auto& i) { i.abi_tag ^= 3U << 24U; })), ErrorCode::kIncompatibleAbi);
  EXPECT_EQ(refusal(changed([](auto& i) { i.abi_tag ^= 4U; })), ErrorCode::kIncompatibleAbi);
}

TEST(Identity, GoesOnWithALaterMinorAndFeaturesThatMayBeIgnored) {
  const RingIdentity later = changed([](auto& i) {
    ++i.layout_minor;
    i.compatible_features = ~0U;
  });
  EXPECT_TRUE(check_identity(later, small_geometry().file_bytes, "a.ring"));
}

TEST(Identity, RefusesAGeometryThatContradictsItself) {
  const auto damaged = ErrorCode::kDamaged;
  EXPECT_EQ(refusal(changed([](auto& i) { i.block_bytes = 4095; })), damaged);
  EXPECT_EQ(refusal(changed([](auto& i) { i.block_bytes = 0; })), damaged);
  EXPECT_EQ(refusal(changed([](auto& i) { i.block_count = 3; })), damaged);
  EXPECT_EQ(refusal(changed([](auto& i) { i.block_count = kMaxBlocks + 1; })), damaged);
  EXPECT_EQ(refusal(changed([](auto& i) { i.writer_count = 0; })), damaged);
  EXPECT_EQ(refusal(changed([](auto& i) { i.writer_count = kMaxWriters + 1; })), damaged);
  EXPECT_EQ(refusal(changed([](auto& i) { i.writer_count += 1; })), damaged);
  EXPECT_EQ(refusal(changed([](auto& i) { i.slots_offset += 64; })), damaged);
  EXPECT_EQ(refusal(changed([](auto& i) { i.descriptors_offset = 0; })), damaged);
  EXPECT_EQ(refusal(changed([](auto& i) { i.blocks_offset = ~0ULL; })), damaged);
  EXPECT_EQ(refusal(changed([](auto& i) { i.file_bytes += 4096; })), damaged);
}

TEST(Identity, RefusesAFileOfAnotherLength) {
  const RingIdentity sound = make_identity(small_geometry());
  EXPECT_EQ(refusal(sound, small_geometry().file_bytes - 1), ErrorCode::kDamaged);
  EXPECT_EQ(refusal(sound, small_geometry().file_bytes + 4096), ErrorCode::kDamaged);
}

}  // namespace
}  // namespace shmring
