// SPDX-License-Identifier: Apache-2.0
// A look that takes nothing away, and how tap goes on from what it has shown.
#include "libshmring/snapshot.hpp"

#include <gtest/gtest.h>

#include "tests/libshmring/ring_test_support.hpp"

namespace shmring {
namespace {

using test::BlockText;
using test::emit;
using test::fill_block;
using test::Flusher;
using test::TestRing;
using test::texts;
using Texts = std::vector<std::string>;

Texts shown(const TestRing& ring, std::uint32_t block, std::optional<std::uint64_t> from = std::nullopt) {
  const auto slice = peek(ring.file(), block, from);
  return slice ? texts(*slice) : Texts{};
}

TEST(Peek, ChangesNothing) {
  const TestRing ring;
  test::seal_with(ring, 0, {"a", "b"});
  BlockDescriptor before{};
  std::memcpy(static_cast<void*>(&before), static_cast<const void*>(&ring.descriptor(0)), sizeof(before));
  EXPECT_EQ(shown(ring, 0), (Texts{"a", "b"}));
  EXPECT_EQ(std::memcmp(static_cast<const void*>(&before), static_cast<const void*>(&ring.descriptor(0)),
                        sizeof(before)),
            0);
}

TEST(Peek, ShowsWhatWasNotExported) {
  const TestRing ring;
  const Ring opened = ring.open();
  Flusher flusher(ring);
  ASSERT_TRUE(emit(opened, "old"));
  ASSERT_EQ(flusher.accept(flusher.drain().at(0).key), Reader::Acknowledged::kDone);
  EXPECT_EQ(shown(ring, 0), Texts{});
  ASSERT_TRUE(emit(opened, "new"));
  EXPECT_EQ(shown(ring, 0), Texts{"new"});
}

TEST(Peek, ShowsNothingOfAFreeBlock) {
  const TestRing ring;
  EXPECT_FALSE(peek(ring.file(), 0));
  EXPECT_FALSE(peek(ring.file(), 0, 5));
}

TEST(Peek, GoesOnBehindTheCountThatWasShown) {
  const TestRing ring;
  test::seal_with(ring, 0, {"a", "b", "c"}, 1000);
  EXPECT_EQ(shown(ring, 0, 1000), (Texts{"a", "b", "c"}));
  EXPECT_EQ(shown(ring, 0, 1001), (Texts{"b", "c"}));
  EXPECT_EQ(shown(ring, 0, 1002), Texts{"c"});
  EXPECT_EQ(shown(ring, 0, 1003), Texts{});
  EXPECT_EQ(peek(ring.file(), 0, 1001)->key.begin_count, 1001U);
  EXPECT_EQ(peek(ring.file(), 0, 1001)->key.end_count, 1003U);
}

TEST(Peek, ShowsAlsoWhatWasExportedButNotShown) {
  const TestRing ring;
  const Ring opened = ring.open();
  ASSERT_TRUE(emit(opened, "a"));
  ASSERT_TRUE(emit(opened, "b"));
  Flusher flusher(ring);
  ASSERT_EQ(flusher.accept(flusher.drain().at(0).key), Reader::Acknowledged::kDone);
  EXPECT_EQ(shown(ring, 0, 1), Texts{"b"});
}

TEST(Peek, ShowsAllOfANewLifeToWhoSawThePastOne) {
  const TestRing ring;
  test::seal_with(ring, 0, {"new", "newer"}, 1000);
  for (const std::uint64_t earlier : {999U, 500U, 0U})
    EXPECT_EQ(shown(ring, 0, earlier), (Texts{"new", "newer"})) << earlier;
}

TEST(Peek, GoesOnOverTheWrapOfTheCounts) {
  const TestRing ring;
  test::seal_with(ring, 0, {"a", "b", "c"}, kCountMask);
  EXPECT_EQ(shown(ring, 0, kCountMask), (Texts{"a", "b", "c"}));
  EXPECT_EQ(shown(ring, 0, 0), (Texts{"b", "c"}));
  EXPECT_EQ(shown(ring, 0, 1), Texts{"c"});
  EXPECT_EQ(shown(ring, 0, 2), Texts{});
  EXPECT_EQ(shown(ring, 0, kCountMask - 7), (Texts{"a", "b", "c"}));
}

TEST(Peek, StopsAtBrokenFraming) {
  const TestRing ring;
  test::seal_with(ring, 0, {"a", "b"});
  ring.file().block(0)[32 + 4] = std::byte{99};  // the kind of "b"
  EXPECT_EQ(shown(ring, 0), Texts{"a"});
}

TEST(Peek, ReadsNothingBehindTheBlock) {
  const TestRing ring;
  test::seal_with(ring, 3, {"a"});
  ring.descriptor(3).committed.store(CommittedWord{}.advanced((1U << 21U) - 8, 1).word);
  const auto slice = peek(ring.file(), 3);
  ASSERT_TRUE(slice);
  EXPECT_EQ(slice->bytes.size(), 4096U);
}

TEST(PeekAll, ShowsTheOldestBlocksFirst) {
  const TestRing ring;
  const std::uint64_t tickets[] = {7, 2, 9, 5};
  for (std::uint32_t i = 0; i < 4; ++i) {
    test::seal_with(ring, i, {std::to_string(tickets[i])});
    ring.descriptor(i).ticket.store(tickets[i]);
  }
  Texts found;
  peek_all(ring.file(), [&found](Slice&& slice) { found.push_back(texts(slice).at(0)); });
  EXPECT_EQ(found, (Texts{"2", "5", "7", "9"}));
}

TEST(Peek, WorksOnAReadOnlyMapping) {
  const TestRing ring;
  test::seal_with(ring, 0, {"a"});
  const auto file = RingFile::attach(ring.path(), Access::kReadOnly);
  ASSERT_TRUE(file);
  EXPECT_EQ(texts(*peek(*file, 0)), Texts{"a"});
}

}  // namespace
}  // namespace shmring
