// SPDX-License-Identifier: Apache-2.0
// An open block that is handed out in parts: a later part brings the context that holds, and none of the records before it.
#include "libshmring/carried_context.hpp"

#include <gtest/gtest.h>

#include "tests/libshmring/ring_test_support.hpp"

namespace shmring {
namespace {

using test::BlockText;
using test::Flusher;
using test::TestRing;

/// An open block of a live writer, which grows from drain to drain.
class GrowingBlock {
 public:
  GrowingBlock() : flusher_(ring_) {
    test::hold_slot(ring_.slot(0), 1, test::own_tid());
    test::fill_block(ring_, 0, {.state = BlockState::kOpen, .writer = 0, .writer_generation = 1}, text_);
  }

  BlockText& text() { return text_; }

  /// What is new in it.
  Slice drain() {
    std::copy(text_.bytes().begin(), text_.bytes().end(), ring_.file().block(0));
    ring_.descriptor(0).committed.store(CommittedWord::of(text_.size(), 0, text_.records()).word);
    auto slices = flusher_.drain();
    return slices.size() == 1 ? std::move(slices[0]) : Slice{};
  }

 private:
  TestRing ring_;
  BlockText text_;
  Flusher flusher_;
};

std::string text_of(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

/// "record in scope of resource", each with its offset.
std::vector<std::pair<std::uint32_t, std::string>> found_in(const Slice& slice) {
  std::vector<std::pair<std::uint32_t, std::string>> found;
  SliceWalk walk(slice);
  while (const auto record = walk.next()) {
    found.emplace_back(record->offset, text_of(record->payload) + " in " + text_of(record->scope) + " of " +
                                           text_of(record->resource));
  }
  EXPECT_EQ(walk.corrupt(), 0U);
  return found;
}

using Found = std::vector<std::pair<std::uint32_t, std::string>>;

TEST(LaterSlice, BringsContextAndNoEarlierRecords) {
  GrowingBlock block;
  block.text().resource("r").scope(1, "s").record("first", 1).record(std::string(500, 'x'), 1);
  EXPECT_EQ(found_in(block.drain()).size(), 2U);
  const std::uint32_t begin = block.text().size();
  block.text().record("second", 1);
  const Slice slice = block.drain();
  EXPECT_EQ(found_in(slice), (Found{{begin, "second in s of r"}}));
  EXPECT_EQ(slice.bytes.size(), 3 * record_bytes(1));  // a resource, a scope, a record
  EXPECT_EQ(slice.bytes.size() + slice.left_out, slice.key.end);
}

TEST(LaterSlice, BringsWhatIsNewInContextToTheNextOne) {
  GrowingBlock block;
  block.text().resource("r").record("a");
  found_in(block.drain());
  block.text().scope(2, "two").record("b", 2);
  found_in(block.drain());
  const std::uint32_t begin = block.text().size();
  block.text().record("c", 2).record("d");
  EXPECT_EQ(
      found_in(block.drain()),
      (Found{{begin, "c in two of r"}, {begin + static_cast<std::uint32_t>(record_bytes(1)), "d in  of r"}}));
}

TEST(LaterSlice, KnowsNothingOfAnEarlierWritersSection) {
  GrowingBlock block;
  block.text().resource("one").scope(1, "s").record("a", 1).resource("two").record("b");
  found_in(block.drain());
  const std::uint32_t begin = block.text().size();
  block.text().record("c", 1);
  const Slice slice = block.drain();
  EXPECT_EQ(found_in(slice), (Found{{begin, "c in  of two"}}));
  EXPECT_EQ(slice.bytes.size(), 2 * record_bytes(1));
}

TEST(LaterSlice, IsTheWholeBlockWhereContextIsLong) {
  GrowingBlock block;
  block.text().resource(std::string(2500, 'r')).record("a");
  found_in(block.drain());
  block.text().record("b");
  const Slice slice = block.drain();
  EXPECT_EQ(slice.left_out, 0U);
  EXPECT_EQ(found_in(slice).size(), 1U);
}

TEST(CarriedContext, TakesNoMoreMemoryThanAllTogetherMay) {
  Slice slice;
  slice.bytes = BlockText().resource("r").record("a").bytes();
  slice.key.end = static_cast<std::uint32_t>(slice.bytes.size());
  std::uint64_t total = CarriedContext::kMost - record_bytes(1);
  auto last = context_behind(slice, total);
  ASSERT_NE(last, nullptr);
  EXPECT_EQ(total, CarriedContext::kMost);
  EXPECT_EQ(context_behind(slice, total), nullptr);
  last.reset();
  EXPECT_EQ(total, CarriedContext::kMost - record_bytes(1));
}

TEST(CarriedContext, IsNoneBehindFramingThatLeadsNowhere) {
  Slice slice;
  slice.bytes = BlockText().resource("r").record("a").bytes();
  slice.bytes.resize(slice.bytes.size() - 1);
  std::uint64_t total = 0;
  EXPECT_EQ(context_behind(slice, total), nullptr);
}

}  // namespace
}  // namespace shmring
