// SPDX-License-Identifier: Apache-2.0
// The words of the ring: every field at its maximum, alone and together.
#include "shmring/layout.hpp"

#include <gtest/gtest.h>

namespace shmring {
namespace {

constexpr std::uint32_t kGeneration = StateWord::kGenerationMask;

TEST(StateWord, IsZeroForAFreshBlock) {
  EXPECT_EQ(StateWord{}.pack(), 0U);
  EXPECT_EQ(StateWord::unpack(0).state, BlockState::kFree);
}

TEST(StateWord, KeepsEachFieldApartFromTheOthers) {
  EXPECT_EQ((StateWord{.state = static_cast<BlockState>(7)}.pack()), 0x7U);
  EXPECT_EQ((StateWord{.pin = static_cast<Pin>(3)}.pack()), 0x18U);
  EXPECT_EQ((StateWord{.signal = static_cast<Signal>(7)}.pack()), 0xE0U);
  EXPECT_EQ((StateWord{.writer = 0xFFFF}.pack()), 0xFFFF00U);
  EXPECT_EQ((StateWord{.writer_generation = kGeneration}.pack()), 0xFFFFF000000U);
  EXPECT_EQ((StateWord{.block_generation = kGeneration}.pack()), 0xFFFFF00000000000U);
}

TEST(StateWord, ComesBackWithAllFieldsAtTheirMaxima) {
  const StateWord full{.state = BlockState::kEvict,
                       .pin = static_cast<Pin>(3),
                       .signal = Signal::kMetrics,
                       .writer = 0xFFFF,
                       .writer_generation = kGeneration,
                       .block_generation = kGeneration};
  const StateWord back = StateWord::unpack(full.pack());
  EXPECT_EQ(back.state, full.state);
  EXPECT_EQ(back.pin, full.pin);
  EXPECT_EQ(back.signal, full.signal);
  EXPECT_EQ(back.writer, full.writer);
  EXPECT_EQ(back.writer_generation, full.writer_generation);
  EXPECT_EQ(back.block_generation, full.block_generation);
}

TEST(StateWord, CutsAGenerationThatIsTooLarge) {
  EXPECT_EQ((StateWord{.writer_generation = kGeneration + 1, .block_generation = kGeneration + 1}.pack()),
            0U);
}

TEST(CommittedWord, CountsAndMovesInOneStep) {
  const CommittedWord word = CommittedWord{}.advanced(24, 1).advanced(4072, 2);
  EXPECT_EQ(word.offset_bytes(), 4096U);
  EXPECT_EQ(word.count(), 3U);
}

TEST(CommittedWord, HoldsTheLargestBlockAndTheLargestCount) {
  const CommittedWord word = CommittedWord{kCountMask << kCountShift}.advanced(kMaxBlockBytes, 0);
  EXPECT_EQ(word.offset_bytes(), kMaxBlockBytes);
  EXPECT_EQ(word.count(), kCountMask);
}

TEST(CommittedWord, WrapsItsCountWithoutTouchingTheOffset) {
  const CommittedWord word = CommittedWord{kCountMask << kCountShift}.advanced(16, 2);
  EXPECT_EQ(word.count(), 1U);
  EXPECT_EQ(word.offset_bytes(), 16U);
}

TEST(CommittedWord, ResetsTheOffsetKeepsTheCountAndBeginsAnotherLife) {
  const CommittedWord word = CommittedWord{}.advanced(64, 5).reset();
  EXPECT_EQ(word.offset_bytes(), 0U);
  EXPECT_EQ(word.count(), 5U);
  EXPECT_EQ(word.life(), 1U);
  EXPECT_EQ(word.advanced(kMaxBlockBytes, 1).life(), 1U);
}

TEST(CommittedWord, WrapsItsLifeWithoutTouchingTheRest) {
  const CommittedWord word = CommittedWord::of(64, 63, kCountMask).reset();
  EXPECT_EQ(word.offset_bytes(), 0U);
  EXPECT_EQ(word.life(), 0U);
  EXPECT_EQ(word.count(), kCountMask);
}

TEST(Pin, NamesTheLeaseAndDiffersFromItsNeighbours) {
  for (const std::uint64_t epoch :
       {std::uint64_t{1}, std::uint64_t{2}, std::uint64_t{3}, std::uint64_t{1} << 40U}) {
    EXPECT_NE(pin_of(epoch), Pin::kUnpinned);
    EXPECT_NE(pin_of(epoch), pin_of(epoch + 1));
    EXPECT_NE(pin_of(epoch), pin_of(epoch + 2));
    EXPECT_LE(static_cast<unsigned>(pin_of(epoch)), 3U);
  }
}

TEST(ExportedWord, KeepsEachFieldApartFromTheOthers) {
  EXPECT_EQ((ExportedWord{.offset_bytes = kMaxBlockBytes}.pack()), kMaxBlockBytes / 8);
  EXPECT_EQ((ExportedWord{.epoch = 31}.pack()), 31U << 18U);
  EXPECT_EQ((ExportedWord{.set = 1}.pack()), 1U << 23U);
  EXPECT_EQ((ExportedWord{.count = kCountMask}.pack()), kCountMask << 24U);
}

TEST(ExportedWord, ComesBackWithAllFieldsAtTheirMaxima) {
  const ExportedWord full{.offset_bytes = kMaxBlockBytes, .epoch = 31, .set = 1, .count = kCountMask};
  const ExportedWord back = ExportedWord::unpack(full.pack());
  EXPECT_EQ(back.offset_bytes, full.offset_bytes);
  EXPECT_EQ(back.epoch, full.epoch);
  EXPECT_EQ(back.set, full.set);
  EXPECT_EQ(back.count, full.count);
}

TEST(ExportedWord, CutsEpochAndCountToTheirFields) {
  EXPECT_EQ(ExportedWord::unpack(ExportedWord{.epoch = 33}.pack()).epoch, 1U);
  EXPECT_EQ(ExportedWord::unpack(ExportedWord{.count = kCountMask + 3}.pack()).count, 2U);
}

TEST(OutcomeCell, ComesBackWithAllFieldsAtTheirMaxima) {
  const OutcomeCell full{.records = OutcomeCell::kRecordsMask, .epoch = 0xFFFF};
  EXPECT_EQ(full.pack(), ~std::uint64_t{0});
  EXPECT_EQ(OutcomeCell::unpack(full.pack()).records, full.records);
  EXPECT_EQ(OutcomeCell::unpack(full.pack()).epoch, full.epoch);
}

TEST(ClaimWord, KeepsEachFieldApartFromTheOthers) {
  EXPECT_EQ((ClaimWord{.generation = kGeneration}.pack()), 0xFFFFFU);
  EXPECT_EQ((ClaimWord{.phase = static_cast<SlotPhase>(3)}.pack()), 0x300000U);
  EXPECT_EQ((ClaimWord{.tid = 0x3FFFFF}.pack()), 0xFFFFFC00000U);
  EXPECT_EQ((ClaimWord{.namespace_tag = 0xFFFFF}.pack()), 0xFFFFF00000000000U);
}

TEST(ClaimWord, ComesBackWithAllFieldsAtTheirMaxima) {
  const ClaimWord full{
      .generation = kGeneration, .phase = SlotPhase::kHeld, .tid = 0x3FFFFF, .namespace_tag = 0xFFFFF};
  const ClaimWord back = ClaimWord::unpack(full.pack());
  EXPECT_EQ(back.generation, full.generation);
  EXPECT_EQ(back.phase, full.phase);
  EXPECT_EQ(back.tid, full.tid);
  EXPECT_EQ(back.namespace_tag, full.namespace_tag);
}

TEST(RecordBytes, AreAHeaderAndAPaddedPayload) {
  EXPECT_EQ(record_bytes(0), 8U);
  EXPECT_EQ(record_bytes(1), 16U);
  EXPECT_EQ(record_bytes(8), 16U);
  EXPECT_EQ(record_bytes(9), 24U);
  EXPECT_EQ(record_bytes(0xFFFFFFFFU), 0x100000008U);
}

TEST(RecordKind, MapsToItsSignalAndBack) {
  EXPECT_EQ(signal_of(RecordKind::kLog), Signal::kLogs);
  EXPECT_EQ(signal_of(RecordKind::kSpan), Signal::kTraces);
  EXPECT_EQ(signal_of(RecordKind::kMetric), Signal::kMetrics);
  for (const Signal signal : {Signal::kLogs, Signal::kTraces, Signal::kMetrics}) {
    EXPECT_EQ(signal_of(kind_of(signal)), signal);
  }
}

}  // namespace
}  // namespace shmring
