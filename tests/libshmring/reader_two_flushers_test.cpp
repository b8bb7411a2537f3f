// SPDX-License-Identifier: Apache-2.0
// A flusher and its successor: the earlier one changes nothing any more, the later one loses nothing.
#include <gtest/gtest.h>

#include "libshmring/accounting.hpp"
#include "libshmring/outcomes.hpp"
#include "tests/libshmring/ring_test_support.hpp"

namespace shmring {
namespace {

using test::Flusher;
using test::TestRing;
using test::texts;
using Acknowledged = Reader::Acknowledged;
using Texts = std::vector<std::string>;

std::uint64_t accepted(const TestRing& ring) {
  return account(ring.file()).total.outcomes[static_cast<std::size_t>(Outcome::kAccepted)];
}

TEST(Successor, HandsOutAgainWhatWasNotAcknowledged) {
  const TestRing ring;
  test::seal_with(ring, 0, {"a"});
  test::seal_with(ring, 1, {"b"});
  {
    Flusher first(ring);
    const auto slices = first.drain();
    ASSERT_EQ(slices.size(), 2U);
    ASSERT_EQ(first.accept(slices[0].key), Acknowledged::kDone);
  }
  Flusher second(ring);
  EXPECT_EQ(texts(second.drain()), Texts{"b"});
}

TEST(Successor, CountsWhatMayArriveTwice) {
  const TestRing ring;
  test::seal_with(ring, 0, {"a", "b"});
  test::seal_with(ring, 1, {"never taken"});
  Flusher first(ring);
  first.reader->drain(DrainBudget{32 + 16, 0, 0},
                      [](Slice&&) { return true; });  // room for the first block only
  first.lose_lease();
  const Flusher second(ring);
  EXPECT_EQ(ring.header().duplicates_possible[0].load(), 2U);
}

TEST(Successor, CountsNothingTwiceThatWasGivenBack) {
  const TestRing ring;
  test::seal_with(ring, 0, {"a", "b"});
  Flusher first(ring);
  first.drain();
  first.reader->release_all();
  first.lose_lease();
  const Flusher second(ring);
  EXPECT_EQ(ring.header().duplicates_possible[0].load(), 0U);
}

TEST(Predecessor, AcknowledgesNothingAfterItLostTheLease) {
  const TestRing ring;
  test::seal_with(ring, 0, {"a", "b"});
  Flusher first(ring);
  const SliceKey key = first.drain().at(0).key;
  first.lose_lease();
  Flusher second(ring);
  EXPECT_EQ(first.accept(key), Acknowledged::kSuperseded);
  EXPECT_EQ(accepted(ring), 0U);
  EXPECT_EQ(second.accept(second.drain().at(0).key), Acknowledged::kDone);
  EXPECT_EQ(accepted(ring), 2U);
  EXPECT_EQ(account(ring.file()).closing, Closing::kCloses);
}

TEST(Predecessor, CannotMoveExportedEvenIfItDoesNotSeeTheNewEpochYet) {
  const TestRing ring;
  test::seal_with(ring, 0, {"a", "b"});
  Flusher first(ring);
  const SliceKey key = first.drain().at(0).key;
  first.lose_lease();
  Flusher second(ring);
  ring.header().epoch.store(first.lease.epoch());  // as a stale load would have it
  EXPECT_EQ(first.accept(key), Acknowledged::kSuperseded);
  EXPECT_EQ(ring.exported(0).offset_bytes, 0U);
  ring.header().epoch.store(second.lease.epoch());
  EXPECT_EQ(second.accept(second.drain().at(0).key), Acknowledged::kDone);
  EXPECT_EQ(accepted(ring), 2U);
}

TEST(Predecessor, CannotSpoilASetThatItsSuccessorHasFilled) {
  const TestRing ring;
  test::seal_with(ring, 0, {"a", "b"});
  Flusher first(ring);
  const ExportedWord seen = ring.exported(0);
  first.lose_lease();
  Flusher second(ring);
  const auto slices = second.drain();
  ASSERT_EQ(second.accept(slices[0].key), Acknowledged::kDone);
  // The first one goes on in the middle of its acknowledgement, with what it saw before.
  EXPECT_FALSE(
      fill_other_set(ring.header(), ring.descriptor(0), seen, Signal::kLogs, {100}, first.lease.epoch()));
  EXPECT_EQ(ring.outcome(0, Outcome::kAccepted), 2U);
  EXPECT_EQ(account(ring.file()).closing, Closing::kCloses);
}

TEST(Predecessor, MayHaveFilledHalfASetWhenItDied) {
  const TestRing ring;
  test::seal_with(ring, 0, {"a", "b"});
  Flusher first(ring);
  const ExportedWord seen = ring.exported(0);
  ASSERT_TRUE(fill_other_set(ring.header(), ring.descriptor(0), seen, Signal::kLogs, {100, 100, 100},
                             first.lease.epoch()));
  EXPECT_EQ(account(ring.file()).closing, Closing::kCloses);  // nobody looks at that set
  first.lose_lease();
  Flusher second(ring);
  ASSERT_EQ(second.accept(second.drain().at(0).key), Acknowledged::kDone);
  EXPECT_EQ(ring.outcome(0, Outcome::kAccepted), 2U);
  EXPECT_EQ(ring.outcome(0, Outcome::kRejected), 0U);
  EXPECT_EQ(account(ring.file()).closing, Closing::kCloses);
}

TEST(Predecessor, CannotTakeAwayAPinThatIsItsSuccessorsNow) {
  const TestRing ring;
  test::seal_with(ring, 0, {"a"});
  Flusher first(ring);
  ASSERT_EQ(first.drain().size(), 1U);
  EXPECT_EQ(ring.state(0).pin, pin_of(first.lease.epoch()));
  first.lose_lease();
  Flusher second(ring);
  EXPECT_EQ(ring.state(0).pin, pin_of(second.lease.epoch()));
  first.reader->release_all();
  first.drain();
  EXPECT_EQ(ring.state(0).pin, pin_of(second.lease.epoch()));
  EXPECT_EQ(second.accept(second.drain().at(0).key), Acknowledged::kDone);
}

TEST(Successors, OfManyGenerationsKeepTheTotals) {
  const TestRing ring;
  const Ring opened = ring.open();
  for (int life = 0; life < 70; ++life) {  // over the wrap of the five epoch bits, twice
    Flusher flusher(ring);
    ASSERT_TRUE(test::emit(opened, std::to_string(life)));
    const auto slices = flusher.drain();
    ASSERT_EQ(texts(slices), Texts{std::to_string(life)});
    ASSERT_EQ(flusher.accept(slices[0].key), Acknowledged::kDone);
  }
  EXPECT_EQ(accepted(ring), 70U);
  EXPECT_EQ(account(ring.file()).closing, Closing::kCloses);
}

}  // namespace
}  // namespace shmring
