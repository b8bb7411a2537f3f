// SPDX-License-Identifier: Apache-2.0
// Drop counters belong to the slot, not to who holds it; threads without a slot share the header's (R17).
#include <atomic>
#include <thread>

#include "libshmring/ring_core.hpp"
#include "tests/libshmring/ring_test_support.hpp"
#include "tests/mutations/trap_flag.hpp"

namespace shmring {
namespace {

using test::TestRing;

TEST(SlotDrops, OutliveTheirHolder) {
  const TestRing ring;
  const Ring opened = ring.open();
  for (BlockDescriptor& each : ring.file().descriptors())
    each.state.store(StateWord{.state = BlockState::kSealed}.pack());
  for (std::uint32_t holder = 1; holder <= 3; ++holder) {
    std::thread([&] { EXPECT_FALSE(test::emit(opened, "no room")); }).join();
    EXPECT_EQ(ClaimWord::unpack(ring.slot(0).claim.load()).generation, holder);
    EXPECT_EQ(ring.slot_drops(0, DropCause::kRingFull), holder);
  }
}

std::atomic<std::uint64_t>* counter = nullptr;
std::uint64_t others = 0;

void another_thread_drops_one() {
  counter->fetch_add(1);
  ++others;
}

TEST(HeaderDrops, OfAnotherThreadAreCountedAfterEachInstructionOfOnes) {
  const TestRing ring;
  RingCore& core = *ring.open().core();
  counter = &core.header().dropped[static_cast<std::size_t>(Signal::kLogs)]
                                  [static_cast<std::size_t>(DropCause::kNoWriterSlot)];
  {
    test::TrapFlag trap;
    trap.step_through([&] { count_drop(core, nullptr, Signal::kLogs, DropCause::kNoWriterSlot, Tell::kNo); },
                      &another_thread_drops_one);
  }
  EXPECT_GT(others, 5U);
  EXPECT_EQ(ring.header_drops(DropCause::kNoWriterSlot), others + 1);
}

}  // namespace
}  // namespace shmring
