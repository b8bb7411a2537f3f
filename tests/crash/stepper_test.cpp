// SPDX-License-Identifier: Apache-2.0
// The tool itself: writers and flushers that break the protocol, each in one way, must be found out.
#include "tests/crash/stepper.hpp"

#include <gtest/gtest.h>

#include <cstring>

#include "tests/crash/stage.hpp"

namespace shmring::testing {
namespace {

class BrokenProtocol : public ::testing::Test {
 protected:
  Stage stage;

  BlockDescriptor& descriptor(std::uint32_t index) const { return stage.file().descriptors()[index]; }
  StateWord state(std::uint32_t index) const { return StateWord::unpack(descriptor(index).state.load()); }

  /// Some death must be judged badly, with these words, but not the last instant, at which the damage is undone.
  void expect_found_out(const Story& story, const std::string& words) {
    const Told told = die_at_every_change(stage, story);
    EXPECT_GT(told.deaths_with_problems, 0U);
    EXPECT_LT(told.deaths_with_problems, told.deaths);
    std::string all;
    for (const std::string& problem : told.problems) all += problem;
    EXPECT_NE(all.find(words), std::string::npos) << all;
  }
};

TEST_F(BrokenProtocol, ARecordCountedBeforeItsBytesAreThere) {
  const auto count_first = [&] {
    const std::uint32_t id = stage.ledger().issue();
    const std::vector<std::byte> payload = payload_of(id);
    Slot slot = stage.ring().writer().try_reserve(RecordKind::kLog, payload.size());
    const RecordHeader header{static_cast<std::uint32_t>(payload.size()),
                              static_cast<std::uint8_t>(RecordKind::kLog), 0, 0};
    std::memcpy(slot.payload().data() - sizeof(header), &header, sizeof(header));
    const CommittedWord before{descriptor(0).committed.load()};
    descriptor(0).committed.store(before.advanced(record_bytes(payload.size()), 1).word);
    std::memcpy(slot.payload().data(), payload.data(), payload.size());
    stage.ledger().settle(id, true);
  };
  expect_found_out({.prepare = [&] { stage.emit(); }, .work = count_first}, "mangled records");
}

TEST_F(BrokenProtocol, ARecordReportedBeforeItIsCommitted) {
  const auto report_first = [&] {
    const std::uint32_t id = stage.ledger().issue();
    const std::vector<std::byte> payload = payload_of(id);
    Slot slot = stage.ring().writer().try_reserve(RecordKind::kLog, payload.size());
    stage.ledger().settle(id, true);
    std::memcpy(slot.payload().data(), payload.data(), payload.size());
    static_cast<void>(std::move(slot).commit());
  };
  expect_found_out({.prepare = [&] { stage.emit(); }, .work = report_first}, "is lost");
}

TEST_F(BrokenProtocol, ABlockThatIsClaimedFirstAndSignedLater) {
  stage.live_writer(1);  // slot 0
  const auto sign_later = [&] {
    StateWord word = state(5);
    word.state = BlockState::kOpen;
    descriptor(5).state.store(word.pack() | std::uint64_t{1} << 24U);  // slot 0's, by the zeroes in it
    word.writer = 1;
    word.writer_generation = 1;
    descriptor(5).state.store(word.pack());
  };
  expect_found_out({.prepare = [&] { stage.emit(); }, .work = sign_later}, "blocks name a living owner");
}

TEST_F(BrokenProtocol, ABlockThatIsFreeBeforeItsWordsAreReset) {
  stage.live_writer(3);
  stage.somebody_killed_after(
      [&] { EnteringFlusher<Ledger>(stage.file(), stage.ledger()).empty(stage.file()); });
  stage.kill_the_living();  // an orphan from which everything has left
  const auto free_first = [&] {
    descriptor(0).state.store(StateWord{.block_generation = 1}.pack());
    descriptor(0).committed.store(CommittedWord{descriptor(0).committed.load()}.reset().word);
    ExportedWord exported = ExportedWord::unpack(descriptor(0).exported.load());
    exported.offset_bytes = 0;
    descriptor(0).exported.store(exported.pack());
  };
  expect_found_out({.work = free_first}, "block 0: it is free, but");
}

TEST_F(BrokenProtocol, AnOutcomeCountedAfterTheRecordHasLeft) {
  stage.dead_writer(1);
  const auto count_late = [&] {
    const CommittedWord committed{descriptor(0).committed.load()};
    BasicLedger<4096>::raise(stage.ledger().acknowledging[0]);
    ExportedWord exported{
        .offset_bytes = committed.offset_bytes(), .epoch = 0, .set = 0, .count = committed.count()};
    descriptor(0).exported.store(exported.pack());
    descriptor(0).outcomes[0][0][static_cast<std::size_t>(Outcome::kAccepted)].store(1);
  };
  expect_found_out({.work = count_late}, "the accounting does not close");
}

TEST_F(BrokenProtocol, AnAcknowledgementBeforeAnythingWasHandedOut) {
  stage.dead_writer(2);
  const auto acknowledge_first = [&] {
    stage.ledger().acknowledged[0] = 1;  // so it says; the ring does not know
    descriptor(7).ticket.store(1);
    stage.ledger().acknowledged[0] = 0;
    descriptor(7).ticket.store(2);
  };
  expect_found_out({.work = acknowledge_first}, "was acknowledged and is handed out again");
}

TEST(Tracee, ReportsASignalThatHitsIt) {
  Tracee tracee([] {}, [] { ::raise(SIGUSR1); });
  while (tracee.step()) {
  }
  EXPECT_NE(tracee.mishap().find("signal " + std::to_string(SIGUSR1)), std::string::npos);
}

TEST(Tracee, StopsAtTheEndOfItsWork) {
  std::uint64_t steps = 0;
  Tracee tracee([] {}, [] {});
  while (tracee.step()) ++steps;
  EXPECT_GT(steps, 0U);
  EXPECT_EQ(tracee.mishap(), "");
}

}  // namespace
}  // namespace shmring::testing
