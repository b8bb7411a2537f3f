// SPDX-License-Identifier: Apache-2.0
// FAULTS: producer stopped mid-record for as long as one likes, then continued. It stands still after every instruction that
// changed the ring, and after others besides; each time another producer writes a record and a flusher delivers it.
#include <gtest/gtest.h>

#include <algorithm>

#include "libshmring/accounting.hpp"
#include "tests/crash/stage.hpp"

namespace shmring::testing {
namespace {

using Flusher = EnteringFlusher<Ledger>;

class StoppedAtEveryInstruction : public ::testing::Test {
 protected:
  Stage stage;

  /// Nobody waits for who stands still: each stop sees a record of somebody else written and delivered. After the story all
  /// that was written was delivered once.
  void expect_exact(const Story& story, std::uint64_t stride, std::uint64_t least_stops) {
    Flusher flusher(stage.file(), stage.ledger());
    ASSERT_TRUE(flusher.started());
    Ledger& ledger = stage.ledger();
    const std::uint64_t stops = stop_at_every_change(stage, story, stride, [&] {
      const std::uint32_t mine = ledger.issued;
      ASSERT_TRUE(stage.emit()) << "another producer is refused";
      flusher.drain();
      ASSERT_TRUE(flusher.acknowledge());
      ASSERT_EQ(ledger.handed[mine], 1) << "record " << mine;
    });
    std::printf("%llu stops\n", static_cast<unsigned long long>(stops));
    EXPECT_GE(stops, least_stops);
    EXPECT_TRUE(flusher.empty(stage.file()));
    for (std::uint32_t id = 0; id < ledger.issued; ++id) {
      ASSERT_EQ(ledger.obliged[id], 1) << "record " << id;
      ASSERT_EQ(ledger.handed[id], 1) << "record " << id;
    }
    EXPECT_EQ(ledger.mangled + ledger.corrupt + ledger.after_ack, 0U);
    const Accounting accounting = account(stage.file());
    EXPECT_EQ(accounting.closing, Closing::kCloses);
    EXPECT_EQ(accounting.total.written, ledger.issued);
    EXPECT_EQ(accounting.total.pending, 0U);
    EXPECT_LE(accounting.blocks.open, 1U);  // this process's
    EXPECT_EQ(accounting.blocks.sealed, 0U);
  }
};

TEST_F(StoppedAtEveryInstruction, OfRegisteringClaimingAndEmitting) {
  stage.dead_writer(3);
  expect_exact({.prepare = [&] { static_cast<void>(stage.ring()); }, .work = [&] { stage.emit(2); }}, 7, 300);
}

TEST_F(StoppedAtEveryInstruction, OfSealingAndClaiming) {
  expect_exact({.prepare =
                    [&] {
                      stage.emit();
                      const auto room = [&] {
                        return CommittedWord{stage.file().descriptors()[0].committed.load()};
                      };
                      while (room().offset_bytes() < 3000) stage.emit();
                    },
                .work = [&] { stage.emit(5); }},
               5, 300);
}

TEST_F(StoppedAtEveryInstruction, OfAdoptingADeadWritersBlock) {
  stage.dead_writer(3);
  expect_exact(
      {.prepare = [&] { static_cast<void>(stage.ring().prepare_thread()); }, .work = [&] { stage.emit(); }},
      1, 1000);
}

}  // namespace
}  // namespace shmring::testing
