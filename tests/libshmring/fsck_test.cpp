// SPDX-License-Identifier: Apache-2.0
// Each invariant, broken by hand, is found where it was broken; a sound ring has no findings.
#include "libshmring/fsck.hpp"

#include <gtest/gtest.h>

#include "tests/libshmring/ring_test_support.hpp"

namespace shmring {
namespace {

using test::BlockText;
using test::TestRing;
using Severity = Finding::Severity;

/// What fsck says after `change`; block 0 was sealed with two records, preceded by three.
template <typename Change>
std::vector<Finding> findings_after(Change change) {
  const TestRing ring;
  test::seal_with(ring, 0, {"a", "b"}, 3);
  change(ring);
  return fsck(ring.file());
}

template <typename Change>
void expect_one(std::string_view where, std::string_view what, Change change,
                Severity severity = Severity::kDamage) {
  const auto findings = findings_after(change);
  ASSERT_EQ(findings.size(), 1U) << what;
  EXPECT_EQ(findings[0].where.substr(0, where.size()), where);
  EXPECT_NE(findings[0].what.find(what), std::string::npos) << findings[0].what;
  EXPECT_EQ(findings[0].severity, severity);
}

TEST(Fsck, FindsNothingOnASoundRing) {
  EXPECT_TRUE(findings_after([](const TestRing&) {}).empty());
}

TEST(Fsck, FindsNothingOnARingInUse) {
  const TestRing ring;
  const Ring opened = ring.open();
  for (int i = 0; i < 100; ++i) ASSERT_TRUE(test::emit(opened, std::to_string(i)));
  test::Flusher flusher(ring);
  for (const Slice& slice : flusher.drain()) flusher.accept(slice.key);
  EXPECT_TRUE(fsck(ring.file()).empty());
}

TEST(Fsck, FindsABlocksBrokenInvariants) {
  expect_one("block 0", "(I5)",
             [](const TestRing& ring) { ring.descriptor(0).outcomes[0][1][1].fetch_add(1); });
  expect_one("block 0", "(I4)", [](const TestRing& ring) { ring.descriptor(0).exported.fetch_add(100); });
  expect_one("block 2", "(I6)", [](const TestRing& ring) { ring.descriptor(2).committed.store(2); });
  expect_one("block 0", "counters say 3", [](const TestRing& ring) {
    ring.descriptor(0).committed.fetch_add(std::uint64_t{1} << kCountShift);
  });
  expect_one("block 0", "cannot be followed",
             [](const TestRing& ring) { ring.file().block(0)[32 + 4] = std::byte{77}; });
  expect_one("block 0", "behind the block's end", [](const TestRing& ring) {
    ring.descriptor(0).committed.store(CommittedWord{}.advanced(8192, 5).word);
  });
  expect_one("block 1", "means nothing", [](const TestRing& ring) { ring.descriptor(1).state.store(7); });
  expect_one("block 0", "does not exist", [](const TestRing& ring) {
    ring.descriptor(0).state.store(StateWord{.state = BlockState::kSealed, .writer = 4}.pack());
  });
  expect_one("block 0", "signal means nothing", [](const TestRing& ring) {
    ring.descriptor(0).state.store(
        StateWord{.state = BlockState::kSealed, .signal = static_cast<Signal>(6)}.pack());
  });
}

TEST(Fsck, FindsTheHeadersAndTheSlotsDamage) {
  expect_one("header", "identity changed",
             [](const TestRing& ring) { ring.header().identity.reserved[3] = 1; });
  expect_one("header", "policy", [](const TestRing& ring) { ring.header().on_full.store(3); });
  expect_one("slot 2", "phase", [](const TestRing& ring) { ring.slot(2).claim.store(3U << 20U); });
}

TEST(Fsck, OnlyNotesWhatMendsItself) {
  expect_one(
      "header", "estimate", [](const TestRing& ring) { ring.header().free_blocks.store(5); },
      Severity::kNote);
  expect_one(
      "slot 1", "hint", [](const TestRing& ring) { ring.slot(1).open_block[0][0].store(5); },
      Severity::kNote);
  expect_one(
      "block 0", "died while it recycled it",
      [](const TestRing& ring) {
        ring.descriptor(0).exported.store(ExportedWord{.offset_bytes = 48, .count = 3}.pack());
        ring.descriptor(0).committed.store(std::uint64_t{3} << kCountShift);
      },
      Severity::kNote);
}

TEST(Fsck, SaysWhoseADamagedBlockIs) {
  const auto findings = findings_after([](const TestRing& ring) {
    test::hold_slot(ring.slot(1), 4, test::own_tid());
    ring.descriptor(0).state.store(
        StateWord{.state = BlockState::kOpen, .writer = 1, .writer_generation = 4}.pack());
    ring.file().block(0)[32 + 4] = std::byte{77};
  });
  ASSERT_EQ(findings.size(), 1U);
  EXPECT_NE(findings[0].where.find("slot 1 (pid " + std::to_string(test::own_tid())), std::string::npos)
      << findings[0].where;
}

}  // namespace
}  // namespace shmring
