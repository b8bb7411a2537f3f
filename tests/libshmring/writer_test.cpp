// SPDX-License-Identifier: Apache-2.0
// Reserve, fill, commit; what an abandoned, a nested and an inherited slot do.
#include "shmring/writer.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <algorithm>
#include <stdexcept>

#include "libshmring/ring_core.hpp"
#include "tests/libshmring/ring_test_support.hpp"

namespace shmring {
namespace {

using test::emit;
using test::TestRing;

std::vector<std::string> content_of(const TestRing& ring) { return test::texts(test::Flusher(ring).drain()); }

TEST(Slot, IsEightByteAlignedAndAsLongAsReserved) {
  const TestRing ring;
  const Ring opened = ring.open();
  for (const std::size_t size : {1U, 7U, 8U, 9U, 100U}) {
    auto slot = opened.writer().try_reserve(RecordKind::kLog, size);
    ASSERT_TRUE(slot);
    EXPECT_EQ(slot.payload().size(), size);
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(slot.payload().data()) % 8, 0U);
    std::memset(slot.payload().data(), 'x', size);
    EXPECT_TRUE(std::move(slot).commit());
  }
  EXPECT_EQ(content_of(ring).size(), 5U);
}

TEST(Slot, PublishesNothingBeforeItsCommit) {
  const TestRing ring;
  const Ring opened = ring.open();
  ASSERT_TRUE(emit(opened, "a"));
  const std::uint64_t before = ring.descriptor(0).committed.load();
  auto slot = opened.writer().try_reserve(RecordKind::kLog, 8);
  EXPECT_EQ(ring.descriptor(0).committed.load(), before);
  EXPECT_TRUE(std::move(slot).commit());
  EXPECT_EQ(ring.descriptor(0).committed.load(), before + (std::uint64_t{1} << kCountShift) + 2);
}

TEST(Slot, PublishesAsMuchAsWasUsed) {
  const TestRing ring;
  const Ring opened = ring.open();
  auto slot = opened.writer().try_reserve(RecordKind::kLog, 100);
  std::memcpy(slot.payload().data(), "used", 4);
  EXPECT_TRUE(std::move(slot).commit(4));
  ASSERT_TRUE(emit(opened, "next"));
  EXPECT_EQ(content_of(ring), (std::vector<std::string>{"used", "next"}));
}

TEST(Slot, LeavesNothingBehindWhenAbandoned) {
  const TestRing ring;
  const Ring opened = ring.open();
  ASSERT_TRUE(emit(opened, "a"));
  { const auto slot = opened.writer().try_reserve(RecordKind::kLog, 50); }
  try {
    const auto slot = opened.writer().try_reserve(RecordKind::kLog, 50);
    throw std::runtime_error("an encoder failed");
  } catch (const std::runtime_error&) {
  }
  ASSERT_TRUE(emit(opened, "b"));
  EXPECT_EQ(content_of(ring), (std::vector<std::string>{"a", "b"}));
  for (std::size_t cause = 0; cause < kDropCauseCount; ++cause) {
    EXPECT_EQ(ring.slot_drops(0, static_cast<DropCause>(cause)), 0U) << cause;  // it is no attempt
  }
}

TEST(Slot, MovesWithItsRecord) {
  const TestRing ring;
  const Ring opened = ring.open();
  auto first = opened.writer().try_reserve(RecordKind::kLog, 1);
  Slot second(std::move(first));
  EXPECT_FALSE(first);  // NOLINT(bugprone-use-after-move): what a moved-from slot says is the matter
  *second.payload().data() = std::byte{'m'};
  EXPECT_TRUE(std::move(second).commit());
  EXPECT_EQ(content_of(ring), std::vector<std::string>{"m"});
}

TEST(Slot, RefusesAThirdOneOfTheSameThread) {
  const TestRing ring;
  const Ring opened = ring.open();
  auto first = opened.writer().try_reserve(RecordKind::kLog, 1);
  auto second = opened.writer().try_reserve(RecordKind::kLog, 1);
  EXPECT_FALSE(opened.writer().try_reserve(RecordKind::kSpan, 1));
  EXPECT_EQ(ring.slot_drops(0, DropCause::kNested, Signal::kTraces), 1U);
  *first.payload().data() = std::byte{'a'};
  *second.payload().data() = std::byte{'b'};
  EXPECT_TRUE(std::move(first).commit());
  EXPECT_TRUE(std::move(second).commit());
  EXPECT_TRUE(emit(opened, "c"));
  auto found = content_of(ring);
  std::sort(found.begin(), found.end());
  EXPECT_EQ(found, (std::vector<std::string>{"a", "b", "c"}));
}

TEST(SlotProcesses, IsTheParentsAfterAFork) {
  const TestRing ring;
  const Ring opened = ring.open();
  auto slot = opened.writer().try_reserve(RecordKind::kLog, 6);
  std::memcpy(slot.payload().data(), "parent", 6);
  EXPECT_EQ(test::in_child([&] {
              std::memcpy(slot.payload().data(), "child!", 6);
              if (std::move(slot).commit()) return 1;
              return emit(opened, "child") ? 0 : 2;
            }),
            0);
  EXPECT_TRUE(std::move(slot).commit());
  auto found = content_of(ring);
  std::sort(found.begin(), found.end());
  EXPECT_EQ(found, (std::vector<std::string>{"child", "parent"}));
  EXPECT_EQ(ring.header_drops(DropCause::kAfterFork), 1U);
}

TEST(SlotProcesses, IsTheParentsAlsoWhereTheRingsDescriptorWasClosedAndUsedForAnotherFile) {
  const TestRing ring;
  const Ring opened = ring.open();
  const int ring_fd = opened.core()->file().fd();
  const auto daemon = [&] {
    const int small = ::open((ring.folder() / "small").c_str(), O_RDWR | O_CREAT, 0600);
    if (::dup2(small, ring_fd) != ring_fd) return 1;
    auto slot = opened.writer().try_reserve(RecordKind::kLog, 6);
    std::memcpy(slot.payload().data(), "parent", 6);
    const int child = test::in_child([&] {
      std::memcpy(slot.payload().data(), "child!", 6);
      return std::move(slot).commit() ? 2 : 0;
    });
    return std::move(slot).commit() ? child : 3;
  };
  EXPECT_EQ(test::in_child(daemon), 0);
  EXPECT_EQ(content_of(ring), std::vector<std::string>{"parent"});
}

TEST(SlotProcesses, MayBeDroppedByAChild) {
  const TestRing ring;
  const Ring opened = ring.open();
  {
    auto slot = opened.writer().try_reserve(RecordKind::kLog, 1);
    EXPECT_EQ(test::in_child([&] {
                { const Slot dropped(std::move(slot)); }
                return emit(opened, "child") ? 0 : 1;
              }),
              0);
  }
  EXPECT_TRUE(emit(opened, "parent"));
  EXPECT_EQ(content_of(ring).size(), 2U);
}

/// A slot for whatever is left of this thread's block.
Slot rest_of(const Ring& ring, std::size_t least, ScopeId scope = {}, Ticks ticks = {}) {
  return ring.writer().reserve_rest(__builtin_frame_address(0), RecordKind::kLog, least, scope, ticks);
}

/// What the thread's block has room for, beside the record's header.
std::size_t left_in_block(const TestRing& ring) {
  return ring.file().geometry().block_bytes - ring.committed(0).offset_bytes() - sizeof(RecordHeader);
}

std::uint64_t drops(const TestRing& ring) {
  std::uint64_t sum = 0;
  for (std::size_t cause = 0; cause < kDropCauseCount; ++cause) {
    for (const Signal signal : {Signal::kLogs, Signal::kTraces, Signal::kMetrics}) {
      sum += ring.header_drops(static_cast<DropCause>(cause), signal);
      sum += ring.slot_drops(0, static_cast<DropCause>(cause), signal);
    }
  }
  return sum;
}

TEST(ReserveRest, GivesAllThatIsLeftOfTheBlock) {
  const TestRing ring;
  const Ring opened = ring.open();
  ASSERT_TRUE(emit(opened, "first"));
  for (const std::size_t used : {4U, 0U, 13U}) {
    const std::size_t left = left_in_block(ring);
    auto slot = rest_of(opened, 1);
    ASSERT_TRUE(slot);
    EXPECT_EQ(slot.payload().size(), left);
    std::memset(slot.payload().data(), 'u', left);  // all of it may be written to
    EXPECT_TRUE(std::move(slot).commit(used));
    EXPECT_EQ(left_in_block(ring), left - record_bytes(used)) << "and what was not used is still there";
  }
  ASSERT_TRUE(emit(opened, "last"));
  EXPECT_EQ(content_of(ring), (std::vector<std::string>{"first", "uuuu", "", std::string(13, 'u'), "last"}));
}

TEST(ReserveRest, FillsTheBlockToItsLastByte) {
  const TestRing ring;
  const Ring opened = ring.open();
  ASSERT_TRUE(emit(opened, "first"));
  const std::vector<std::byte> next_block(ring.file().block(1), ring.file().block(2));
  const std::size_t left = left_in_block(ring);
  auto slot = rest_of(opened, left);
  ASSERT_TRUE(slot);
  ASSERT_EQ(slot.payload().size(), left);
  std::memset(slot.payload().data(), 'x', left);
  EXPECT_TRUE(std::move(slot).commit());
  EXPECT_EQ(ring.committed(0).offset_bytes(), ring.file().geometry().block_bytes);
  EXPECT_TRUE(std::equal(next_block.begin(), next_block.end(), ring.file().block(1)));
  EXPECT_FALSE(rest_of(opened, 0));
  ASSERT_TRUE(emit(opened, "next"));
  EXPECT_EQ(content_of(ring), (std::vector<std::string>{"first", std::string(left, 'x'), "next"}));
}

TEST(ReserveRest, IsEmptyWhereLessIsLeftThanAskedForAndCountsNothing) {
  const TestRing ring;
  const Ring opened = ring.open();
  ASSERT_TRUE(emit(opened, "first"));
  const std::uint64_t committed = ring.descriptor(0).committed.load();
  const std::uint64_t state = ring.descriptor(0).state.load();
  for (const std::size_t least : {left_in_block(ring) + 1, std::size_t{1} << 20U, ~std::size_t{0}}) {
    EXPECT_FALSE(rest_of(opened, least)) << least;
  }
  EXPECT_EQ(ring.descriptor(0).committed.load(), committed);
  EXPECT_EQ(ring.descriptor(0).state.load(), state) << "the block is still this thread's";
  EXPECT_EQ(drops(ring), 0U);
  ASSERT_TRUE(emit(opened, "second")) << "and nobody is left inside";
  EXPECT_EQ(content_of(ring), (std::vector<std::string>{"first", "second"}));
}

TEST(ReserveRest, CountsNothingWhenItIsAbandoned) {
  const TestRing ring;
  const Ring opened = ring.open();
  ASSERT_TRUE(emit(opened, "first"));
  const std::uint64_t committed = ring.descriptor(0).committed.load();
  auto slot = rest_of(opened, 1);
  ASSERT_TRUE(slot);
  std::memset(slot.payload().data(), 'x', slot.payload().size());
  slot.abandon();
  EXPECT_FALSE(slot);
  slot.abandon();  // once more does no harm
  EXPECT_EQ(ring.descriptor(0).committed.load(), committed);
  EXPECT_EQ(drops(ring), 0U);
  auto other = opened.writer().try_reserve(RecordKind::kLog, 5);  // the level is free again
  ASSERT_TRUE(other);
  std::memcpy(other.payload().data(), "other", 5);
  EXPECT_TRUE(std::move(other).commit());
  EXPECT_EQ(content_of(ring), (std::vector<std::string>{"first", "other"}));
}

TEST(ReserveRest, IsEmptyBeforeTheThreadsFirstRecordAndRegistersNobody) {
  const TestRing ring;
  const Ring opened = ring.open();
  EXPECT_FALSE(rest_of(opened, 1));
  EXPECT_EQ(ring.slot(0).claim.load(), 0U);
  EXPECT_EQ(ring.blocks_in(BlockState::kFree), 4U);
  EXPECT_EQ(drops(ring), 0U);
}

TEST(ReserveRest, IsEmptyForAnotherSignalAScopeOrTicksThatTheBlockDoesNotKnow) {
  const TestRing ring;
  const Ring opened = ring.open();
  const ScopeId scope = opened.scope({"scope"});
  ASSERT_TRUE(emit(opened, "first"));
  EXPECT_FALSE(opened.writer().reserve_rest(__builtin_frame_address(0), RecordKind::kSpan, 1));
  EXPECT_FALSE(rest_of(opened, 1, scope));
  EXPECT_FALSE(rest_of(opened, 1, {}, {.value = 5, .fields = 1}));
  EXPECT_EQ(drops(ring), 0U);
  ASSERT_TRUE(emit(opened, "second", RecordKind::kLog, scope));
  EXPECT_TRUE(rest_of(opened, 1, scope)) << "it is declared now";
  EXPECT_EQ(ring.blocks_in(BlockState::kOpen), 1U);
}

TEST(ReserveRest, IsEmptyWhileTheThreadHasASlotOpenAndCountsNoNesting) {
  const TestRing ring;
  const Ring opened = ring.open();
  auto slot = opened.writer().try_reserve(RecordKind::kLog, 5);
  EXPECT_FALSE(rest_of(opened, 1));
  EXPECT_EQ(drops(ring), 0U);
  std::memcpy(slot.payload().data(), "outer", 5);
  EXPECT_TRUE(std::move(slot).commit());
  EXPECT_TRUE(rest_of(opened, 1));
  EXPECT_EQ(content_of(ring), std::vector<std::string>{"outer"});
}

TEST(ReserveRestProcesses, IsEmptyInAForkedChildUntilItHasABlockOfItsOwn) {
  const TestRing ring;
  const Ring opened = ring.open();
  ASSERT_TRUE(emit(opened, "parent"));
  const std::uint64_t committed = ring.descriptor(0).committed.load();
  EXPECT_EQ(test::in_child([&] {
              if (rest_of(opened, 1)) return 1;
              if (!emit(opened, "child")) return 2;
              return rest_of(opened, 1) ? 0 : 3;
            }),
            0);
  EXPECT_EQ(ring.descriptor(0).committed.load(), committed);
  EXPECT_EQ(drops(ring), 0U);
}

Slot least_of(const Ring& ring, std::size_t least, RecordKind kind = RecordKind::kLog, ScopeId scope = {}) {
  return ring.writer().reserve_least(__builtin_frame_address(0), kind, least, scope);
}

TEST(ReserveLeast, RegistersAndClaimsAndDeclaresAsItIsNeeded) {
  const TestRing ring;
  const Ring opened = ring.open();
  const ScopeId scope = opened.scope({"scope"});
  for (const RecordKind kind : {RecordKind::kLog, RecordKind::kSpan}) {
    auto slot = least_of(opened, 10, kind, scope);
    ASSERT_TRUE(slot);
    EXPECT_GE(slot.payload().size(), 10U);
    std::memcpy(slot.payload().data(), "0123456789", 10);
    EXPECT_TRUE(std::move(slot).commit(10));
  }
  EXPECT_EQ(ring.blocks_in(BlockState::kOpen), 2U);
  EXPECT_EQ(drops(ring), 0U);
}

TEST(ReserveLeast, GoesOnInAnotherBlockWhereTooLittleIsLeft) {
  const TestRing ring;
  const Ring opened = ring.open();
  ASSERT_TRUE(emit(opened, "first"));
  const std::size_t left = left_in_block(ring);
  EXPECT_TRUE(least_of(opened, left)) << "and abandoned";
  EXPECT_EQ(ring.state(0).state, BlockState::kOpen);
  auto slot = least_of(opened, left + 1);
  ASSERT_TRUE(slot);
  EXPECT_TRUE(std::move(slot).commit(0));
  EXPECT_EQ(ring.state(0).state, BlockState::kSealed);
  EXPECT_EQ(ring.state(1).state, BlockState::kOpen);
}

TEST(ReserveLeast, ClaimsNoRunAndCountsNothingThatItCannotDo) {
  const TestRing ring;
  const Ring opened = ring.open();
  const std::uint32_t block = ring.file().geometry().block_bytes;
  for (const std::size_t least : {std::size_t{block}, std::size_t{block} + 1, ~std::size_t{0}})
    EXPECT_FALSE(least_of(opened, least)) << least;
  EXPECT_EQ(ring.blocks_in(BlockState::kFree), 4U);
  auto slot = opened.writer().try_reserve(RecordKind::kLog, 5);
  auto handlers = opened.writer().try_reserve(RecordKind::kLog, 5);
  EXPECT_FALSE(least_of(opened, 1)) << "every level is taken";
  handlers.abandon();
  slot.abandon();
  EXPECT_EQ(drops(ring), 0U);
  EXPECT_TRUE(least_of(opened, 1));
}

TEST(ReserveLeast, NeverWaitsForRoom) {
  const TestRing ring({.blocks = 4});
  ring.header().on_full.store(static_cast<std::uint32_t>(FullPolicy::kBlock));
  ring.header().block_timeout_us.store(60'000'000);
  for (std::uint32_t i = 0; i < 4; ++i) test::seal_with(ring, i, {"x"});
  EXPECT_FALSE(least_of(ring.open(), 1));
  EXPECT_EQ(drops(ring), 0U);
}

TEST(SlotProcesses, ThatTakesTheRestIsTheParentsAfterAFork) {
  const TestRing ring;
  const Ring opened = ring.open();
  ASSERT_TRUE(emit(opened, "first"));
  auto slot = rest_of(opened, 6);
  std::memcpy(slot.payload().data(), "parent", 6);
  EXPECT_EQ(test::in_child([&] {
              std::memset(slot.payload().data(), '!', slot.payload().size());
              return std::move(slot).commit(6) ? 1 : 0;
            }),
            0);
  EXPECT_TRUE(std::move(slot).commit(6));
  EXPECT_EQ(content_of(ring), (std::vector<std::string>{"first", "parent"}));
  EXPECT_EQ(ring.header_drops(DropCause::kAfterFork), 1U);
}

TEST(WriterThreads, WriteSideBySide) {
  const TestRing ring({.blocks = 64, .writers = 8});
  const Ring opened = ring.open();
  std::vector<std::thread> threads;
  for (int t = 0; t < 8; ++t) {
    threads.emplace_back([&opened, t] {
      for (int i = 0; i < 200; ++i) ASSERT_TRUE(emit(opened, std::to_string(t * 1000 + i)));
    });
  }
  for (std::thread& thread : threads) thread.join();
  std::vector<int> last(8, -1);
  std::size_t found = 0;
  for (const std::string& text : content_of(ring)) {
    const int number = std::stoi(text);
    EXPECT_GT(number % 1000, last[static_cast<std::size_t>(number / 1000)]);  // in each thread's order
    last[static_cast<std::size_t>(number / 1000)] = number % 1000;
    ++found;
  }
  EXPECT_EQ(found, 1600U);
}

}  // namespace
}  // namespace shmring
