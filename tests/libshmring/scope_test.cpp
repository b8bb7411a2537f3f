// SPDX-License-Identifier: Apache-2.0
// Instrumentation scopes: numbered once per process, declared once per section of a block.
#include "libshmring/scope.hpp"

#include <gtest/gtest.h>

#include "libshmring/ring_core.hpp"
#include "tests/libshmring/ring_test_support.hpp"

namespace shmring {
namespace {

using test::emit;
using test::TestRing;

/// The scopes of the records that the ring holds, in order, by their first byte behind tag and length.
std::vector<std::string> scopes_of_records(const TestRing& ring) {
  std::vector<std::string> found;
  test::Flusher flusher(ring);
  for (const Slice& slice : flusher.drain()) {
    SliceWalk walk(slice);
    while (const auto record = walk.next()) {
      found.push_back(record->scope.size() < 2 ? "" : test::text_of(record->scope.subspan(2)));
    }
    EXPECT_EQ(walk.corrupt(), 0U);
  }
  return found;
}

std::size_t scope_records(const TestRing& ring, std::uint32_t block) {
  std::size_t count = 0;
  const std::byte* bytes = ring.file().block(block);
  for (std::uint32_t offset = 0; offset < ring.committed(block).offset_bytes();) {
    RecordHeader header{};
    std::memcpy(&header, bytes + offset, sizeof(header));
    count += header.kind == static_cast<std::uint8_t>(RecordKind::kScope) ? 1U : 0U;
    offset += static_cast<std::uint32_t>(record_bytes(header.size));
  }
  return count;
}

TEST(ScopeEncoding, LeavesOutWhatIsEmpty) {
  EXPECT_EQ(encode_scope_within("", "", 256), "");
  EXPECT_EQ(encode_scope_within("ab", "", 256),
            "\x0A\x02"
            "ab");
  EXPECT_EQ(encode_scope_within("", "1", 256),
            "\x12\x01"
            "1");
  EXPECT_EQ(encode_scope_within("ab", "1", 256),
            "\x0A\x02"
            "ab\x12\x01"
            "1");
}

TEST(ScopeEncoding, NeverExceedsItsLimitAndCutsBetweenCharacters) {
  std::string wide;
  for (int i = 0; i < 1000; ++i) wide += "\xE2\x82\xAC";
  for (std::size_t limit = 64; limit < 512; ++limit) {
    const std::string encoded = encode_scope_within(wide, wide, limit);
    EXPECT_LE(encoded.size(), limit);
    EXPECT_NE(static_cast<unsigned char>(encoded.back()), 0xE2U);
    EXPECT_EQ(static_cast<unsigned char>(encoded.back()), 0xACU) << limit;
  }
}

TEST(Scopes, OfTheSameNameAndVersionShareANumber) {
  const TestRing ring;
  const Ring opened = ring.open();
  const ScopeId a = opened.scope({"a", "1"});
  EXPECT_EQ(a.value, 1U);
  EXPECT_EQ(opened.scope({"a", "1"}).value, a.value);
  EXPECT_NE(opened.scope({"a", "2"}).value, a.value);
  EXPECT_NE(opened.scope({"a"}).value, a.value);
  EXPECT_EQ(opened.scope({""}).value, 0U);
}

TEST(Scopes, AreDeclaredOncePerBlock) {
  const TestRing ring;
  const Ring opened = ring.open();
  const ScopeId a = opened.scope({"a"});
  const ScopeId b = opened.scope({"b"});
  for (int i = 0; i < 5; ++i) {
    ASSERT_TRUE(emit(opened, "x", RecordKind::kLog, a));
    ASSERT_TRUE(emit(opened, "x", RecordKind::kLog, b));
  }
  ASSERT_TRUE(emit(opened, "x"));
  EXPECT_EQ(scope_records(ring, 0), 2U);
  EXPECT_EQ(scopes_of_records(ring),
            (std::vector<std::string>{"a", "b", "a", "b", "a", "b", "a", "b", "a", "b", ""}));
}

TEST(Scopes, AreDeclaredAgainByWhoAdoptsABlock) {
  const TestRing ring;
  const Ring opened = ring.open();
  const ScopeId a = opened.scope({"a"});
  std::thread([&] { ASSERT_TRUE(emit(opened, "x", RecordKind::kLog, a)); }).join();
  ASSERT_TRUE(emit(opened, "y", RecordKind::kLog, a));
  EXPECT_EQ(ring.blocks_in(BlockState::kOpen), 1U);
  EXPECT_EQ(scope_records(ring, 0), 2U);
  EXPECT_EQ(scopes_of_records(ring), (std::vector<std::string>{"a", "a"}));
}

TEST(Scopes, OfMoreThanAByteKeepTheirNames) {
  const TestRing ring({.blocks = 64, .block_bytes = 16384});
  const Ring opened = ring.open();
  std::vector<std::string> expected;
  for (int i = 0; i < 600; ++i) {
    const std::string name = "scope-" + std::to_string(i);
    const ScopeId id = opened.scope({name});
    EXPECT_EQ(id.value, i + 1);
    ASSERT_TRUE(emit(opened, "x", RecordKind::kLog, id));
    ASSERT_TRUE(emit(opened, "y", RecordKind::kLog, id));
    expected.insert(expected.end(), 2, name);
  }
  EXPECT_EQ(scopes_of_records(ring), expected);
}

TEST(Scopes, FillABlockAsLongAsThereIsRoom) {
  const TestRing ring;
  const Ring opened = ring.open();
  for (int i = 0; i < 15; ++i) {
    ASSERT_TRUE(
        emit(opened, "x", RecordKind::kLog, opened.scope({std::string(100, 'a') + std::to_string(i)})));
  }
  EXPECT_EQ(ring.blocks_in(BlockState::kSealed), 0U);
  EXPECT_EQ(scope_records(ring, 0), 15U);
  EXPECT_EQ(scopes_of_records(ring).size(), 15U);
}

TEST(Scopes, AreDeclaredAgainInTheNextBlock) {
  const TestRing ring({.blocks = 8});
  const Ring opened = ring.open();
  const ScopeId a = opened.scope({"a"});
  for (int i = 0; i < 12; ++i) ASSERT_TRUE(emit(opened, std::string(1000, 'x'), RecordKind::kLog, a));
  EXPECT_GT(ring.blocks_in(BlockState::kSealed), 2U);
  EXPECT_EQ(scopes_of_records(ring), std::vector<std::string>(12, "a"));
}

TEST(Scopes, AreEmptyForANumberThatWasNotGiven) {
  const TestRing ring;
  const RingCore& core = *ring.open().core();
  EXPECT_EQ(core.scope({0}), "");
  EXPECT_EQ(core.scope({65535}), "");
}

}  // namespace
}  // namespace shmring
