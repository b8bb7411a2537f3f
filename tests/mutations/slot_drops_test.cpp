// SPDX-License-Identifier: Apache-2.0
// Drop counters belong to the slot, not to who holds it (R17).
#include <thread>

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

}  // namespace
}  // namespace shmring
