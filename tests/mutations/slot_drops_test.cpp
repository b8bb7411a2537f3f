// SPDX-License-Identifier: Apache-2.0
// Drop counters belong to the slot, not to who holds it; threads without a slot share the header's (R17).
#include <thread>
#include <vector>

#include "libshmring/ring_core.hpp"
#include "tests/libshmring/ring_test_support.hpp"

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

TEST(HeaderDrops, OfManyThreadsAtOnceAreAllCounted) {
  constexpr std::uint64_t kEach = 300'000;
  const TestRing ring;
  RingCore& core = *ring.open().core();
  std::vector<std::thread> threads;
  for (int n = 0; n < 4; ++n) {
    threads.emplace_back([&] {
      for (std::uint64_t drop = 0; drop < kEach; ++drop)
        count_drop(core, nullptr, Signal::kLogs, DropCause::kNoWriterSlot, Tell::kNo);
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(ring.header_drops(DropCause::kNoWriterSlot), 4 * kEach);
}

}  // namespace
}  // namespace shmring
