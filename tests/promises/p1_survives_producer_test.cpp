// SPDX-License-Identifier: Apache-2.0
// P1: a committed record survives its producer, however and wherever that ends.
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <string>
#include <thread>

#include "libshmring/liveness.hpp"
#include "tests/support/child.hpp"
#include "tests/support/emitter_program.hpp"
#include "tests/support/eventually.hpp"
#include "tests/support/promise.hpp"
#include "tests/support/scale.hpp"
#include "tests/support/splitmix.hpp"

namespace shmring::testing {
namespace {

class EndOfAProducer : public ::testing::TestWithParam<Ending> {};

TEST_P(EndOfAProducer, TakesNoCommittedRecordWithIt) {
  Promise promise;
  constexpr std::uint32_t kPrograms = 5;
  constexpr std::uint32_t kRecords = 4;
  for (std::uint32_t n = 0; n < kPrograms; ++n) {
    const Ended ended = start_emitter(promise, kRecords, GetParam().name).wait();
    ASSERT_TRUE(GetParam().signal == 0 ? ended.with(0) : ended.by(GetParam().signal)) << ended.text();
  }
  ASSERT_EQ(promise.obligations().count(), kPrograms * kRecords);
  promise.expect_kept();
  promise.expect_blocks_back();
}

std::string test_name(const ::testing::TestParamInfo<Ending>& info) {
  std::string name = info.param.name;
  std::replace(name.begin(), name.end(), ' ', '_');
  return name;
}
INSTANTIATE_TEST_SUITE_P(Endings, EndOfAProducer, ::testing::ValuesIn(kEndings), test_name);

TEST(CommittedRecord, SurvivesSigkillRightAfterItsCommit) {
  Promise promise({.blocks = 512});
  const Logger logger = promise.scratch().open().logger("test");
  const std::uint32_t children = scaled(400);
  for (std::uint32_t n = 0; n < children; ++n) {
    const Ended ended = in_child([&] {
      if (emit_many(logger, promise.obligations(), 1 + n % 3) == 1 + n % 3) ::raise(SIGKILL);
      return 1;
    });
    ASSERT_TRUE(ended.by(SIGKILL)) << ended.text();
  }
  ASSERT_GE(promise.obligations().count(), children);
  promise.expect_kept();
  promise.expect_blocks_back();
}

/// A producer that never stops, killed wherever it is: inside an emit, a claim, a seal, or between two records.
TEST(CommittedRecord, SurvivesSigkillAtAnyInstant) {
  Promise promise;
  Drainer drainer(promise.file());
  const Logger logger = promise.scratch().open().logger("test");
  SplitMix random(1);
  std::uint64_t torn = 0;
  for (std::uint32_t n = 0; n < scaled(1500); ++n) {
    const std::uint32_t before = promise.obligations().issued.load();
    Child child = Child::forked([&]() -> int {
      for (;;) {  // so many at most, should nobody get round to killing it
        if (promise.obligations().issued.load() < before + 2000) emit_one(logger, promise.obligations());
      }
    });
    const std::uint64_t records = random.below(300);
    ASSERT_TRUE(eventually([&] { return promise.obligations().issued.load() > before + records; }));
    spin(random.below(5000));
    child.signal(SIGKILL);
    ASSERT_TRUE(child.wait().by(SIGKILL));
    const std::uint32_t last = promise.obligations().issued.load() - 1;
    torn += promise.obligations().is_obligation(last) ? 0 : 1;
    drainer.pass(promise.deliveries());
    if (promise.obligations().issued.load() + 4000 > kMaxIds) break;
  }
  EXPECT_GT(torn, 0U) << "no kill came between an issue and its commit: the fault never happened";
  promise.expect_kept(drainer);
  promise.expect_blocks_back();
}

TEST(CommittedRecord, SurvivesExecFromAThreadThatTheKernelDoesNotMarkAsDead) {
  Promise promise;
  ASSERT_TRUE(start_emitter(promise, 3, "exec from a thread").wait().with(0));
  // The fault: by its word, that producer still lives (R13).
  const WriterSlot& slot = promise.file().slots()[0];
  EXPECT_EQ(liveness(slot, Ask::kWord), Liveness::kAlive);
  EXPECT_EQ(liveness(slot, Ask::kWordAndProc), Liveness::kGone);
  promise.expect_kept();
  promise.expect_blocks_back();
}

TEST(CommittedRecord, OfAZombieIsDeliveredAndItsBlockComesBack) {
  Promise promise;
  const Logger logger = promise.scratch().open().logger("test");
  Child zombie = Child::forked([&] { return emit_many(logger, promise.obligations(), 3) == 3 ? 0 : 1; });
  zombie.wait_for_zombie();
  promise.expect_kept();
  promise.expect_blocks_back();
  EXPECT_TRUE(zombie.wait().with(0));
}

TEST(CommittedRecord, OfADeadOwnerWhoseForkedChildLivesOnIsDeliveredAndItsBlockComesBack) {
  Promise promise;
  const Logger logger = promise.scratch().open().logger("test");
  int hold[2];
  ASSERT_EQ(::pipe(hold), 0);
  Child owner = Child::forked([&] {
    if (emit_many(logger, promise.obligations(), 3) != 3) return 1;
    const pid_t heir = ::fork();  // has the mapping, the descriptors and the memory of its parent
    if (heir != 0) ::raise(SIGKILL);
    ::close(hold[1]);
    char none = 0;
    static_cast<void>(::read(hold[0], &none, 1));  // until the test has seen enough
    return 0;
  });
  ASSERT_TRUE(owner.wait().by(SIGKILL));
  promise.expect_kept();
  promise.expect_blocks_back();
  ::close(hold[1]);
  ::close(hold[0]);
}

TEST(CommittedRecordThreads, SurviveTheEndOfTheirThread) {
  ScratchRing scratch;
  const Ring ring = scratch.open();
  const Logger logger = ring.logger("test");
  Shared<Obligations> obligations;
  Deliveries deliveries;
  const RingFile& file = ring.core()->file();
  Drainer drainer(file);
  for (std::uint32_t n = 0; n < scaled(500); ++n) {
    std::thread([&] { EXPECT_EQ(emit_many(logger, *obligations, 3), 3U); }).join();
    if (n % 50 == 0) drainer.pass(deliveries);
  }
  drainer.empty(deliveries);
  EXPECT_EQ(deliveries.lost(*obligations), 0U);
  EXPECT_EQ(deliveries.total(), obligations->count());
  expect_closed(file);
  EXPECT_EQ(account(file).blocks.free, account(file).blocks.total);
}

}  // namespace
}  // namespace shmring::testing
