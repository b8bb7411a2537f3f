// SPDX-License-Identifier: Apache-2.0
// Instrumentation scopes: numbered once per process, declared once per section of a block.
#include "libshmring/scope.hpp"

#include <gtest/gtest.h>

#include <set>

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
  EXPECT_EQ(encode_scope_within({}, 256), "");
  EXPECT_EQ(encode_scope_within({.name = "ab"}, 256),
            "\x0A\x02"
            "ab");
  EXPECT_EQ(encode_scope_within({.version = "1"}, 256),
            "\x12\x01"
            "1");
  EXPECT_EQ(encode_scope_within({.name = "ab", .version = "1"}, 256),
            "\x0A\x02"
            "ab\x12\x01"
            "1");
}

TEST(ScopeEncoding, BeginsWithTheSchemaUrlAndGoesOnAsTheMessage) {
  const std::string url = "\xCA\xA3\x09\x02u:";  // field 19001
  EXPECT_EQ(encode_scope_within({.schema_url = "u:"}, 256), url);
  EXPECT_EQ(encode_scope_within({.name = "ab", .attributes = {{"k", 1}}, .schema_url = "u:"}, 256),
            url + "\x0A\x02" + "ab" + "\x1A\x07\x0A\x01" + "k" + "\x12\x02\x18\x01");
}

TEST(ScopeEncoding, DropsWholeAttributesAndCountsThem) {
  const std::string large(100, 'x');
  const std::vector<Attribute> attributes = {{"a", large}, {"b", large}, {"c", large}, {"", 1}, {"d", 1}};
  const std::string name(20, 'n');
  const std::string encoded = encode_scope_within({.name = name, .attributes = attributes}, 256);
  EXPECT_LE(encoded.size(), 256U);
  const auto field = [&](const char* key) {
    return "\x1A\x6B\x0A\x01" + (key + ("\x12\x66\x0A\x64" + large));
  };
  EXPECT_EQ(encoded, "\x0A\x14" + name + field("a") + field("b") + "\x1A\x07\x0A\x01" + "d" +
                         "\x12\x02\x18\x01" + "\x20\x02");
}

TEST(ScopeEncoding, LeavesOutASchemaUrlThatFindsNoRoomAndNeverAPartOfIt) {
  const std::string name(100, 'n');
  for (std::size_t size = 0; size < 400; ++size) {
    const std::string url(size, 'u');
    const std::string encoded =
        encode_scope_within({.name = name, .attributes = {{"k", url}}, .schema_url = url}, 256);
    ASSERT_LE(encoded.size(), 256U);
    const bool is_kept = size != 0 && size + (size > 127 ? 1U : 0U) <= std::size_t{256 - 6 - 102 - 4};
    ASSERT_EQ(encoded.starts_with("\xCA\xA3\x09"), is_kept) << size;
    ASSERT_NE(encoded.find("\x0A\x64" + name), std::string::npos);
    ASSERT_EQ(encoded.find(url + "\x0A\x64" + name) != std::string::npos, is_kept || size == 0) << size;
  }
}

TEST(ScopeEncoding, NeverExceedsItsLimitAndCutsBetweenCharacters) {
  std::string wide;
  for (int i = 0; i < 1000; ++i) wide += "\xE2\x82\xAC";
  for (std::size_t limit = 64; limit < 512; ++limit) {
    const std::string encoded = encode_scope_within({.name = wide, .version = wide}, limit);
    EXPECT_LE(encoded.size(), limit);
    EXPECT_NE(static_cast<unsigned char>(encoded.back()), 0xE2U);
    EXPECT_EQ(static_cast<unsigned char>(encoded.back()), 0xACU) << limit;
  }
}

TEST(ScopeEncoding, HasRoomForTheCountOfDroppedAttributesBesideTheLongestName) {
  const std::string wide(1000, 'w');
  const std::vector<Attribute> attributes(kMaxAttributes + 500, Attribute{"k", wide});
  for (std::size_t limit = 64; limit < 512; ++limit) {
    const std::string encoded = encode_scope_within(
        {.name = wide, .version = wide, .attributes = attributes, .schema_url = wide}, limit);
    ASSERT_LE(encoded.size(), limit);
    ASSERT_EQ(encoded.find("\x0A\x01k"), std::string::npos);
    ASSERT_EQ(encoded[encoded.rfind('w') + 1], '\x20') << limit;
  }
}

TEST(Scopes, ShareANumberWhereTheySayTheSame) {
  const TestRing ring;
  const Ring opened = ring.open();
  const ScopeOptions plain{.name = "a", .version = "1"};
  const std::vector<Attribute> truth = {{"k", true}};
  const std::vector<Attribute> one = {{"k", 1}};
  std::set<std::uint16_t> numbers;
  for (const std::string_view url : {"", "u:1", "u:2"}) {
    for (const Attributes attributes : {Attributes(), Attributes(truth), Attributes(one)}) {
      const ScopeOptions scope{.name = "a", .version = "1", .attributes = attributes, .schema_url = url};
      const ScopeId id = opened.scope(scope);
      EXPECT_EQ(opened.scope(scope).value, id.value);
      EXPECT_TRUE(numbers.insert(id.value).second);
    }
  }
  EXPECT_EQ(opened.scope(plain).value, 1U);
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
