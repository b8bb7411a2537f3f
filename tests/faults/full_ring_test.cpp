// SPDX-License-Identifier: Apache-2.0
// FAULTS: more writers than blocks; ring full for hours, flusher away. A loss equals its counter, is told of once and not per
// record, and ends with the first block that comes back.
#include <gtest/gtest.h>

#include <atomic>
#include <thread>
#include <vector>

#include "shmring/shmring.hpp"
#include "tests/support/promise.hpp"

namespace shmring::testing {
namespace {

std::atomic<std::uint32_t> told{0};

TEST(FaultRingFull, MoreWritersThanBlocksLoseWhatIsCountedAndAreToldOnce) {
  Promise promise({.blocks = 4, .block_bytes = 4096, .writers = 32});
  told = 0;
  set_error_handler([](DropCause, std::string_view) { ++told; });
  const Logger logger = promise.scratch().open().logger("test");
  std::atomic<std::uint64_t> refused{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < 16; ++t) {
    threads.emplace_back([&] {
      for (int n = 0; n < 2000; ++n) refused += emit_one(logger, promise.obligations()) ? 0 : 1;
    });
  }
  for (std::thread& thread : threads) thread.join();
  set_error_handler(nullptr);
  ASSERT_GT(refused.load(), 0U) << "there was room for all: the fault did not happen";
  EXPECT_EQ(dropped(promise.accounting(), DropCause::kRingFull), refused.load());
  EXPECT_EQ(promise.accounting().total.dropped_total(), refused.load());
  EXPECT_EQ(told.load(), 1U);
  promise.expect_kept();
  promise.expect_blocks_back();
}

/// The oracle's own: behind its memory the kernel maps the ring, and its header was once overwritten by a test that had emitted into a
/// full ring for too long.
TEST(FaultRingFull, ATestThatRunsOutOfIdsEndsBeforeItWritesBehindThem) {
  const Shared<Obligations> obligations;
  obligations->issued = kMaxIds - 1;
  EXPECT_EQ(obligations->issue(), kMaxIds - 1);
  EXPECT_DEATH(obligations->issue(), "more than 1048576 ids");
}

/// Hours are nothing but many refusals.
TEST(FaultRingFull, RingFullForLongAndTheFlusherAwayItTakesRecordsAgainAtOnce) {
  Promise promise({.blocks = 8, .block_bytes = 4096, .writers = 4});
  const Logger logger = promise.scratch().open().logger("test");
  while (emit_one(logger, promise.obligations())) {
  }
  std::uint64_t refused = 1;
  for (int n = 0; n < 300'000; ++n) refused += logger.emit(Severity::kInfo, "x") ? 0 : 1;
  // A small record may have found its place behind the last large one; all others were refused.
  const Accounting full = promise.accounting();
  EXPECT_EQ(dropped(full, DropCause::kRingFull), refused);
  const std::uint64_t small = 300'001 - refused;
  Drainer drainer(promise.file());
  drainer.pass(promise.deliveries());
  EXPECT_TRUE(emit_one(logger, promise.obligations())) << "not after the first pass of a flusher";
  drainer.empty(promise.deliveries());
  EXPECT_EQ(promise.deliveries().lost(promise.obligations()), 0U);
  EXPECT_EQ(promise.deliveries().mangled(), small) << "the small ones are none of the oracle's";
  expect_closed(promise.file());
}

}  // namespace
}  // namespace shmring::testing
