// SPDX-License-Identifier: Apache-2.0
// Each invariant, broken by hand, is found where it was broken; a sound ring has no findings.
#include "libshmring/fsck.hpp"

#include <gtest/gtest.h>

#include <cstring>

#include "libshmring/identity.hpp"
#include "tests/libshmring/ring_test_support.hpp"

namespace shmring {
namespace {

using test::BlockText;
using test::TestRing;

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
                Finding::Severity severity = Finding::Severity::kDamage) {
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
  expect_one("block 0", "behind the end of the block", [](const TestRing& ring) {
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
      Finding::Severity::kNote);
  expect_one(
      "slot 1", "hint", [](const TestRing& ring) { ring.slot(1).open_block[0][0].store(5); },
      Finding::Severity::kNote);
  expect_one(
      "block 0", "died while it recycled it",
      [](const TestRing& ring) {
        ring.descriptor(0).exported.store(ExportedWord{.offset_bytes = 48, .count = 3}.pack());
        ring.descriptor(0).committed.store(std::uint64_t{3} << kCountShift);
      },
      Finding::Severity::kNote);
}

TEST(Fsck, FindsWhatContextAndPositionsContradict) {
  expect_one("block 0", "is inside of a record", [](const TestRing& ring) {
    ring.descriptor(0).exported.store(ExportedWord{.offset_bytes = 24, .count = 3}.pack());
    ring.descriptor(0).committed.store(
        CommittedWord::of(ring.committed(0).offset_bytes(), 0, 4).word);  // only "b" begins behind byte 24
  });
  expect_one("block 0", "out of reach",
             [](const TestRing& ring) { ring.file().block(0)[4] = std::byte{77}; });  // its resource
  expect_one("block 0", "names a scope",
             [](const TestRing& ring) { ring.file().block(0)[16 + 6] = std::byte{5}; });
}

TEST(Fsck, FindsAnOwnedFreeBlockAndCountsOfTheFuture) {
  const auto note = Finding::Severity::kNote;
  expect_one(
      "block 2", "names an owner",
      [](const TestRing& ring) { ring.descriptor(2).state.store(StateWord{.writer = 2}.pack()); }, note);
  expect_one(
      "block 0", "ticket is 99", [](const TestRing& ring) { ring.descriptor(0).ticket.store(99); }, note);
  expect_one(
      "block 0", "bears epoch 9",
      [](const TestRing& ring) {
        ring.header().epoch.store(3);
        ring.descriptor(0).outcomes[1][2][0].store(OutcomeCell{.epoch = 9}.pack());
      },
      note);
  expect_one(
      "block 0", "names holder 8 of writer slot 1, which has had 7",
      [](const TestRing& ring) {
        test::hold_slot(ring.slot(1), 7, test::own_tid());
        StateWord state = ring.state(0);
        state.state = BlockState::kOpen;
        state.writer = 1;
        state.writer_generation = 8;
        ring.descriptor(0).state.store(state.pack());
      },
      note);
}

TEST(Fsck, FindsARunWithoutAHead) {
  const StateWord cont{.state = BlockState::kCont, .writer = 1, .writer_generation = 4};
  const auto expect = [&](StateWord left, std::string_view what) {
    expect_one("block 2", what, [&](const TestRing& ring) {
      test::hold_slot(ring.slot(1), 4, test::own_tid());
      ring.descriptor(1).state.store(left.pack());
      ring.descriptor(2).state.store(cont.pack());
    });
  };
  expect({}, "no head");
  const auto findings = findings_after([&](const TestRing& ring) {
    test::hold_slot(ring.slot(1), 4, test::own_tid());
    ring.descriptor(0).state.store(cont.pack());
  });
  ASSERT_EQ(findings.size(), 2U);
  EXPECT_NE(findings[1].what.find("its own words say that it holds 2 records"), std::string::npos)
      << findings[1].what;
}

TEST(Fsck, FindsHoldersAndClaimersThatAreGone) {
  const auto note = Finding::Severity::kNote;
  expect_one(
      "slot 1", "its mutex does not say so",
      [](const TestRing& ring) { test::hold_slot(ring.slot(1), 4, test::dead_tid()); }, note);
  const auto claim_by = [](const TestRing& ring, std::uint32_t tid, std::uint32_t elsewhere) {
    const auto tag = static_cast<std::uint32_t>((pid_namespace() + elsewhere) & 0xFFFFFU);
    ring.slot(1).claim.store(
        ClaimWord{.generation = 1, .phase = SlotPhase::kClaiming, .tid = tid, .namespace_tag = tag}.pack());
  };
  expect_one(
      "slot 1", "died while it registered",
      [&](const TestRing& ring) { claim_by(ring, test::dead_tid(), 0); }, note);
  expect_one(
      "slot 1", "another pid namespace", [&](const TestRing& ring) { claim_by(ring, 1, 1); }, note);
  EXPECT_TRUE(findings_after([&](const TestRing& ring) { claim_by(ring, test::own_tid(), 0); }).empty());
  expect_one(
      "header", "pid 77) did not leave in order",
      [](const TestRing& ring) { ring.header().flusher_pid.store(77); }, note);
}

TEST(Fsck, FindsCountsOfDropsThatCannotBe) {
  const std::uint64_t absurd = std::uint64_t{1} << 60U;
  expect_one("header", "more than there can have been",
             [&](const TestRing& ring) { ring.header().dropped[1][2].store(absurd); });
  expect_one("slot 3", "more than there can have been", [&](const TestRing& ring) {
    ring.slot(3).first_drop_unix_ns.store(1);
    ring.slot(3).dropped[1][2].store(absurd);
  });
  expect_one(
      "slot 3", "counts 2 drops", [](const TestRing& ring) { ring.slot(3).dropped[0][0].store(2); },
      Finding::Severity::kNote);
}

TEST(Fsck, NotesReservedBytesThatAreNotZero) {
  const auto note = Finding::Severity::kNote;
  expect_one(
      "header", "reserved", [](const TestRing& ring) { std::end(ring.header().reserved)[-1] = 1; }, note);
  expect_one(
      "slot 0", "reserved", [](const TestRing& ring) { ring.slot(0).reserved2[15] = 1; }, note);
  expect_one(
      "block 3", "reserved", [](const TestRing& ring) { ring.descriptor(3).reserved1[6] = 1; }, note);
}

TEST(Fsck, SaysWhoseADamagedBlockIs) {
  const auto who = [](std::uint32_t tid, std::uint32_t generation) {
    const auto findings = findings_after([&](const TestRing& ring) {
      test::hold_slot(ring.slot(1), 4, tid);
      if (tid != test::own_tid()) test::mark_died(ring.slot(1));
      std::memcpy(static_cast<void*>(ring.slot(1).command), "worker", 6);
      ring.descriptor(0).state.store(
          StateWord{.state = BlockState::kOpen, .writer = 1, .writer_generation = generation}.pack());
      ring.file().block(0)[32 + 4] = std::byte{77};
    });
    return findings.size() == 1 ? findings[0].who : "another finding";
  };
  const auto name = [](std::uint32_t id) {
    return "writer slot 1 (pid " + std::to_string(id) + ", thread " + std::to_string(id) +
           ", command worker, ";
  };
  EXPECT_EQ(who(test::own_tid(), 4), name(test::own_tid()) + "alive)");
  const std::uint32_t dead = test::dead_tid();
  EXPECT_EQ(who(dead, 4), name(dead) + "gone)");
  EXPECT_EQ(who(test::own_tid(), 3), "writer slot 1 (a former holder)");
}

/// What is found in an identity after `change`, its checksum made to fit again.
template <typename Change>
std::vector<Finding> identity_findings(Change change) {
  const TestRing ring;
  RingIdentity identity = ring.file().identity();
  std::uint64_t file_bytes = ring.file().geometry().file_bytes;
  change(identity, file_bytes);
  identity.checksum = identity_checksum(identity);
  return fsck_identity(identity, file_bytes);
}

TEST(FsckIdentity, FindsNothingInASoundOne) {
  EXPECT_TRUE(identity_findings([](RingIdentity&, std::uint64_t&) {}).empty());
}

TEST(FsckIdentity, NamesEachFieldThatIsWrongAndWhatItShouldBe) {
  const auto expect = [](std::string_view what, auto change) {
    const auto findings = identity_findings(change);
    ASSERT_EQ(findings.size(), 1U) << what;
    EXPECT_NE(findings[0].what.find(what), std::string::npos) << findings[0].what;
  };
  expect("magic", [](RingIdentity& i, std::uint64_t&) { i.magic ^= 1; });
  expect("layout is 9.", [](RingIdentity& i, std::uint64_t&) { i.layout_major = 9; });
  expect("features", [](RingIdentity& i, std::uint64_t&) { i.incompatible_features = 8; });
  expect("C library", [](RingIdentity& i, std::uint64_t&) { i.abi_tag ^= 1U << 24U; });
  expect("block size is 4097", [](RingIdentity& i, std::uint64_t&) { i.block_bytes = 4097; });
  expect("number of blocks is 3", [](RingIdentity& i, std::uint64_t&) { i.block_count = 3; });
  expect("writer slots is 0", [](RingIdentity& i, std::uint64_t&) { i.writer_count = 0; });
  expect("should be 4096", [](RingIdentity& i, std::uint64_t&) { i.slots_offset = 8; });
  expect("the place of its descriptors", [](RingIdentity& i, std::uint64_t&) { i.descriptors_offset += 8; });
  expect("the place of its blocks", [](RingIdentity& i, std::uint64_t&) { i.blocks_offset += 8; });
  expect("its length by its own account", [](RingIdentity& i, std::uint64_t&) { i.file_bytes += 1; });
  expect("truncated", [](RingIdentity&, std::uint64_t& bytes) { bytes -= 1; });
}

TEST(FsckIdentity, FindsAChecksumThatDoesNotFit) {
  const TestRing ring;
  RingIdentity identity = ring.file().identity();
  identity.uuid[0] ^= 1;
  const auto findings = fsck_identity(identity, ring.file().geometry().file_bytes);
  ASSERT_EQ(findings.size(), 1U);
  EXPECT_NE(findings[0].what.find("checksum"), std::string::npos);
}

}  // namespace
}  // namespace shmring
