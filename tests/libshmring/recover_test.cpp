// SPDX-License-Identifier: Apache-2.0
// Recovery from copies of a ring: each thing broken by hand, and what still comes out.
#include "libshmring/recover.hpp"

#include <gtest/gtest.h>

#include <cstring>
#include <filesystem>
#include <fstream>

#include "libshmring/identity.hpp"
#include "tests/libshmring/ring_test_support.hpp"

namespace shmring {
namespace {

using test::BlockText;
using test::TestRing;

const std::vector<std::string> kOld{"old one", "old two"};
const std::vector<std::string> kYoung{"first", "second", "the third", "4"};

/// A ring in which block 1 was opened before block 0, as the bytes of a file that tests change.
class Patient {
 public:
  explicit Patient(const test::RingShape& shape = {}) : ring_(shape), geometry_(ring_.file().geometry()) {
    test::seal_with(ring_, 0, kYoung, 3);
    test::seal_with(ring_, 1, kOld);
    ring_.descriptor(0).ticket.store(7);
    ring_.descriptor(1).ticket.store(2);
    ring_.header().ticket.store(8);
    bytes_.assign(ring_.file().base(), ring_.file().base() + geometry_.file_bytes);
  }

  const Geometry& geometry() const { return geometry_; }
  RingIdentity& identity() { return *reinterpret_cast<RingIdentity*>(bytes_.data()); }
  BlockDescriptor& descriptor(std::uint32_t index) {
    return reinterpret_cast<BlockDescriptor*>(bytes_.data() + geometry_.descriptors_offset)[index];
  }
  std::byte* block(std::uint32_t index) {
    return bytes_.data() + geometry_.blocks_offset + std::uint64_t{index} * geometry_.block_bytes;
  }
  void truncate(std::uint64_t size) { bytes_.resize(size); }
  void behead() { std::memset(bytes_.data(), 0x5A, kHeaderBytes); }

  /// What recovery gives; the file must stay as it is.
  std::vector<std::string> recovered(const RecoverOptions& options = {}) {
    const std::filesystem::path path = ring_.folder() / "copy";
    std::ofstream(path, std::ios::binary | std::ios::trunc)
        .write(reinterpret_cast<const char*>(bytes_.data()), static_cast<std::streamsize>(bytes_.size()));
    std::vector<std::string> records;
    const auto report = recover(path, options, [&](Slice&& slice) {
      SliceWalk walk(slice);
      while (const auto record = walk.next()) records.push_back(test::text_of(record->payload));
      EXPECT_EQ(walk.corrupt(), 0U);
    });
    std::ifstream in(path, std::ios::binary);
    const std::string after{std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
    EXPECT_TRUE(after.size() == bytes_.size() && std::memcmp(after.data(), bytes_.data(), after.size()) == 0);
    refusal_ = report ? std::nullopt : std::optional(report.error());
    report_ = report ? *report : RecoverReport{};
    EXPECT_EQ(report_.records, records.size());
    return records;
  }
  const RecoverReport& report() const { return report_; }
  const std::optional<Error>& refusal() const { return refusal_; }
  bool says(std::string_view where, std::string_view what) const {
    for (const Finding& finding : report_.findings) {
      if (finding.where == where && finding.what.find(what) != std::string::npos) return true;
    }
    return false;
  }

 private:
  TestRing ring_;
  Geometry geometry_;
  std::vector<std::byte> bytes_;
  RecoverReport report_;
  std::optional<Error> refusal_;
};

std::vector<std::string> joined(std::vector<std::string> a, const std::vector<std::string>& b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
}

const std::vector<std::string> kEverything = joined(kOld, kYoung);

TEST(Recover, GivesEverythingOfASoundRingOldestFirst) {
  Patient patient;
  EXPECT_EQ(patient.recovered(), kEverything);
  EXPECT_TRUE(patient.report().is_complete());
  EXPECT_EQ(patient.report().sizes_from, SizesFrom::kHeader);
}

TEST(Recover, NeedsNoSoundIdentity) {
  const auto expect = [](std::string_view what, auto change) {
    Patient patient;
    change(patient.identity());
    EXPECT_EQ(patient.recovered(), kEverything) << what;
    EXPECT_TRUE(patient.says("header", what)) << what;
  };
  expect("magic", [](RingIdentity& i) { i.magic = 0; });
  expect("checksum", [](RingIdentity& i) { i.uuid[3] ^= 1; });
  expect("C library", [](RingIdentity& i) { i.abi_tag ^= 3U << 24U; });
  expect("layout is", [](RingIdentity& i) { i.layout_major = 77; });
  expect("block size", [](RingIdentity& i) { i.block_bytes = 12345; });
  expect("number of blocks", [](RingIdentity& i) { i.block_count ^= 1U << 30U; });
  expect("writer slots", [](RingIdentity& i) { i.writer_count = 0; });
  expect("place of its blocks", [](RingIdentity& i) { i.blocks_offset = 0; });
}

TEST(Recover, FindsTheSizesOfARingWithoutAHeader) {
  for (const auto& [blocks, writers, block_bytes] :
       {std::array{4U, 4U, 4096U}, std::array{5U, 1U, 4096U}, std::array{33U, 100U, 8192U},
        std::array{4U, 9U, 65536U}}) {
    Patient patient({.blocks = blocks, .writers = writers, .block_bytes = block_bytes});
    patient.behead();
    EXPECT_EQ(patient.recovered(), kEverything) << blocks << " " << writers << " " << block_bytes;
    EXPECT_EQ(patient.report().sizes_from, SizesFrom::kSearch);
    EXPECT_EQ(patient.report().geometry.block_bytes, block_bytes);
    EXPECT_EQ(patient.report().geometry.blocks_offset, patient.geometry().blocks_offset);
  }
}

TEST(Recover, TakesTheSizesThatTheCallerKnows) {
  Patient patient;
  patient.behead();
  patient.truncate(patient.geometry().blocks_offset + 2 * 4096);  // no length that the search could go by
  EXPECT_EQ(patient.recovered({.block_bytes = 4096, .blocks = 4, .writers = 4}), kEverything);
  EXPECT_EQ(patient.report().sizes_from, SizesFrom::kOptions);
  patient.recovered();
  ASSERT_TRUE(patient.refusal());
  EXPECT_NE(patient.refusal()->message.find("--block-size"), std::string::npos);
}

TEST(Recover, GivesWhatATruncatedFileStillHas) {
  Patient patient;
  patient.truncate(patient.geometry().blocks_offset + 16 + 16 + 16 +
                   4);  // resource, "first", "second" and a bit
  EXPECT_EQ(patient.recovered(), (std::vector<std::string>{"first", "second"}));
  EXPECT_EQ(patient.report().missing, 2U + 2U);
  EXPECT_EQ(patient.report().unread_bytes, (24U + 16U) + (16U + 16U + 16U));
  EXPECT_TRUE(patient.says("header", "truncated"));
  EXPECT_TRUE(patient.says("block 1", "the file ends"));
  patient.truncate(patient.geometry().descriptors_offset + 512);
  EXPECT_TRUE(patient.recovered().empty());
  EXPECT_TRUE(patient.says("file", "the descriptors of 3 blocks"));
}

TEST(Recover, GoesOnBehindARecordThatCannotBeFollowed) {
  Patient patient;
  std::memset(patient.block(0) + 16 + 16, 0xFF, 4);  // the size of "second"
  EXPECT_EQ(patient.recovered(), joined(kOld, {"first", "the third", "4"}));
  EXPECT_EQ(patient.report().missing, 1U);
  EXPECT_EQ(patient.report().unread_bytes, 16U);
  EXPECT_EQ(patient.report().doubtful, 0U);
  EXPECT_TRUE(patient.says("block 0", "the record at byte 32 cannot be followed; 16 bytes are left out"));
}

TEST(Recover, IsNotTakenInByAPayloadThatLooksLikeARecord) {
  const TestRing ring;
  BlockText text;
  const RecordHeader inner{0, static_cast<std::uint8_t>(RecordKind::kLog), 0, 0};
  std::string bait(32, '\0');
  for (std::size_t at = 0; at < bait.size(); at += sizeof(inner))
    std::memcpy(bait.data() + at, &inner, sizeof(inner));
  text.resource("res").record("before").record(bait).record("behind");
  test::fill_block(ring, 0, {.state = BlockState::kSealed}, text);
  ring.file().block(0)[16 + 16 + 4] = std::byte{99};  // the kind of the bait
  std::vector<std::string> records;
  const auto report = recover(ring.path(), {}, [&](Slice&& slice) { records = test::texts(slice); });
  ASSERT_TRUE(report);
  EXPECT_EQ(records, (std::vector<std::string>{"before", "behind"}));
}

TEST(Recover, GivesWhatWasExportedOnlyWhenAsked) {
  Patient patient;
  BlockDescriptor& d = patient.descriptor(0);
  d.exported.store(ExportedWord{.offset_bytes = 16 + 16 + 16, .count = 5}.pack());
  d.outcomes[0][0][0].store(OutcomeCell{.records = 5}.pack());
  EXPECT_EQ(patient.recovered(), joined(kOld, {"the third", "4"}));
  EXPECT_EQ(patient.recovered({.take = Take::kAll}), kEverything);
  EXPECT_TRUE(patient.report().is_complete());
  // Damage among what has left costs nothing of what has not.
  std::memset(patient.block(0) + 16, 0xFF, 4);
  EXPECT_EQ(patient.recovered(), joined(kOld, {"the third", "4"}));
  EXPECT_EQ(patient.report().missing, 0U);
}

TEST(Recover, DoubtsWhatContradictoryWordsPromise) {
  const auto expect = [](std::string_view what, auto change) {
    Patient patient;
    change(patient);
    EXPECT_EQ(patient.recovered(), kEverything) << what;
    EXPECT_TRUE(patient.says("block 0", what)) << what;
    EXPECT_EQ(patient.report().doubtful, kYoung.size()) << what;
  };
  expect("its state is 6", [](Patient& p) { p.descriptor(0).state.store(6); });
  expect("its state is 0", [](Patient& p) { p.descriptor(0).state.store(0); });
  expect("its records are logs", [](Patient& p) { p.descriptor(0).state.fetch_or(1U << 5U); });
  expect("its records are logs", [](Patient& p) { p.descriptor(0).state.fetch_or(7U << 5U); });
  expect("is ahead of committed", [](Patient& p) { p.descriptor(0).exported.fetch_add(1000); });
  expect("is inside of a record", [](Patient& p) { p.descriptor(0).exported.fetch_add(3); });
  expect("more than fit", [](Patient& p) { p.descriptor(0).committed.fetch_add(std::uint64_t{1} << 60U); });
  expect("its counters promise 3",
         [](Patient& p) { p.descriptor(0).committed.fetch_sub(std::uint64_t{1} << kCountShift); });
  expect("which cannot be", [](Patient& p) { p.descriptor(0).committed.fetch_or(kOffsetMask); });
}

TEST(Recover, GivesNothingThatWasNotCommittedOrIsAllGone) {
  Patient patient;
  BlockDescriptor& d = patient.descriptor(0);
  const std::uint64_t committed = d.committed.load();
  d.committed.store(CommittedWord{committed}.reset().word);  // recycled: the bytes are still there
  d.exported.store(ExportedWord{.count = CommittedWord{committed}.count()}.pack());
  d.state.store(0);
  EXPECT_EQ(patient.recovered(), kOld);
  EXPECT_TRUE(patient.report().is_complete());
  // Died between the two stores of a recycling.
  d.exported.store(ExportedWord{.offset_bytes = 88, .count = CommittedWord{committed}.count()}.pack());
  d.state.store(StateWord{.state = BlockState::kSealed}.pack());
  EXPECT_EQ(patient.recovered(), kOld);
}

TEST(Recover, RefusesWhatIsNoFileOrNoRing) {
  const test::TestFolder folder;
  const auto refusal = [](const std::filesystem::path& path) {
    const auto report = recover(path, {}, [](Slice&&) { ADD_FAILURE(); });
    return report ? ErrorCode::kBusy : report.error().code;
  };
  EXPECT_EQ(refusal(folder.path() / "nothing"), ErrorCode::kNotFound);
  EXPECT_EQ(refusal(folder.path()), ErrorCode::kNotARing);
  std::ofstream(folder.path() / "empty").close();
  EXPECT_EQ(refusal(folder.path() / "empty"), ErrorCode::kNotARing);
  std::ofstream(folder.path() / "text") << std::string(20000, 'x');
  EXPECT_EQ(refusal(folder.path() / "text"), ErrorCode::kNotARing);
}

}  // namespace
}  // namespace shmring
