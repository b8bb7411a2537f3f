// SPDX-License-Identifier: Apache-2.0
// Runs of blocks (R10) where their owner lives on, and so nobody mends after it.
#include <algorithm>
#include <optional>

#include "libshmring/claim.hpp"
#include "tests/crash/stage.hpp"
#include "tests/libshmring/ring_test_support.hpp"
#include "tests/mutations/trap_flag.hpp"

namespace shmring {
namespace {

using testing::EnteringFlusher;
using testing::Ledger;
using testing::Stage;

std::uint32_t blocks_in(const RingFile& ring, BlockState wanted) {
  const auto descriptors = ring.descriptors();
  return static_cast<std::uint32_t>(
      std::count_if(descriptors.begin(), descriptors.end(), [wanted](const BlockDescriptor& each) {
        return StateWord::unpack(each.state.load()).state == wanted;
      }));
}

TEST(LivingOwnersRun, ComesBackWhereverTheFlusherThatRecyclesItDies) {
  Stage stage;
  // As many blocks as were reserved, though the record turns out to be small.
  stage.somebody_alive_after([&] {
    const std::uint32_t id = stage.ledger().issue();
    const std::vector<std::byte> payload = testing::payload_of(id);
    Slot slot = stage.ring().writer().try_reserve(RecordKind::kLog, 13000);
    if (slot) std::memcpy(slot.payload().data(), payload.data(), payload.size());
    stage.ledger().settle(id, slot && std::move(slot).commit(payload.size()));
  });
  ASSERT_EQ(blocks_in(stage.file(), BlockState::kCont), 3U);
  std::optional<EnteringFlusher<Ledger>> flusher;  // the tracee's
  const auto drained = [&] {
    flusher.emplace(stage.file(), stage.ledger());
    flusher->drain();
  };
  testing::expect_survived(stage, {.prepare = drained, .work = [&] { flusher->acknowledge(); }}, 20);
  EXPECT_EQ(blocks_in(stage.file(), BlockState::kCont), 0U);
}

/// A small ring whose first thread is stepped while it claims a run; once it has the head, somebody else has a neighbour.
struct Race {
  const test::TestRing ring{{.blocks = 8}};
  bool is_lost = false;
};
Race* race = nullptr;

void take_a_neighbour_of_the_head() {
  if (race->is_lost || race->ring.state(0).state != BlockState::kOpen) return;
  race->is_lost = true;
  race->ring.descriptor(2).state.store(StateWord{.state = BlockState::kSealed}.pack());
}

TEST(RunInTheWay, OfSomebodyWhoIsFasterLeavesNothingBehind) {
  Race here;
  race = &here;
  const Ring opened = here.ring.open();
  ASSERT_TRUE(opened.prepare_thread());
  bool emitted = true;
  {
    test::TrapFlag trap;
    const std::string text(9000, 'x');  // three blocks
    trap.step_through([&] { emitted = test::emit(opened, std::string_view(text)); },
                      &take_a_neighbour_of_the_head);
  }
  race = nullptr;
  EXPECT_TRUE(here.is_lost);
  EXPECT_TRUE(emitted);  // further right
  EXPECT_EQ(blocks_in(here.ring.file(), BlockState::kSealed), 2U);
  EXPECT_EQ(blocks_in(here.ring.file(), BlockState::kCont), 2U);
  EXPECT_EQ(blocks_in(here.ring.file(), BlockState::kFree), 4U);
}

}  // namespace
}  // namespace shmring
