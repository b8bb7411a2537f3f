// SPDX-License-Identifier: Apache-2.0
// Runs of blocks (R10): claimed, written, drained, given back, evicted, by threads that live.
#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "libshmring/accounting.hpp"
#include "libshmring/claim.hpp"
#include "libshmring/fsck.hpp"
#include "libshmring/snapshot.hpp"
#include "tests/libshmring/ring_test_support.hpp"

namespace shmring {
namespace {

using test::emit;
using test::Flusher;
using test::TestRing;
using test::texts;

constexpr std::uint32_t kBlock = 4096;

/// A text of which every byte tells where it is.
std::string long_text(std::size_t bytes) {
  std::string text(bytes, '\0');
  for (std::size_t n = 0; n < bytes; ++n) text[n] = static_cast<char>('!' + (n / 7 + n * 31) % 90);
  return text;
}

std::string states(const TestRing& ring) {
  std::string all;
  for (std::uint32_t i = 0; i < ring.file().geometry().block_count; ++i) {
    all += "FOSCE"[static_cast<std::size_t>(ring.state(i).state)];
  }
  return all;
}

void expect_whole(const TestRing& ring) {
  for (const Finding& finding : fsck(ring.file())) {
    EXPECT_NE(finding.severity, Finding::Severity::kDamage) << finding.where << ": " << finding.what;
  }
  EXPECT_EQ(account(ring.file()).closing, Closing::kCloses);
}

void drain_all(Flusher& flusher, std::vector<std::string>& found) {
  for (int pass = 0; pass < 3; ++pass) {
    for (const Slice& slice : flusher.drain()) {
      for (std::string& text : texts(slice)) found.push_back(std::move(text));
      EXPECT_EQ(flusher.accept(slice.key), Reader::Acknowledged::kDone);
    }
  }
}

TEST(Run, HoldsARecordThatIsLargerThanABlockAndIsSealedByItsCommit) {
  const TestRing ring({.blocks = 8});
  const std::string large = long_text(2 * kBlock);
  ASSERT_TRUE(emit(ring.open(), large));
  EXPECT_EQ(states(ring), "SCCFFFFF");
  EXPECT_EQ(ring.committed(0).count(), 1U);
  EXPECT_GT(ring.committed(0).offset_bytes(), 2 * kBlock);
  EXPECT_EQ(account(ring.file()).total.pending, 1U);
  expect_whole(ring);
  Flusher flusher(ring);
  const auto slices = flusher.drain();
  ASSERT_EQ(texts(slices), std::vector<std::string>{large});
  ASSERT_EQ(flusher.accept(slices[0].key), Reader::Acknowledged::kDone);
  EXPECT_EQ(states(ring), "FFFFFFFF");
  EXPECT_EQ(ring.header().free_blocks.load(), 8U);
  expect_whole(ring);
}

TEST(Run, IsSeenWithoutTakingIt) {
  const TestRing ring({.blocks = 8});
  const std::string large = long_text(3 * kBlock);
  ASSERT_TRUE(emit(ring.open(), large));
  std::vector<std::string> seen;
  peek_all(ring.file(), [&seen](Slice&& slice) {
    for (std::string& text : texts(slice)) seen.push_back(std::move(text));
  });
  EXPECT_EQ(seen, std::vector<std::string>{large});
}

TEST(Run, KeepsTheOrderOfItsThread) {
  const TestRing ring({.blocks = 16});
  const Ring opened = ring.open();
  const std::vector<std::string> written{"a", long_text(6000), "b", long_text(9000), "c"};
  for (const std::string& text : written) ASSERT_TRUE(emit(opened, text));
  Flusher flusher(ring);
  std::vector<std::string> found;
  drain_all(flusher, found);
  EXPECT_EQ(found, written);
}

TEST(Run, GoesAsFarAsTheLargestRecordOfTheRing) {
  const TestRing ring({.blocks = 600});
  const Ring opened = ring.open();
  EXPECT_EQ(opened.max_payload(), kDefaultMaxRecordBytes);
  const std::string largest = long_text(opened.max_payload());
  ASSERT_TRUE(emit(opened, largest));
  EXPECT_FALSE(emit(opened, largest + "x"));
  EXPECT_EQ(ring.slot_drops(0, DropCause::kTooLarge), 1U);
  Flusher flusher(ring);
  std::vector<std::string> found;
  drain_all(flusher, found);
  EXPECT_EQ(found, std::vector<std::string>{largest});
  EXPECT_EQ(ring.blocks_in(BlockState::kFree), 600U);
}

TEST(Run, TakesHalfOfASmallRingAtMost) {
  const TestRing ring({.blocks = 8});
  const Ring opened = ring.open();
  EXPECT_GT(opened.max_payload(), 3 * kBlock);
  EXPECT_LT(opened.max_payload(), 4 * kBlock);
  EXPECT_TRUE(emit(opened, long_text(opened.max_payload()), RecordKind::kLog,
                   opened.scope({std::string(5000, 'n')})));
  EXPECT_EQ(states(ring), "SCCCFFFF");
}

TEST(Run, NeverCrossesTheRingsEnd) {
  const TestRing ring({.blocks = 8});
  for (const std::uint32_t taken : {1U, 2U, 3U, 4U, 5U}) test::seal_with(ring, taken, {"x"});
  const Ring opened = ring.open();  // free: 0, 6, 7
  EXPECT_FALSE(emit(opened, long_text(2 * kBlock)));
  EXPECT_EQ(ring.slot_drops(0, DropCause::kRingFull), 1U);
  EXPECT_TRUE(emit(opened, long_text(kBlock + 1)));
  EXPECT_EQ(states(ring), "FSSSSSSC");
}

TEST(Run, KeepsNothingOfANeighbourhoodThatIsTooSmall) {
  const TestRing ring({.blocks = 8});
  for (const std::uint32_t taken : {2U, 5U}) test::seal_with(ring, taken, {"x"});
  const std::uint32_t generation = ring.state(0).block_generation;
  EXPECT_FALSE(emit(ring.open(), long_text(3 * kBlock)));
  EXPECT_EQ(states(ring), "FFSFFSFF");
  EXPECT_EQ(ring.state(0).block_generation, generation);
  EXPECT_TRUE(emit(ring.open(), "small"));  // the ring is full for the large one only
}

TEST(Run, BecomesAnOrdinaryBlockWhenItsSlotIsAbandoned) {
  const TestRing ring({.blocks = 8});
  const Ring opened = ring.open();
  {
    auto slot = opened.writer().try_reserve(RecordKind::kLog, 2 * kBlock);
    ASSERT_TRUE(slot);
    EXPECT_EQ(states(ring), "OCCFFFFF");
    EXPECT_EQ(account(ring.file()).blocks.free, 5U);
  }
  EXPECT_EQ(states(ring), "OFFFFFFF");
  EXPECT_EQ(ring.header().free_blocks.load(), 7U);
  ASSERT_TRUE(emit(opened, "small"));
  EXPECT_EQ(states(ring), "OFFFFFFF");
  expect_whole(ring);
}

TEST(Run, MayBeCommittedWithLessThanWasReserved) {
  const TestRing ring({.blocks = 8});
  const Ring opened = ring.open();
  auto slot = opened.writer().try_reserve(RecordKind::kLog, 2 * kBlock);
  ASSERT_TRUE(slot);
  *slot.payload().data() = std::byte{'s'};
  ASSERT_TRUE(std::move(slot).commit(1));
  EXPECT_EQ(states(ring), "SCCFFFFF");
  Flusher flusher(ring);
  std::vector<std::string> found;
  drain_all(flusher, found);
  EXPECT_EQ(found, std::vector<std::string>{"s"});
  EXPECT_EQ(states(ring), "FFFFFFFF");
}

TEST(Run, IsNotReadBeforeItsCommit) {
  const TestRing ring({.blocks = 8});
  const Ring opened = ring.open();
  auto slot = opened.writer().try_reserve(RecordKind::kLog, 2 * kBlock);
  Flusher flusher(ring);
  for (int pass = 0; pass < 3; ++pass) EXPECT_TRUE(flusher.drain().empty());
  EXPECT_EQ(states(ring), "OCCFFFFF");  // its owner lives
  EXPECT_EQ(flusher.report.free_blocks, 5U);
  ASSERT_TRUE(std::move(slot).commit(0));
  EXPECT_EQ(flusher.drain().size(), 1U);
}

TEST(Run, OfASectionWithScopesDeclaresThemInItsHead) {
  const TestRing ring({.blocks = 16});
  const Ring opened = ring.open();
  const ScopeId scope = opened.scope({"library", "1"});
  ASSERT_TRUE(emit(opened, long_text(6000), RecordKind::kSpan, scope));
  ASSERT_TRUE(emit(opened, "after", RecordKind::kSpan, scope));
  expect_whole(ring);
  Flusher flusher(ring);
  for (const Slice& slice : flusher.drain()) {
    SliceWalk walk(slice);
    const auto record = walk.next();
    ASSERT_TRUE(record);
    EXPECT_FALSE(record->scope.empty());
    EXPECT_FALSE(record->resource.empty());
  }
}

TEST(Run, WaitsForNeighboursWithPolicyBlock) {
  const TestRing ring(
      {.blocks = 8, .on_full = FullPolicy::kBlock, .block_timeout = std::chrono::seconds(60)});
  for (std::uint32_t i = 0; i < 8; ++i) test::seal_with(ring, i, {"x"});
  std::atomic<bool> written{false};
  std::thread writer([&] { written = emit(ring.open(), long_text(2 * kBlock)); });
  Flusher flusher(ring);
  std::vector<std::string> found;
  ASSERT_TRUE(test::eventually([&] {
    drain_all(flusher, found);
    return written.load();
  }));
  writer.join();
}

TEST(RunByEviction, TakesTheOldestNeighbours) {
  const TestRing ring({.blocks = 8, .on_full = FullPolicy::kDropOldest});
  for (std::uint32_t i = 0; i < 8; ++i) {
    test::seal_with(ring, i, {"old", "older"});
    ring.descriptor(i).ticket.store((i + 5) % 8);  // the oldest is block 3
  }
  const std::string large = long_text(2 * kBlock);
  ASSERT_TRUE(emit(ring.open(), large));
  EXPECT_EQ(states(ring), "SSSSCCSS");
  EXPECT_EQ(ring.committed(3).count(), 3U);
  const Accounting accounting = account(ring.file());
  EXPECT_EQ(accounting.total.outcomes[static_cast<std::size_t>(Outcome::kEvicted)], 6U);
  EXPECT_EQ(accounting.total.pending, 11U);
  expect_whole(ring);
}

TEST(RunByEviction, PassesOverWhatIsPinnedOrWrittenTo) {
  const TestRing ring({.blocks = 8, .on_full = FullPolicy::kDropOldest});
  for (std::uint32_t i = 0; i < 8; ++i) test::seal_with(ring, i, {"old"});
  StateWord pinned = ring.state(1);
  pinned.pin = Pin::kPinned;
  ring.descriptor(1).state.store(pinned.pack());
  test::hold_slot(ring.slot(2), 5, test::own_tid());
  ring.descriptor(4).state.store(
      StateWord{.state = BlockState::kOpen, .writer = 2, .writer_generation = 5}.pack());
  ASSERT_TRUE(emit(ring.open(), long_text(2 * kBlock)));
  EXPECT_EQ(states(ring), "SSSSOSCC");
  expect_whole(ring);
}

TEST(RunByEviction, EvictsARunAsAWhole) {
  const TestRing ring({.blocks = 8, .on_full = FullPolicy::kDropOldest});
  const Ring opened = ring.open();
  for (int n = 0; n < 2; ++n) ASSERT_TRUE(emit(opened, long_text(3 * kBlock)));
  EXPECT_EQ(states(ring), "SCCCSCCC");
  ASSERT_TRUE(emit(opened, "small"));
  EXPECT_EQ(states(ring), "OFFFSCCC");
  ASSERT_TRUE(emit(opened, long_text(3 * kBlock)));
  EXPECT_EQ(states(ring), "SFFFSCCC");
  EXPECT_EQ(ring.outcome(0, Outcome::kEvicted), 1U);
  EXPECT_EQ(ring.outcome(4, Outcome::kEvicted), 1U);
  expect_whole(ring);
}

TEST(RunByEviction, PinsAQuarterOfTheBlocksButLetsALongerRunThrough) {
  const TestRing ring({.blocks = 16, .on_full = FullPolicy::kDropOldest});
  const Ring opened = ring.open();
  for (int n = 0; n < 3; ++n) ASSERT_TRUE(emit(opened, long_text(4 * kBlock)));  // five blocks each
  Flusher flusher(ring);
  EXPECT_EQ(flusher.drain().size(), 1U);
  EXPECT_TRUE(flusher.report.more);
  EXPECT_TRUE(flusher.drain().empty());
}

TEST(Runs, OfManyThreadsBesideSmallRecordsAndAFlusherArriveOnceAndWhole) {
  for (const FullPolicy policy : {FullPolicy::kDropNewest, FullPolicy::kDropOldest}) {
    const TestRing ring({.blocks = 32, .writers = 8, .on_full = policy});
    const Ring opened = ring.open();
    std::atomic<std::uint64_t> committed{0};
    std::atomic<bool> done{false};
    std::uint64_t delivered = 0;
    std::thread reading([&] {
      Flusher flusher(ring);
      while (!done.load() || account(ring.file()).total.pending != 0) {
        for (const Slice& slice : flusher.drain()) {
          for (const std::string& text : texts(slice)) EXPECT_EQ(text, long_text(text.size()));
          if (flusher.accept(slice.key) == Reader::Acknowledged::kDone) delivered += slice.key.records();
        }
      }
    });
    std::vector<std::thread> writing;
    for (std::size_t t = 0; t < 3; ++t) {
      writing.emplace_back([&, t] {
        for (std::size_t i = 0; i < 1500; ++i) {
          const std::size_t bytes = i % 3 == 0 ? (i * 37 + t * 911) % (4 * kBlock) : i % 300;
          committed += emit(opened, long_text(bytes)) ? 1U : 0U;
        }
      });
    }
    for (std::thread& thread : writing) thread.join();
    done = true;
    reading.join();
    Flusher last(ring);
    std::vector<std::string> none;
    drain_all(last, none);
    EXPECT_TRUE(none.empty());
    const Accounting accounting = account(ring.file());
    EXPECT_EQ(accounting.total.written, committed.load());
    EXPECT_EQ(delivered + accounting.total.outcomes[static_cast<std::size_t>(Outcome::kEvicted)],
              committed.load());
    EXPECT_EQ(ring.blocks_in(BlockState::kFree), 32U);
    expect_whole(ring);
  }
}

}  // namespace
}  // namespace shmring
