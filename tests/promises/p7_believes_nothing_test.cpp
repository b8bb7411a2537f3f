// SPDX-License-Identifier: Apache-2.0
// P7: the flusher believes nothing that it reads from the ring. Garbage in a block costs its owner, and nobody else.
#include <gtest/gtest.h>

#include <cstdint>
#include <cstring>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "libshmring/snapshot.hpp"
#include "tests/support/child.hpp"
#include "tests/support/eventually.hpp"
#include "tests/support/promise.hpp"
#include "tests/support/scale.hpp"
#include "tests/support/splitmix.hpp"

namespace shmring::testing {
namespace {

/// A small ring with records in all states of a block, written by producers that have ended; it can be put back to that.
class Specimen {
 public:
  Specimen() : promise_({.blocks = 12, .writers = 8}) {
    const Ring ring = promise_.scratch().open();
    for (int round = 0; round < 4; ++round) {
      EXPECT_TRUE(in_child([&] {
                    return emit_many(ring.logger("test"), promise_.obligations(), 20) == 20 ? 0 : 1;
                  }).with(0));
      if (round != 0) continue;
      Deliveries first;
      Drainer(promise_.file())
          .empty(first);  // so that there are free blocks with counts, and exported stretches
      first_ = first.total();
    }
    good_.assign(promise_.file().base(), promise_.file().base() + promise_.file().geometry().file_bytes);
    peek_all(promise_.file(), [this](Slice&& slice) {
      SliceWalk walk(slice);
      while (const auto record = walk.next()) blocks_[slice.key.block].insert(*id_of(record->payload));
    });
  }

  const RingFile& file() const noexcept { return promise_.file(); }
  const ScratchRing& scratch() const noexcept { return promise_.scratch(); }
  Obligations& obligations() const noexcept { return promise_.obligations(); }
  void restore() const { std::memcpy(file().base(), good_.data(), good_.size()); }
  /// The ids that lie in each block.
  const std::map<std::uint32_t, std::set<std::uint32_t>>& blocks() const noexcept { return blocks_; }
  std::uint64_t records() const noexcept { return 80 - first_; }

 private:
  Promise promise_;
  std::vector<std::byte> good_;
  std::map<std::uint32_t, std::set<std::uint32_t>> blocks_;
  std::uint64_t first_ = 0;
};

void flip(std::byte* at, std::uint64_t bit) { at[bit / 8] ^= std::byte{1} << (bit % 8); }

/// Everything that reads a ring looks at it; then it is drained. Returns what arrived.
Deliveries look_and_drain(const RingFile& file) {
  static_cast<void>(account(file));
  static_cast<void>(fsck(file));
  peek_all(file, [](Slice&& slice) {
    SliceWalk walk(slice);
    while (walk.next()) {
    }
    static_cast<void>(walk.corrupt());
  });
  for (std::uint32_t block = 0; block < file.geometry().block_count; ++block)
    static_cast<void>(peek(file, block, 7));
  Deliveries deliveries;
  Drainer drainer(file);
  // A flipped bit may make the policy drop-oldest: then a pass takes a few blocks only.
  int quiet = 0;
  for (int passes = 0; quiet < 4 && passes < 1000; ++passes)
    quiet = drainer.pass(deliveries) == 0 ? quiet + 1 : 0;
  EXPECT_EQ(quiet, 4) << "a drain that comes to no end";
  return deliveries;
}

/// Records of blocks that nobody touched.
std::uint64_t lost_elsewhere(const Specimen& specimen, const Deliveries& deliveries, std::uint32_t damaged) {
  std::uint64_t lost = 0;
  for (const auto& [block, ids] : specimen.blocks()) {
    if (block == damaged) continue;
    for (const std::uint32_t id : ids) lost += deliveries.arrived(id) ? 0 : 1;
  }
  return lost;
}

TEST(FlippedBits, InADescriptorCostOneBlockAtMost) {
  const Specimen specimen;
  const RingFile& file = specimen.file();
  ASSERT_GT(specimen.blocks().size(), 3U);
  SplitMix random(7);
  std::uint64_t damaged_something = 0;
  for (std::uint32_t round = 0; round < scaled(6000); ++round) {
    specimen.restore();
    const auto block = static_cast<std::uint32_t>(random.below(file.geometry().block_count));
    auto* descriptor = reinterpret_cast<std::byte*>(&file.descriptors()[block]);
    for (std::uint64_t flips = 1 + random.below(4); flips > 0; --flips)
      flip(descriptor, random.below(512 * 8));
    const Deliveries deliveries = look_and_drain(file);
    ASSERT_EQ(lost_elsewhere(specimen, deliveries, block), 0U) << "in round " << round;
    damaged_something += deliveries.total() != specimen.records() ? 1 : 0;
  }
  EXPECT_GT(damaged_something, 0U) << "no flip mattered: the fault never happened";
}

TEST(FlippedBits, InABlockCostThatBlocksRecordsAtMost) {
  const Specimen specimen;
  const RingFile& file = specimen.file();
  SplitMix random(8);
  std::uint64_t damaged_something = 0;
  for (std::uint32_t round = 0; round < scaled(6000); ++round) {
    specimen.restore();
    const auto block = static_cast<std::uint32_t>(random.below(file.geometry().block_count));
    for (std::uint64_t flips = 1 + random.below(8); flips > 0; --flips)
      flip(file.block(block), random.below(4096 * 8));
    const Deliveries deliveries = look_and_drain(file);
    ASSERT_EQ(lost_elsewhere(specimen, deliveries, block), 0U) << "in round " << round;
    damaged_something += deliveries.total() != specimen.records() ? 1 : 0;
    // Bytes are not what is counted: the books still close, with what was not found as corrupt.
    ASSERT_EQ(account(file).closing, Closing::kCloses) << "in round " << round;
  }
  EXPECT_GT(damaged_something, 0U);
}

/// Sizes, offsets and counts of the kind that turn a careless sum around.
TEST(HugeWords, InAnyPlaceOfADescriptorOrARecordLeadNowhere) {
  const Specimen specimen;
  const RingFile& file = specimen.file();
  constexpr std::uint64_t kWords[] = {
      0,       1,       0x7FFFFFFF,         0x80000000,         0xFFFFFFFF,       0x100000000,
      0x3FFFF, 0x40000, 0x7FFFFFFFFFFFFFFF, 0x8000000000000000, ~std::uint64_t{0}};
  for (std::uint32_t block = 0; block < 3; ++block) {
    for (std::size_t at = 0; at < 512 + 512; at += 8) {
      for (const std::uint64_t word : kWords) {
        specimen.restore();
        std::byte* place = at < 512 ? reinterpret_cast<std::byte*>(&file.descriptors()[block]) + at
                                    : file.block(block) + at - 512;
        std::memcpy(place, &word, sizeof(word));
        const Deliveries deliveries = look_and_drain(file);
        ASSERT_EQ(lost_elsewhere(specimen, deliveries, block), 0U)
            << "block " << block << ", byte " << at << ", word " << word;
      }
    }
  }
}

TEST(FlippedBits, AnywhereNeitherCrashNorHangWhoeverReadsOrWrites) {
  const Specimen specimen;
  const RingFile& file = specimen.file();
  const Ring ring = specimen.scratch().open();
  SplitMix random(9);
  const std::uint64_t bits = (file.geometry().file_bytes - sizeof(RingIdentity)) * 8;
  for (std::uint32_t round = 0; round < scaled(3000); ++round) {
    specimen.restore();
    for (std::uint64_t flips = 1 + random.below(200); flips > 0; --flips) {
      // Half of them where the words are; the blocks would take nearly all.
      const std::uint64_t limit =
          random.one_in(2) ? file.geometry().blocks_offset * 8 - sizeof(RingIdentity) * 8 : bits;
      flip(file.base() + sizeof(RingIdentity), random.below(limit));
    }
    static_cast<void>(look_and_drain(file));
    if (round % 20 != 0) continue;
    // A producer meets the same garbage.
    const Ended ended = in_child([&] {
      file.header().block_timeout_us = 1000;
      for (int n = 0; n < 100; ++n) emit_one(ring.logger("test"), specimen.obligations());
      return 0;
    });
    ASSERT_TRUE(ended.with(0)) << "in round " << round << ": " << ended.text();
    static_cast<void>(look_and_drain(file));
  }
}

TEST(EachBitOfTheHeader, FlippedIsAnErrorOrChangesNothingThatAReaderDelivers) {
  const Specimen specimen;
  std::uint32_t refused = 0;
  for (std::uint64_t bit = 0; bit < kHeaderBytes * 8; ++bit) {
    // Behind the last field nothing is read: some bits stand for all.
    if (bit >= offsetof(RingHeader, reserved) * 8 && bit % 97 != 0) continue;
    if (kSlowdown > 1 && bit % kSlowdown != 0) continue;
    specimen.restore();
    flip(specimen.file().base(), bit);
    const auto file = RingFile::attach(specimen.scratch().path());
    if (!file) {
      ASSERT_LT(bit, sizeof(RingIdentity) * 8) << file.error().message;
      ++refused;
      continue;
    }
    ASSERT_GE(bit, sizeof(RingIdentity) * 8) << "bit " << bit << " of the identity may be flipped";
    const Deliveries deliveries = look_and_drain(*file);
    ASSERT_EQ(deliveries.total(), specimen.records()) << "bit " << bit;
    ASSERT_EQ(deliveries.mangled(), 0U) << "bit " << bit;
  }
  EXPECT_GT(refused, 0U);
}

TEST(ProducerThatScribbles, OverItsOwnBlockWhileItIsDrainedHarmsNobodyElse) {
  Promise promise({.blocks = 64});
  const Ring ring = promise.scratch().open();
  const Logger logger = ring.logger("test");
  Shared<std::atomic<std::uint64_t>> scribbles;
  Child vandal = Child::forked([&]() -> int {
    const RingFile file = promise.scratch().attach();
    SplitMix random(10);
    for (int n = 0; n < 5; ++n) logger.emit(Severity::kInfo, "a vandal was here");
    for (;;) {
      // Its block as it knows it: the first that names it. It was the first writer.
      std::byte* block = file.block(0);
      for (int n = 0; n < 64; ++n) block[random.below(4096)] = static_cast<std::byte>(random.bits());
      file.descriptors()[0].committed.store(
          random.one_in(2) ? random.bits() : random.below(1U << 18U) | random.below(200) << kCountShift);
      scribbles->fetch_add(1);
    }
  });
  ASSERT_TRUE(eventually([&] { return scribbles->load() > 10; }));
  Drainer drainer(promise.file());
  // What it scribbles may also look like a record of ours; only what others wrote is compared.
  Deliveries deliveries;
  for (std::uint32_t n = 0; n < scaled(20'000); ++n) {
    ASSERT_TRUE(emit_one(logger, promise.obligations()));
    if (n % 16 == 0) drainer.pass(deliveries);
    if (n % 1024 == 0) {
      static_cast<void>(account(promise.file()));
      static_cast<void>(fsck(promise.file()));
      peek_all(promise.file(), [](Slice&&) {});
    }
  }
  vandal.signal(SIGKILL);
  ASSERT_TRUE(vandal.wait().by(SIGKILL));
  EXPECT_GT(scribbles->load(), 100U);
  for (int n = 0; n < 20; ++n) drainer.pass(deliveries);
  EXPECT_EQ(deliveries.lost(promise.obligations()), 0U);
  const std::uint64_t before = deliveries.total();
  EXPECT_TRUE(emit_one(logger, promise.obligations()));
  drainer.pass(deliveries);
  EXPECT_EQ(deliveries.total(), before + 1);
  const BlockCensus blocks = account(promise.file()).blocks;
  EXPECT_EQ(blocks.free + blocks.open + blocks.sealed, blocks.total);
}

}  // namespace
}  // namespace shmring::testing
