// SPDX-License-Identifier: Apache-2.0
// Two sets of outcome counters: one is valid, the other is being filled.
#include "libshmring/outcomes.hpp"

#include <gtest/gtest.h>

#include <memory>

namespace shmring {
namespace {

constexpr auto kAcceptedCell = static_cast<std::size_t>(Outcome::kAccepted);
constexpr auto kInvalidCell = static_cast<std::size_t>(Outcome::kInvalid);

OutcomeCounts counts(std::uint64_t accepted, std::uint64_t invalid) {
  OutcomeCounts c{};
  c[kAcceptedCell] = accepted;
  c[kInvalidCell] = invalid;
  return c;
}

OutcomeCell cell(const BlockDescriptor& d, std::uint32_t set, Signal signal, std::size_t outcome) {
  return OutcomeCell::unpack(d.outcomes[set][static_cast<std::size_t>(signal)][outcome].load());
}

/// A header whose lease was taken `epoch` times, and a fresh descriptor.
struct Memory {
  explicit Memory(std::uint64_t epoch) { header->epoch.store(epoch); }
  bool fill(std::uint32_t valid_set, Signal signal, const OutcomeCounts& added, std::uint64_t epoch) const {
    return fill_other_set(*header, *descriptor, {.set = valid_set}, signal, added, epoch);
  }
  std::uint64_t sum(std::uint32_t set) const { return sum_of_set(*descriptor, set); }

  std::unique_ptr<RingHeader> header = std::make_unique<RingHeader>();
  std::unique_ptr<BlockDescriptor> descriptor = std::make_unique<BlockDescriptor>();
};

TEST(OutcomeSets, CarryTheTotalsOverAndAddToOneSignal) {
  const Memory m(7);
  ASSERT_TRUE(m.fill(0, Signal::kLogs, counts(3, 1), 7));
  EXPECT_EQ(m.sum(0), 0U);
  EXPECT_EQ(m.sum(1), 4U);
  ASSERT_TRUE(m.fill(1, Signal::kTraces, counts(2, 0), 7));
  EXPECT_EQ(m.sum(0), 6U);
  EXPECT_EQ(cell(*m.descriptor, 0, Signal::kLogs, kAcceptedCell).records, 3U);
  EXPECT_EQ(cell(*m.descriptor, 0, Signal::kLogs, kInvalidCell).records, 1U);
  EXPECT_EQ(cell(*m.descriptor, 0, Signal::kTraces, kAcceptedCell).records, 2U);
  EXPECT_EQ(cell(*m.descriptor, 0, Signal::kMetrics, kAcceptedCell).epoch, 7U);
}

TEST(OutcomeSets, ForgetAFillingThatNeverBecameValid) {
  const Memory m(2);
  ASSERT_TRUE(m.fill(0, Signal::kLogs, counts(100, 0), 1));  // its flusher died here
  ASSERT_TRUE(m.fill(0, Signal::kLogs, counts(3, 1), 2));
  EXPECT_EQ(m.sum(1), 4U);
}

TEST(OutcomeSets, RefuseAnEarlierFlusher) {
  const Memory m(8);
  ASSERT_TRUE(m.fill(0, Signal::kLogs, counts(3, 0), 8));
  EXPECT_FALSE(m.fill(0, Signal::kLogs, counts(5, 0), 7));
  EXPECT_EQ(m.sum(1), 3U);
}

TEST(OutcomeSets, CompareEpochsAsACircle) {
  const Memory m(0xFFFF);
  ASSERT_TRUE(m.fill(0, Signal::kLogs, counts(3, 0), 0xFFFF));
  m.header->epoch.store(0x10000);
  ASSERT_TRUE(m.fill(0, Signal::kLogs, counts(4, 0), 0x10000));
  EXPECT_FALSE(m.fill(0, Signal::kLogs, counts(5, 0), 0xFFFF));
  EXPECT_EQ(m.sum(1), 4U);
}

TEST(OutcomeSets, WriteOverATagThatNoFlusherEverHad) {
  const Memory m(8);
  m.descriptor->outcomes[1][2][3].store(OutcomeCell{.records = 77, .epoch = 9}.pack());
  ASSERT_TRUE(m.fill(0, Signal::kLogs, counts(3, 0), 8));
  EXPECT_EQ(m.sum(1), 3U);
}

TEST(OutcomeSets, AddUpModuloTheWidthOfTheCounters) {
  const auto d = std::make_unique<BlockDescriptor>();
  d->outcomes[0][0][kAcceptedCell].store(OutcomeCell{.records = kCountMask}.pack());
  d->outcomes[0][1][kInvalidCell].store(OutcomeCell{.records = 3}.pack());
  EXPECT_EQ(sum_of_set(*d, 0), 2U);
}

TEST(Fence, PutsTheEpochInAndKeepsTheRest) {
  const Memory m(32 + 4);
  m.descriptor->exported.store(ExportedWord{.offset_bytes = 64, .epoch = 3, .set = 1, .count = 9}.pack());
  const auto word = fence_exported(*m.header, *m.descriptor, 32 + 4);
  ASSERT_TRUE(word);
  EXPECT_EQ(*word, m.descriptor->exported.load());
  EXPECT_EQ(*word, (ExportedWord{.offset_bytes = 64, .epoch = 4, .set = 1, .count = 9}.pack()));
}

TEST(Fence, LeavesTheWordToALaterHolder) {
  const Memory m(5);
  const std::uint64_t before = ExportedWord{.epoch = 5, .count = 9}.pack();
  m.descriptor->exported.store(before);
  EXPECT_FALSE(fence_exported(*m.header, *m.descriptor, 4));
  EXPECT_EQ(m.descriptor->exported.load(), before);
}

}  // namespace
}  // namespace shmring
