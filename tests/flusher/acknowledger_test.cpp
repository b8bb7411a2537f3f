// SPDX-License-Identifier: Apache-2.0
#include "flusher/acknowledger.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace shmring::flusher {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

SliceKey key(std::uint32_t block, std::uint32_t begin, std::uint32_t generation = 1) {
  return {.block = block,
          .block_generation = generation,
          .begin = begin,
          .end = begin + 8,
          .begin_count = begin,
          .end_count = begin + 1};
}

struct Acknowledgements {
  std::vector<std::pair<std::uint32_t, std::uint32_t>> acknowledged;  // block, begin
  Reader::Acknowledged answer = Reader::Acknowledged::kDone;
  Acknowledger acknowledger{[this](const SliceKey& k, const OutcomeCounts&) {
    if (answer == Reader::Acknowledged::kDone) acknowledged.emplace_back(k.block, k.begin);
    return answer;
  }};
};

using At = std::pair<std::uint32_t, std::uint32_t>;

TEST(Acknowledger, KeepsTheOrderOfABlockWhateverTheOrderOfOutcomes) {
  Acknowledgements ring;
  for (const std::uint32_t begin : {0U, 8U, 16U}) ring.acknowledger.expect(key(1, begin));
  ring.acknowledger.settle(key(1, 16), {});
  ring.acknowledger.settle(key(1, 8), {});
  EXPECT_THAT(ring.acknowledged, IsEmpty());
  ring.acknowledger.settle(key(1, 0), {});
  EXPECT_THAT(ring.acknowledged, ElementsAre(At{1, 0}, At{1, 8}, At{1, 16}));
  EXPECT_EQ(ring.acknowledger.open_pieces(), 0U);
}

TEST(Acknowledger, OneBlockDoesNotWaitForAnother) {
  Acknowledgements ring;
  ring.acknowledger.expect(key(1, 0));
  ring.acknowledger.expect(key(2, 0));
  ring.acknowledger.settle(key(2, 0), {});
  EXPECT_THAT(ring.acknowledged, ElementsAre(At{2, 0}));
  EXPECT_EQ(ring.acknowledger.open_pieces(), 1U);
}

TEST(Acknowledger, ASupersededBlockIsForgottenWhole) {
  Acknowledgements ring;
  ring.acknowledger.expect(key(1, 0));
  ring.acknowledger.expect(key(1, 8));
  ring.answer = Reader::Acknowledged::kSuperseded;
  ring.acknowledger.settle(key(1, 0), {});
  EXPECT_EQ(ring.acknowledger.superseded(), 2U);
  EXPECT_EQ(ring.acknowledger.open_pieces(), 0U);
  ring.answer = Reader::Acknowledged::kDone;
  ring.acknowledger.settle(key(1, 8), {});  // comes late, means nothing
  EXPECT_THAT(ring.acknowledged, IsEmpty());
}

TEST(Acknowledger, ALateOutcomeOfAnEarlierLifeMeansNothing) {
  Acknowledgements ring;
  ring.acknowledger.expect(key(1, 0, 1));
  ring.answer = Reader::Acknowledged::kSuperseded;
  ring.acknowledger.expect(key(1, 8, 1));
  ring.acknowledger.settle(key(1, 0, 1), {});
  ring.answer = Reader::Acknowledged::kDone;
  ring.acknowledger.expect(key(1, 8, 2));
  ring.acknowledger.settle(key(1, 8, 1), {});
  EXPECT_THAT(ring.acknowledged, IsEmpty());
  ring.acknowledger.settle(key(1, 8, 2), {});
  EXPECT_THAT(ring.acknowledged, ElementsAre(At{1, 8}));
}

}  // namespace
}  // namespace shmring::flusher
