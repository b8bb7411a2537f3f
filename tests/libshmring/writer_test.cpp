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

std::vector<std::string> content(const TestRing& ring) { return test::texts(test::Flusher(ring).drain()); }

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
  EXPECT_EQ(content(ring).size(), 5U);
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
  EXPECT_EQ(content(ring), (std::vector<std::string>{"used", "next"}));
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
  EXPECT_EQ(content(ring), (std::vector<std::string>{"a", "b"}));
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
  EXPECT_EQ(content(ring), std::vector<std::string>{"m"});
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
  auto found = content(ring);
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
  auto found = content(ring);
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
  EXPECT_EQ(content(ring), std::vector<std::string>{"parent"});
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
  EXPECT_EQ(content(ring).size(), 2U);
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
  for (const std::string& text : content(ring)) {
    const int number = std::stoi(text);
    EXPECT_GT(number % 1000, last[static_cast<std::size_t>(number / 1000)]);  // in each thread's order
    last[static_cast<std::size_t>(number / 1000)] = number % 1000;
    ++found;
  }
  EXPECT_EQ(found, 1600U);
}

}  // namespace
}  // namespace shmring
