// SPDX-License-Identifier: Apache-2.0
// FAULTS: positions, tickets, generations near their wrap. All counters of a ring start just below theirs, and producers of
// many lives, evictions of many blocks and flushers of many leases carry them over.
#include <gtest/gtest.h>

#include "tests/support/child.hpp"
#include "tests/support/promise.hpp"

namespace shmring::testing {
namespace {

constexpr std::uint32_t kBeforeWrap = 3;  // lives, leases, records

void start_near_wrap(const RingFile& file) {
  const std::uint32_t generation = StateWord::kGenerationMask - kBeforeWrap;
  const std::uint64_t count = kCountMask - kBeforeWrap;
  RingHeader& header = file.header();
  header.ticket.store(~std::uint64_t{0} - kBeforeWrap);
  header.freed.store(~0U - kBeforeWrap);
  // 5 bits of it are in `exported`, 16 in the outcome cells: both wrap at once.
  header.epoch.store(0x1'0000U - kBeforeWrap);
  for (WriterSlot& slot : file.slots()) slot.claim.store(ClaimWord{.generation = generation}.pack());
  for (BlockDescriptor& descriptor : file.descriptors()) {
    descriptor.state.store(StateWord{.block_generation = generation}.pack());
    descriptor.committed.store(CommittedWord::of(0, 63 - kBeforeWrap, count).word);
    descriptor.exported.store(ExportedWord{.epoch = 31 - kBeforeWrap, .count = count}.pack());
    descriptor.outcomes[0][0][static_cast<std::size_t>(Outcome::kAccepted)].store(
        OutcomeCell{.records = count, .epoch = static_cast<std::uint16_t>(0x1'0000U - kBeforeWrap - 1)}
            .pack());
  }
}

TEST(FaultRingWraps, PositionsTicketsGenerationsAndEpochsNearTheirWrapLoseNothing) {
  Promise promise({.blocks = 8, .block_bytes = 4096, .writers = 4});
  start_near_wrap(promise.file());
  ASSERT_EQ(promise.accounting().closing, Closing::kCloses) << "the scene is no sound ring";
  const Logger logger = promise.scratch().open().logger("test");
  std::uint32_t committed = 0;
  for (std::uint32_t lease = 0; lease < 3 * kBeforeWrap; ++lease) {
    Drainer drainer(promise.file());
    for (std::uint32_t life = 0; life < 3 * kBeforeWrap; ++life) {
      const Ended ended = in_child([&] {
        // Enough for some blocks to be sealed, few enough to fit.
        return emit_many(logger, promise.obligations(), 25) == 25 ? 0 : 1;
      });
      ASSERT_TRUE(ended.with(0)) << ended.text();
      committed += 25;
      drainer.empty(promise.deliveries());
    }
    EXPECT_EQ(drainer.superseded(), 0U);
  }
  ASSERT_EQ(promise.obligations().count(), committed);
  EXPECT_EQ(promise.deliveries().duplicates(), 0U);
  promise.expect_complete();
  EXPECT_EQ(promise.accounting().closing, Closing::kCloses);
  EXPECT_EQ(damage_in(promise.file()), "");
  // The fault happened: all of them are past their wrap.
  EXPECT_LT(promise.file().header().ticket.load(), 1U << 20U);
  EXPECT_GT(promise.file().header().epoch.load(), 0x1'0000U);
  EXPECT_LT(ClaimWord::unpack(promise.file().slots()[0].claim.load()).generation, 1U << 10U);
  std::uint32_t wrapped = 0;
  for (const BlockDescriptor& descriptor : promise.file().descriptors()) {
    const bool count = CommittedWord{descriptor.committed.load()}.count() < 1U << 20U;
    const bool life = StateWord::unpack(descriptor.state.load()).block_generation < 1U << 10U;
    wrapped += count && life ? 1 : 0;
  }
  EXPECT_GT(wrapped, 0U);
}

}  // namespace
}  // namespace shmring::testing
