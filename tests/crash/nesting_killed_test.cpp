// SPDX-License-Identifier: Apache-2.0
// FAULTS: killed at every instruction of an emit that interrupts another, and of looking after a block that an emit torn out by
// longjmp forgot (R20).
#include <gtest/gtest.h>

#include "libshmring/claim.hpp"
#include "tests/crash/stage.hpp"

namespace shmring::testing {
namespace {

class NestedEmitKilledAtEveryInstruction : public ::testing::Test {
 protected:
  Stage stage;

  void registered() { static_cast<void>(stage.ring().prepare_thread()); }
  /// With a slot open, as a handler finds it.
  void emit_inside(std::uint32_t records) {
    const Slot slot = stage.ring().writer().try_reserve(RecordKind::kLog, 64);
    stage.emit(records);
  }
  /// As an emit leaves things that is torn out after it has won a block, and before the block is in its list.
  void forget_a_block() {
    WriterState& state = *this_thread_writers;
    state.levels[0].claiming.store(true);
    static_cast<void>(claim_block(*stage.ring().core(), state, {.signal = Signal::kTraces, .bytes = 100}));
  }
};

TEST_F(NestedEmitKilledAtEveryInstruction, OfClaimingABlockOfItsOwn) {
  expect_survived(stage, {.prepare = [&] { registered(); }, .work = [&] { emit_inside(1); }}, 30);
}

TEST_F(NestedEmitKilledAtEveryInstruction, OfWritingToIt) {
  expect_survived(stage, {.prepare = [&] { emit_inside(1); }, .work = [&] { emit_inside(3); }}, 20);
}

TEST_F(NestedEmitKilledAtEveryInstruction, OfSealingWhatAnEarlierOneForgot) {
  const auto forgotten = [&] {
    stage.emit(1);
    forget_a_block();
  };
  const auto claim_again = [&] { stage.emit(18); };
  expect_survived(stage, {.prepare = forgotten, .work = claim_again}, 60);
  std::uint32_t of_traces = 0;
  for (const BlockDescriptor& descriptor : stage.file().descriptors()) {
    const StateWord state = StateWord::unpack(descriptor.state.load());
    if (state.state == BlockState::kFree || state.signal != Signal::kTraces) continue;
    ++of_traces;
    EXPECT_EQ(state.state, BlockState::kSealed);
  }
  EXPECT_EQ(of_traces, 1U);
}

}  // namespace
}  // namespace shmring::testing
