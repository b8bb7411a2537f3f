// SPDX-License-Identifier: Apache-2.0
// P4: nothing is dropped silently. Attempts, drops by cause and the fate of every written record add up exactly.
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <cstdint>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "tests/support/child.hpp"
#include "tests/support/eventually.hpp"
#include "tests/support/promise.hpp"
#include "tests/support/scale.hpp"

namespace shmring::testing {
namespace {

/// Written, and dropped by one cause only: each to the record.
void expect_books(const RingFile& file, std::uint64_t written, DropCause cause, std::uint64_t drops) {
  const Accounting accounting = account(file);
  EXPECT_EQ(accounting.total.written, written);
  EXPECT_EQ(dropped(accounting, cause), drops);
  EXPECT_EQ(accounting.total.dropped_total(), drops);
  EXPECT_EQ(accounting.total.attempted(), written + drops);
  EXPECT_EQ(accounting.signals[static_cast<std::size_t>(Signal::kLogs)].attempted(), written + drops);
  expect_closed(file);
}

TEST(Drops, OfAFullRingAreCountedToTheRecord) {
  Promise promise({.blocks = 4});
  const Logger logger = promise.scratch().open().logger("test");
  const std::uint32_t written = emit_many(logger, promise.obligations(), 1000);
  ASSERT_LT(written, 1000U);
  expect_books(promise.file(), written, DropCause::kRingFull, 1000 - written);
  promise.expect_kept();
}

TEST(Drops, AfterTheTimeoutOfPolicyBlockAreCountedToTheRecord) {
  Promise promise(
      {.blocks = 4, .on_full = FullPolicy::kBlock, .block_timeout = std::chrono::microseconds(500)});
  const Logger logger = promise.scratch().open().logger("test");
  const std::uint32_t written = emit_many(logger, promise.obligations(), 200);
  ASSERT_LT(written, 200U);
  expect_books(promise.file(), written, DropCause::kBlockTimeout, 200 - written);
  promise.expect_kept();
}

TEST(BlockedThreads, DropNothingWhileAFlusherDrains) {
  ScratchRing scratch({.blocks = 4, .on_full = FullPolicy::kBlock, .block_timeout = std::chrono::minutes(1)});
  const Ring ring = scratch.open();
  const RingFile& file = ring.core()->file();
  Shared<Obligations> obligations;
  Deliveries deliveries;
  Drainer drainer(file);
  std::atomic<bool> done{false};
  std::thread writer([&] {
    EXPECT_EQ(emit_many(ring.logger("test"), *obligations, scaled(20'000)), scaled(20'000));
    done = true;
  });
  while (!done.load()) drainer.pass(deliveries);
  writer.join();
  drainer.empty(deliveries);
  EXPECT_EQ(deliveries.lost(*obligations), 0U);
  expect_books(file, scaled(20'000), DropCause::kBlockTimeout, 0);
}

TEST(Drops, OfRecordsLargerThanTheRingTakesAreCountedToTheRecordAndTheLargestThatFitsIsWritten) {
  Promise promise;
  const Ring ring = promise.scratch().open();
  for (std::size_t excess = 1; excess <= 5; ++excess) {
    EXPECT_FALSE(ring.writer().try_reserve(RecordKind::kLog, ring.max_payload() + excess));
  }
  EXPECT_FALSE(ring.writer().try_reserve(RecordKind::kLog, SIZE_MAX));
  const std::string huge(ring.max_payload() + 1, 'x');
  EXPECT_FALSE(ring.logger("test").emit(Severity::kInfo, huge));
  Slot largest =
      ring.writer().try_reserve(RecordKind::kLog, ring.max_payload(), ring.scope({std::string(2000, 's')}));
  ASSERT_TRUE(largest);
  std::fill(largest.payload().begin(), largest.payload().end(), std::byte{1});
  EXPECT_TRUE(std::move(largest).commit());
  expect_books(promise.file(), 1, DropCause::kTooLarge, 7);
}

TEST(SlotlessThreads, HaveTheirDropsCountedToTheRecordAndToldOnce) {
  static std::atomic<int> told;
  told = 0;
  const ErrorHandler before = set_error_handler([](DropCause cause, std::string_view) {
    if (cause == DropCause::kNoWriterSlot) ++told;
  });
  ScratchRing scratch({.writers = 4});
  const Ring ring = scratch.open();
  Shared<Obligations> obligations;
  std::atomic<int> arrived{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < 10; ++t) {
    threads.emplace_back([&] {
      emit_many(ring.logger("test"), *obligations, 5);
      ++arrived;
      EXPECT_TRUE(eventually([&] { return arrived.load() == 10; }));  // nobody leaves its slot to another
    });
  }
  for (std::thread& thread : threads) thread.join();
  set_error_handler(before);
  EXPECT_EQ(told.load(), 1);
  EXPECT_EQ(obligations->count(), 20U);
  expect_books(scratch.attach(), 20, DropCause::kNoWriterSlot, 30);
}

TEST(Drops, OfASlotCommittedByAForkedChildAreCountedToTheRecord) {
  Promise promise;
  const Ring ring = promise.scratch().open();
  for (int n = 0; n < 10; ++n) {
    Slot slot = ring.writer().try_reserve(RecordKind::kLog, 8);
    ASSERT_TRUE(slot);
    ASSERT_TRUE(in_child([&] { return std::move(slot).commit() ? 1 : 0; }).with(0));
    // The parent abandons it: no attempt.
  }
  expect_books(promise.file(), 0, DropCause::kAfterFork, 10);
}

TEST(Drops, OfARawCloneAreCountedToTheRecord) {
  Promise promise;
  const Logger logger = promise.scratch().open().logger("test");
  ASSERT_TRUE(emit_one(logger, promise.obligations()));
  for (int n = 0; n < 5; ++n) {
    const auto pid = static_cast<pid_t>(::syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0));
    if (pid == 0) ::_exit(static_cast<int>(emit_many(logger, promise.obligations(), 2)));
    ASSERT_TRUE(Child(pid).wait().with(0));
  }
  expect_books(promise.file(), 1, DropCause::kUnsupportedProcess, 10);
}

const Logger* handlers_logger = nullptr;
std::atomic<int> handlers_successes{0};
void emit_in_handler(int) {
  handlers_successes += handlers_logger->emit(Severity::kInfo, "from a handler") ? 1 : 0;
}

TEST(Drops, OfAHandlerThatInterruptsAnEmitAreCountedToTheRecord) {
  Promise promise;
  const Ring ring = promise.scratch().open();
  const Logger logger = ring.logger("test");
  handlers_logger = &logger;
  handlers_successes = 0;
  ASSERT_TRUE(ring.prepare_thread());
  struct sigaction action {};
  action.sa_handler = &emit_in_handler;
  struct sigaction before {};
  ASSERT_EQ(::sigaction(SIGUSR1, &action, &before), 0);
  ::raise(SIGUSR1);  // between two emits: written
  for (int n = 0; n < 7; ++n) {
    Slot slot = ring.writer().try_reserve(RecordKind::kLog, 8);
    Slot handlers = ring.writer().try_reserve(RecordKind::kLog, 8);  // as if of a handler that interrupted it
    ASSERT_TRUE(slot && handlers);
    ::raise(SIGUSR1);  // inside of both: refused
    ASSERT_TRUE(std::move(handlers).commit());
    ASSERT_TRUE(std::move(slot).commit());
  }
  ::raise(SIGUSR1);
  ::sigaction(SIGUSR1, &before, nullptr);
  EXPECT_EQ(handlers_successes.load(), 2);
  expect_books(promise.file(), 16, DropCause::kNested, 7);
}

TEST(WhatIsNoAttempt, IsCountedNowhere) {
  Promise promise;
  const Ring ring = promise.scratch().open();
  const Logger logger = ring.logger("test");
  for (int n = 0; n < 10; ++n) {
    const Slot abandoned = ring.writer().try_reserve(RecordKind::kLog, 100);
    ASSERT_TRUE(abandoned);
  }
  ring.set_min_severity(static_cast<std::uint32_t>(Severity::kWarn));
  EXPECT_FALSE(logger.emit(Severity::kInfo, "too low"));
  EXPECT_TRUE(logger.emit(Severity::kError, "high enough"));
  expect_books(promise.file(), 1, DropCause::kRingFull, 0);
}

// ------------------------------------------------------------------------------------------------ one counter by one

/// A ring with every kind of block (free after use, open, sealed) and every outcome.
class Books : public ::testing::Test {
 protected:
  Books() : promise_({.blocks = 16}) {
    const Logger logger = promise_.scratch().open().logger("test");
    emit_many(logger, promise_.obligations(), 60);
    const Lease lease = value_or_abort(Lease::try_take(promise_.file()));
    const auto reader = value_or_abort(Reader::create(promise_.file(), lease));
    std::vector<SliceKey> keys;
    reader->drain(kNoLimit, [&keys](Slice&& slice) {
      keys.push_back(slice.key);
      return true;
    });
    for (const SliceKey& key : keys) {
      OutcomeCounts counts{};
      for (std::uint64_t n = 0; n < key.records(); ++n) ++counts[n % kOutcomeCount];
      EXPECT_EQ(reader->acknowledge(key, counts), Reader::Acknowledged::kDone);
    }
    reader->drain(kNoLimit, [](Slice&&) { return true; });
    emit_many(logger, promise_.obligations(), 60);
  }

  Closing closing() const { return account(promise_.file()).closing; }

  /// Adds to a word what makes a counter in it one more (or one less), looks, and takes it back.
  void expect_noticed(std::atomic<std::uint64_t>& word, std::uint64_t one, const std::string& which) {
    for (const std::uint64_t change : {one, std::uint64_t{0} - one}) {
      const std::uint64_t before = word.fetch_add(change);
      EXPECT_NE(closing(), Closing::kCloses) << which;
      word.store(before);
      EXPECT_EQ(closing(), Closing::kCloses) << which;
    }
  }

  Promise promise_;
};

TEST_F(Books, CloseAfterEveryKindOfOutcome) {
  const Accounting accounting = promise_.accounting();
  for (std::size_t o = 0; o < kOutcomeCount; ++o) EXPECT_GT(accounting.total.outcomes[o], 0U);
  EXPECT_GT(accounting.total.pending, 0U);
  EXPECT_GT(accounting.blocks.free, 0U);
  EXPECT_GT(accounting.blocks.open, 0U);
  EXPECT_GT(accounting.blocks.sealed, 0U);
  EXPECT_EQ(accounting.total.written, 120U);
  expect_closed(promise_.file());
}

TEST_F(Books, DoNotCloseWhenAnyCounterOfAnyBlockIsOffByOne) {
  for (std::uint32_t index = 0; index < promise_.file().geometry().block_count; ++index) {
    BlockDescriptor& d = promise_.file().descriptors()[index];
    const std::string block = "block " + std::to_string(index) + ", ";
    expect_noticed(d.committed, std::uint64_t{1} << kCountShift, block + "committed");
    expect_noticed(d.exported, std::uint64_t{1} << kCountShift, block + "exported");
    const std::uint32_t set = ExportedWord::unpack(d.exported.load()).set;
    for (std::size_t s = 0; s < kSignalCount; ++s) {
      for (std::size_t o = 0; o < kOutcomeCount; ++o) {
        if (d.outcomes[set][s][o].load() == 0) {
          const std::uint64_t before = d.outcomes[set][s][o].fetch_add(1);
          EXPECT_NE(closing(), Closing::kCloses) << block << "signal " << s << ", outcome " << o;
          d.outcomes[set][s][o].store(before);
          continue;
        }
        expect_noticed(d.outcomes[set][s][o], 1,
                       block + "signal " + std::to_string(s) + ", outcome " + std::to_string(o));
      }
    }
  }
}

TEST_F(Books, CloseWhateverStandsInTheSetOfOutcomesThatIsNotValid) {
  for (BlockDescriptor& d : promise_.file().descriptors()) {
    const std::uint32_t set = ExportedWord::unpack(d.exported.load()).set ^ 1U;
    d.outcomes[set][0][0].fetch_add(12'345);
  }
  EXPECT_EQ(closing(), Closing::kCloses);
}

/// Drops have no second count to be compared with: what a drop counter says is added to the attempts.
TEST_F(Books, TakeADropAsItIsCounted) {
  const std::uint64_t before = promise_.accounting().total.attempted();
  promise_.file().slots()[0].dropped[0][0].fetch_add(1);
  promise_.file().header().dropped[0][0].fetch_add(1);
  EXPECT_EQ(promise_.accounting().total.attempted(), before + 2);
  EXPECT_EQ(closing(), Closing::kCloses);
}

#ifdef SHMRING_CLI
int status_of(const std::filesystem::path& ring) {
  const Ended ended = in_child([&]() -> int {
    if (::freopen("/dev/null", "w", stdout) == nullptr) return 126;
    ::execl(SHMRING_CLI, SHMRING_CLI, "status", ring.c_str(), nullptr);
    return 127;
  });
  return WIFEXITED(ended.status) ? WEXITSTATUS(ended.status) : -1;
}

/// What a spool took over, `shmring status` asks of the spool, and here is none.
void accept_what_is_spooled(BlockDescriptor& d) {
  auto& cells = d.outcomes[ExportedWord::unpack(d.exported.load()).set];
  for (auto& of_signal : cells) {
    auto& spooled = of_signal[static_cast<std::size_t>(Outcome::kSpooled)];
    const std::uint64_t records = OutcomeCell::unpack(spooled.load()).records;
    spooled.fetch_sub(records);
    of_signal[static_cast<std::size_t>(Outcome::kAccepted)].fetch_add(records);
  }
}

TEST_F(Books, OffByOneMakeShmringStatusEndWithOne) {
  EXPECT_EQ(status_of(promise_.scratch().path()), 1) << "records are said to be in a spool that nobody has";
  for (BlockDescriptor& d : promise_.file().descriptors()) accept_what_is_spooled(d);
  EXPECT_EQ(status_of(promise_.scratch().path()), 0);
  for (BlockDescriptor& d : promise_.file().descriptors()) {
    const std::uint64_t before = d.committed.fetch_add(std::uint64_t{1} << kCountShift);
    EXPECT_EQ(status_of(promise_.scratch().path()), 1);
    d.committed.store(before);
  }
  EXPECT_EQ(status_of(promise_.scratch().path()), 0);
}
#endif

TEST(BooksInMotion, AreNeverOpenWhileOthersWriteAndDrain) {
  Promise promise({.blocks = 16});
  const Logger logger = promise.scratch().open().logger("test");
  const auto write_for_ever = [&]() -> int {
    for (;;) {
      if (promise.obligations().issued.load() + 10 > kMaxIds) ::pause();
      if (!emit_one(logger, promise.obligations())) std::this_thread::yield();
    }
  };
  Child writers[] = {Child::forked(write_for_ever), Child::forked(write_for_ever)};
  Shared<std::atomic<int>> stop;
  Child flusher = Child::forked([&] {
    Drainer drainer(promise.file());
    Deliveries none;
    while (stop->load() == 0) drainer.pass(none);
    return none.mangled() == 0 ? 0 : 1;
  });
  std::uint32_t exact = 0;
  for (std::uint32_t n = 0; n < scaled(5000); ++n) {
    const Accounting accounting = account(promise.file());
    ASSERT_NE(accounting.closing, Closing::kOpen) << "in look " << n;
    exact += accounting.closing == Closing::kCloses ? 1 : 0;
  }
  EXPECT_GT(exact, 0U);
  for (Child& writer : writers) {
    writer.signal(SIGKILL);
    static_cast<void>(writer.wait());
  }
  stop->store(1);
  EXPECT_TRUE(flusher.wait().with(0));
  Deliveries rest;
  Drainer(promise.file()).empty(rest);
  expect_closed(promise.file());
}

}  // namespace
}  // namespace shmring::testing
