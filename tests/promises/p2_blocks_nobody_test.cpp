// SPDX-License-Identifier: Apache-2.0
// P2: a producer that dies or stops anywhere blocks nobody: not another producer, not the flusher.
#include <gtest/gtest.h>
#include <unistd.h>

#include <atomic>
#include <cstdint>
#include <cstring>
#include <utility>

#include "tests/support/child.hpp"
#include "tests/support/eventually.hpp"
#include "tests/support/promise.hpp"
#include "tests/support/scale.hpp"
#include "tests/support/splitmix.hpp"

namespace shmring::testing {
namespace {

/// What a child of these tests does between reserve and commit.
enum class Interruption { kKilled, kStopped };

/// Writes `records`, then reserves one more and is interrupted with half of it written. 0: after that it could commit.
int emit_with_interruption(const Ring& ring, Obligations& obligations, std::uint32_t records,
                           Interruption how) {
  if (emit_many(ring.logger("test"), obligations, records) != records) return 1;
  const std::uint32_t id = obligations.issue();
  const std::vector<std::byte> payload = payload_of(id);
  Slot slot = ring.writer().try_reserve(RecordKind::kLog, payload.size(), ring.scope({"test"}));
  if (!slot) return 2;
  std::memcpy(slot.payload().data(), payload.data(), payload.size() / 2);
  ::raise(how == Interruption::kKilled ? SIGKILL : SIGSTOP);
  std::memcpy(slot.payload().data(), payload.data(), payload.size());
  if (!std::move(slot).commit()) return 3;
  obligations.oblige(id);
  return 0;
}

TEST(ProducerKilledBetweenReserveAndCommit, HoldsUpNobodyAndLeavesNothing) {
  Promise promise({.blocks = 16});
  const Ring ring = promise.scratch().open();
  Drainer drainer(promise.file());
  for (std::uint32_t n = 0; n < scaled(500); ++n) {
    const Ended ended = in_child(
        [&] { return emit_with_interruption(ring, promise.obligations(), n % 3, Interruption::kKilled); });
    ASSERT_TRUE(ended.by(SIGKILL)) << ended.text();
    // Others write on at once, and what they write arrives in the next pass, ahead of any decision about the dead.
    ASSERT_TRUE(emit_one(ring.logger("test"), promise.obligations()));
    drainer.pass(promise.deliveries());
    ASSERT_TRUE(promise.deliveries().arrived(promise.obligations().issued.load() - 1));
  }
  promise.expect_kept(drainer);
  promise.expect_blocks_back();
}

TEST(ProducerStoppedBetweenReserveAndCommit, HoldsUpNobodyAndKeepsItsBlock) {
  Promise promise({.blocks = 16});
  const Ring ring = promise.scratch().open();
  Drainer drainer(promise.file());
  Child stopped = Child::forked(
      [&] { return emit_with_interruption(ring, promise.obligations(), 3, Interruption::kStopped); });
  stopped.wait_until_stopped();
  const std::uint32_t its_record = promise.obligations().issued.load() - 1;
  // The first block is its: nobody else has written yet.
  const auto owner = [&] { return StateWord::unpack(promise.file().descriptors()[0].state.load()); };
  const StateWord before = owner();
  ASSERT_EQ(before.state, BlockState::kOpen);

  // Far more than the ring holds: everybody else goes round it many times.
  const std::uint32_t others = scaled(100'000);
  for (std::uint32_t n = 0; n < others; ++n) {
    ASSERT_TRUE(emit_one(ring.logger("test"), promise.obligations()));
    if (n % 32 == 0) drainer.pass(promise.deliveries());
  }
  drainer.empty(promise.deliveries());
  EXPECT_EQ(promise.deliveries().total(), others + 3U);
  const StateWord during = owner();
  EXPECT_EQ(during.state, BlockState::kOpen);
  EXPECT_EQ(during.writer, before.writer);
  EXPECT_EQ(during.writer_generation, before.writer_generation);
  EXPECT_EQ(during.block_generation, before.block_generation);

  stopped.signal(SIGCONT);
  const Ended ended = stopped.wait();
  EXPECT_TRUE(ended.with(0)) << ended.text();
  EXPECT_TRUE(promise.obligations().is_obligation(its_record));
  promise.expect_kept(drainer);
  EXPECT_TRUE(promise.deliveries().arrived(its_record));
  promise.expect_blocks_back();
}

TEST(ProducerStoppedAtAnyInstant, HoldsUpNobodyAndGoesOnAfterwards) {
  Promise promise;
  const Ring ring = promise.scratch().open();
  Drainer drainer(promise.file());
  SplitMix random(2);
  // Slows down when it is not drained, so that what it commits while it runs stays below what can be told apart.
  Child child = Child::forked([&]() -> int {
    const Logger logger = ring.logger("test");
    for (;;) {
      emit_one(logger, promise.obligations());
      ::usleep(20);
    }
  });
  for (std::uint32_t n = 0; n < scaled(500); ++n) {
    const std::uint32_t before = promise.obligations().issued.load();
    ASSERT_TRUE(eventually([&] { return promise.obligations().issued.load() > before; }));
    spin(random.below(5000));
    child.signal(SIGSTOP);
    child.wait_until_stopped();
    ASSERT_TRUE(emit_one(ring.logger("test"), promise.obligations()));
    const std::uint32_t mine = promise.obligations().issued.load() - 1;
    drainer.pass(promise.deliveries());
    ASSERT_TRUE(promise.deliveries().arrived(mine));
    child.signal(SIGCONT);
  }
  child.signal(SIGKILL);
  ASSERT_TRUE(child.wait().by(SIGKILL));
  promise.expect_kept(drainer);
  promise.expect_blocks_back();
}

TEST(ProducerStoppedInAFullRing, LeavesOthersWithAnAnswerForEachRecord) {
  Promise promise({.blocks = 8});
  const Ring ring = promise.scratch().open();
  Child stopped = Child::forked(
      [&] { return emit_with_interruption(ring, promise.obligations(), 1, Interruption::kStopped); });
  stopped.wait_until_stopped();
  // No flusher: the ring fills, and then each emit has to return with a drop, not wait for the stopped.
  constexpr std::uint32_t kAttempts = 5000;
  const std::uint32_t committed = emit_many(ring.logger("test"), promise.obligations(), kAttempts);
  EXPECT_GT(committed, 0U);
  EXPECT_LT(committed, kAttempts);
  EXPECT_EQ(dropped(promise.accounting(), DropCause::kRingFull), kAttempts - committed);
  stopped.signal(SIGCONT);
  EXPECT_TRUE(stopped.wait().with(0));
  promise.expect_kept();
  promise.expect_blocks_back();
}

TEST(FlusherStoppedMidDrain, LeavesProducersWithAnAnswerForEachRecord) {
  Promise promise({.blocks = 8});
  const Ring ring = promise.scratch().open();
  const Logger logger = ring.logger("test");
  ASSERT_EQ(emit_many(logger, promise.obligations(), 20), 20U);
  Child flusher = Child::forked([&] {
    Drainer drainer(promise.file());
    drainer.reader().drain(kNoLimit, [](Slice&&) { return ::raise(SIGSTOP) == 0; });
    return 0;
  });
  flusher.wait_until_stopped();
  constexpr std::uint32_t kAttempts = 5000;
  const std::uint32_t committed = emit_many(logger, promise.obligations(), kAttempts);
  EXPECT_GT(committed, 0U);
  EXPECT_EQ(dropped(promise.accounting(), DropCause::kRingFull), kAttempts - committed);
  // It keeps its lease (DESIGN 3.2): only its end makes way.
  EXPECT_EQ(value_or_abort(lease_state(promise.file())), LeaseState::kHeld);
  flusher.signal(SIGKILL);
  ASSERT_TRUE(flusher.wait().by(SIGKILL));
  promise.expect_kept();
}

}  // namespace
}  // namespace shmring::testing
