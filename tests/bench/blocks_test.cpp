// SPDX-License-Identifier: Apache-2.0
// Rings of other shapes: what is told of a full block adds up, the smallest ring there is can be measured, and sleepers are counted.
#include <gtest/gtest.h>

#include <string>

#include "bench/blocks/ring_costs.hpp"

namespace shmring::bench {
namespace {

const RunOptions kOneVisit{.repetitions = 1, .visit = std::chrono::milliseconds(1), .visit_stamped = {}};

TEST(RingCosts, AFullBlockIsRecordsContextAndRest) {
  const auto costs = measure_ring({.capacity_bytes = 1U << 20U, .block_bytes = 16U << 10U}, kOneVisit);
  ASSERT_TRUE(costs) << costs.error().message;
  const FullBlock& full = costs->of_log_records;
  EXPECT_EQ(full.records * record_bytes(kRecordBytes) + full.context_bytes + full.unused_bytes, 16U << 10U);
  EXPECT_GT(full.context_bytes, 0U);
  EXPECT_LT(full.unused_bytes, record_bytes(kRecordBytes));
}

TEST(RingCosts, BothWaysOfDrainingAreMeasuredWhereThreeQuartersAreThreeBlocks) {
  const auto costs = measure_ring({.capacity_bytes = 1U << 20U, .block_bytes = 256U << 10U}, kOneVisit);
  ASSERT_TRUE(costs) << costs.error().message;
  ASSERT_EQ(costs->costs.size(), 4U);
  for (const CostOfRecord& cost : costs->costs) {
    EXPECT_EQ(cost.result.id(), std::string(cost.name) + "_" + cost.drained);
    EXPECT_EQ(cost.result.ns.size(), 1U);
  }
  EXPECT_EQ(costs->costs[0].result.about.batch, costs->of_log_records.records);
  EXPECT_EQ(costs->costs[1].result.about.batch, 3 * costs->of_log_records.records);
}

TEST(RingCosts, EverySleeperHasABlockWhereThereAreEnough) {
  const auto costs = measure_ring({.capacity_bytes = 1U << 20U, .block_bytes = kMinBlockBytes}, kOneVisit);
  ASSERT_TRUE(costs) << costs.error().message;
  EXPECT_EQ(costs->sleepers.refused, 0U);
  EXPECT_GE(costs->sleepers.blocks, std::uint32_t{kSleepers});
}

TEST(RingCosts, ARingThatCannotBeIsAnError) {
  EXPECT_FALSE(measure_ring({.capacity_bytes = 1U << 20U, .block_bytes = 512U << 10U}, kOneVisit));
}

}  // namespace
}  // namespace shmring::bench
