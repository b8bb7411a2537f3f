// SPDX-License-Identifier: Apache-2.0
// Emits of handlers that interrupt emits (R20), and emits that are left by longjmp.
#include "libshmring/nesting.hpp"

#include <gtest/gtest.h>
#include <linux/futex.h>
#include <setjmp.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <functional>

#include "libshmring/accounting.hpp"
#include "libshmring/claim.hpp"
#include "shmring/logger.hpp"
#include "shmring/tracer.hpp"
#include "tests/libshmring/ring_test_support.hpp"

namespace shmring {
namespace {

using test::emit;
using test::Flusher;
using test::TestRing;
using test::texts;

/// Runs `body` in a handler of SIGUSR1, on this thread's ordinary or alternate stack.
void in_handler(const std::function<void()>& body, int flags = 0, int signal = SIGUSR1) {
  static const std::function<void()>* running = nullptr;
  const std::function<void()>* const outer = std::exchange(running, &body);
  struct sigaction action {};
  action.sa_handler = [](int) { (*running)(); };
  action.sa_flags = flags | SA_NODEFER;
  struct sigaction before {};
  ::sigaction(signal, &action, &before);
  ::raise(signal);
  ::sigaction(signal, &before, nullptr);
  running = outer;
}

/// An alternate stack of the calling thread.
class AlternateStack {
 public:
  AlternateStack() : memory_(64U << 10U) {
    const stack_t stack{.ss_sp = memory_.data(), .ss_flags = 0, .ss_size = memory_.size()};
    EXPECT_EQ(::sigaltstack(&stack, nullptr), 0);
  }
  ~AlternateStack() {
    const stack_t none{.ss_sp = nullptr, .ss_flags = SS_DISABLE, .ss_size = 0};
    ::sigaltstack(&none, nullptr);
  }
  AlternateStack(const AlternateStack&) = delete;
  AlternateStack& operator=(const AlternateStack&) = delete;

  std::uintptr_t begin() const { return reinterpret_cast<std::uintptr_t>(memory_.data()); }

 private:
  std::vector<char> memory_;
};

std::vector<std::string> content(const TestRing& ring) {
  Flusher flusher(ring);
  std::vector<std::string> all = texts(flusher.drain());
  std::sort(all.begin(), all.end());
  return all;
}

using Strings = std::vector<std::string>;

TEST(NestedEmit, WritesToABlockOfItsOwn) {
  const TestRing ring;
  const Ring opened = ring.open();
  auto slot = opened.writer().try_reserve(RecordKind::kLog, 5);
  bool written = false;
  in_handler([&] { written = emit(opened, "inner"); });
  EXPECT_TRUE(written);
  std::memcpy(slot.payload().data(), "outer", 5);
  EXPECT_TRUE(std::move(slot).commit());
  EXPECT_EQ(ring.blocks_in(BlockState::kOpen), 2U);
  EXPECT_EQ(content(ring), (Strings{"inner", "outer"}));
  EXPECT_EQ(account(ring.file()).total.dropped_total(), 0U);
}

TEST(NestedEmit, ThatInterruptsAnotherIsRefusedAndCounted) {
  const TestRing ring;
  const Ring opened = ring.open();
  auto slot = opened.writer().try_reserve(RecordKind::kLog, 5);
  bool third = true;
  in_handler([&] {
    auto second = opened.writer().try_reserve(RecordKind::kLog, 6);
    in_handler([&] { third = emit(opened, "third"); });
    std::memcpy(second.payload().data(), "second", 6);
    EXPECT_TRUE(std::move(second).commit());
  });
  EXPECT_FALSE(third);
  EXPECT_EQ(ring.slot_drops(0, DropCause::kNested), 1U);
  std::memcpy(slot.payload().data(), "first", 5);
  EXPECT_TRUE(std::move(slot).commit());
  EXPECT_EQ(content(ring), (Strings{"first", "second"}));
}

TEST(NestedEmit, NeverWaitsAndIsNotTold) {
  static std::atomic<int> warnings_told;
  warnings_told = 0;
  const TestRing ring({.blocks = 4, .on_full = FullPolicy::kBlock, .block_timeout = std::chrono::minutes(1)});
  for (std::uint32_t i = 1; i < 4; ++i) test::seal_with(ring, i, {"x"});
  const Ring opened = ring.open();
  set_error_handler([](DropCause, std::string_view) { ++warnings_told; });
  auto slot = opened.writer().try_reserve(RecordKind::kLog, 1);
  bool written = true;
  in_handler([&] { written = emit(opened, "inner"); });  // waiting would take a minute, and hold the slot
  set_error_handler(nullptr);
  EXPECT_FALSE(written);
  EXPECT_EQ(ring.slot_drops(0, DropCause::kRingFull), 1U);
  EXPECT_EQ(warnings_told.load(), 0);
}

TEST(NestedEmit, OfADeadThreadIsDeliveredAndItsBlocksComeBack) {
  const TestRing ring;
  const Ring opened = ring.open();
  std::thread([&] {
    auto slot = opened.writer().try_reserve(RecordKind::kLog, 5);
    in_handler([&] { EXPECT_TRUE(emit(opened, "inner")); });
    ASSERT_TRUE(std::move(slot).commit(0));
  }).join();
  Flusher flusher(ring);
  for (const Slice& slice : flusher.drain())
    EXPECT_EQ(flusher.accept(slice.key), Reader::Acknowledged::kDone);
  flusher.drain();
  EXPECT_EQ(ring.blocks_in(BlockState::kFree), 4U);
}

TEST(NestedEmit, OfTheNextHolderAdoptsWhatBothLevelsLeft) {
  const TestRing ring({.blocks = 4});
  for (std::uint32_t i = 2; i < 4; ++i) test::seal_with(ring, i, {"x"});
  const Ring opened = ring.open();
  for (int n = 0; n < 3; ++n) {
    std::thread([&] {
      auto slot = opened.writer().try_reserve(RecordKind::kLog, 0);
      in_handler([&] { EXPECT_TRUE(emit(opened, "")); });
      EXPECT_TRUE(std::move(slot).commit());
    }).join();
  }
  EXPECT_EQ(ring.committed(0).count() + ring.committed(1).count(), 6U);
}

// ------------------------------------------------------------------------------------------------------ left by longjmp

/// Bytes that may not be read: an emit that copies them faults while it holds its slot.
std::string_view forbidden_text() {
  static void* const page = ::mmap(nullptr, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  return {static_cast<const char*>(page), 100};
}

sigjmp_buf torn_out;

void emit_and_be_torn_out(const Logger& log) {
  struct sigaction action {};
  action.sa_handler = [](int) { ::siglongjmp(torn_out, 1); };
  struct sigaction before {};
  ::sigaction(SIGSEGV, &action, &before);
  if (::sigsetjmp(torn_out, 1) == 0) {
    log.emit(Severity::kInfo, forbidden_text());
    ADD_FAILURE() << "nothing tore it out";
  }
  ::sigaction(SIGSEGV, &before, nullptr);
}

TEST(LeftEmit, LeavesItsLevelToTheNext) {
  const TestRing ring;
  const Ring opened = ring.open();
  const Logger log = opened.logger("test");
  for (int n = 0; n < 10; ++n) {
    ASSERT_TRUE(log.emit(Severity::kInfo, "before"));
    emit_and_be_torn_out(log);
    ASSERT_TRUE(log.emit(Severity::kInfo, "after"));
  }
  EXPECT_EQ(ring.blocks_in(BlockState::kOpen), 1U);  // all of them on one level
  EXPECT_EQ(account(ring.file()).total.written, 20U);
  EXPECT_EQ(account(ring.file()).total.dropped_total(), 0U);
}

/// Every second one of these emits, all from the same place, is torn out: a later one is at the same depth, and finds out.
template <typename Emit>
void expect_to_be_found_out_from_the_same_place(const TestRing& ring, Emit emit_text) {
  struct sigaction action {};
  action.sa_handler = [](int) { ::siglongjmp(torn_out, 1); };
  struct sigaction before {};
  ::sigaction(SIGSEGV, &action, &before);
  static int n = 0;  // static: keeps its value over a jump
  for (n = 0; n < 11; ++n) {
    if (::sigsetjmp(torn_out, 1) == 0) {
      EXPECT_TRUE(emit_text(n % 2 == 0 ? std::string_view("whole") : forbidden_text()));
    }
  }
  ::sigaction(SIGSEGV, &before, nullptr);
  EXPECT_EQ(this_thread_writers->levels[0].busy.load(), WriterLevel::kFree);
  EXPECT_EQ(ring.blocks_in(BlockState::kOpen), 1U);
  EXPECT_EQ(account(ring.file()).total.written, 6U);
  EXPECT_EQ(account(ring.file()).total.dropped_total(), 0U);
}

TEST(LeftEmit, IsFoundOutByTheNextFromTheSamePlace) {
  const TestRing ring;
  const Logger log = ring.open().logger("test");
  expect_to_be_found_out_from_the_same_place(
      ring, [&](std::string_view text) { return log.emit(Severity::kInfo, text); });
}

TEST(LeftEmit, OfACallSiteIsFoundOutByTheNextFromTheSamePlace) {
  constexpr LogSite<Severity::kInfo, "site", "text"> kSite;
  const TestRing ring;
  const Logger log = ring.open().logger("test");
  expect_to_be_found_out_from_the_same_place(ring,
                                             [&](std::string_view text) { return log.emit(kSite, text); });
}

TEST(LeftEmit, OfASpansEndIsFoundOutByTheNextFromTheSamePlace) {
  constexpr SpanSite<"site", SpanKind::kInternal, "text"> kSite;
  const TestRing ring;
  const Tracer tracer = ring.open().tracer("test");
  expect_to_be_found_out_from_the_same_place(
      ring, [&](std::string_view text) { return tracer.start(kSite).end(text); });
}

TEST(LeftEmit, OfAMeasuredSpanIsFoundOutByTheNextFromTheSamePlace) {
  constexpr SpanSite<"site", SpanKind::kInternal, "text"> kSite;
  const TestRing ring;
  const Tracer tracer = ring.open().tracer("test");
  const MeasuredSpan span{.context = {tracer.new_trace_id(), tracer.new_span_id()}};
  expect_to_be_found_out_from_the_same_place(
      ring, [&](std::string_view text) { return tracer.emit(kSite, span, text); });
}

TEST(LeftEmit, OnTheAlternateStackLeavesItsLevelToo) {
  const TestRing ring;
  const Ring opened = ring.open();
  const Logger log = opened.logger("test");
  ASSERT_TRUE(log.emit(Severity::kInfo, "first"));
  const AlternateStack stack;
  for (int n = 0; n < 4; ++n) in_handler([&] { emit_and_be_torn_out(log); }, SA_ONSTACK);
  EXPECT_TRUE(log.emit(Severity::kInfo, "last"));
  EXPECT_EQ(account(ring.file()).total.written, 2U);
}

TEST(LeftEmitProcesses, ByAVforkChildThatEndsInItIsFoundOut) {
  const TestRing ring;
  const Ring opened = ring.open();
  const Logger log = opened.logger("test");
  ASSERT_TRUE(log.emit(Severity::kInfo, "parent"));
  const pid_t child = ::vfork();
  if (child == 0) {
    ::signal(SIGSEGV, [](int) { ::_exit(0); });
    log.emit(Severity::kInfo, forbidden_text());
    ::_exit(1);
  }
  ASSERT_EQ(::waitpid(child, nullptr, 0), child);
  EXPECT_NE(this_thread_writers->levels[0].busy.load(), WriterLevel::kFree);
  ASSERT_TRUE(log.emit(Severity::kInfo, "parent again"));
  EXPECT_EQ(this_thread_writers->levels[0].busy.load(), WriterLevel::kFree);
  EXPECT_EQ(ring.blocks_in(BlockState::kOpen), 1U);
}

TEST(LeftEmit, OfASlotThatMayHaveMovedIsNotTakenForOver) {
  const TestRing ring;
  const Ring opened = ring.open();
  ASSERT_TRUE(emit(opened, "a"));
  WriterState& state = *this_thread_writers;
  ASSERT_EQ(enter_level(state, WriterLevel::kUnknownFrame), &state.levels[0]);
  EXPECT_EQ(enter_level(state, reinterpret_cast<std::uintptr_t>(__builtin_frame_address(0))),
            &state.levels[1]);
  EXPECT_EQ(enter_level(state, WriterLevel::kUnknownFrame), nullptr);
  for (WriterLevel& level : state.levels) leave_level(level);
}

TEST(LeftEmit, IsNotTakenForOverAcrossStacks) {
  const TestRing ring;
  const Ring opened = ring.open();
  ASSERT_TRUE(emit(opened, "a"));
  WriterState& state = *this_thread_writers;
  const AlternateStack stack;
  in_handler(
      [&] {
        const auto here = reinterpret_cast<std::uintptr_t>(__builtin_frame_address(0));
        state.levels[0].busy.store(stack.begin() -
                                   64);  // an emit of another stack that happens to lie just below
        EXPECT_TRUE(on_alternate_stack());
        EXPECT_EQ(enter_level(state, here), &state.levels[1]);
      },
      SA_ONSTACK);
  EXPECT_FALSE(on_alternate_stack());
  for (WriterLevel& level : state.levels) leave_level(level);
}

TEST(ForgottenBlock, IsSealedByTheNextClaimAndNoOther) {
  const TestRing ring({.blocks = 8});
  const Ring opened = ring.open();
  ASSERT_TRUE(emit(opened, "mine"));
  WriterState& state = *this_thread_writers;
  // Torn out of a claim: won, in no list.
  const auto forgotten = [&](std::uint32_t index, BlockState block_state) {
    ring.descriptor(index).state.store(word_of(state, block_state, Signal::kTraces, 0).pack());
  };
  forgotten(5, BlockState::kOpen);
  forgotten(6, BlockState::kEvict);
  test::hold_slot(ring.slot(2), 5, test::own_tid());
  ring.descriptor(7).state.store(
      StateWord{.state = BlockState::kOpen, .writer = 2, .writer_generation = 5}.pack());
  ASSERT_TRUE(emit(opened, "s", RecordKind::kSpan));  // a claim, and no flag: it does not look
  EXPECT_EQ(ring.state(5).state, BlockState::kOpen);
  state.levels[0].claiming.store(true);
  state.levels[1].claiming.store(true);  // may have won one that is not in its list yet
  ASSERT_TRUE(emit(opened, "m", RecordKind::kMetric));
  EXPECT_EQ(ring.state(5).state, BlockState::kOpen);
  state.levels[1].claiming.store(false);
  ASSERT_TRUE(emit(opened, std::string(3500, 'x')));
  EXPECT_EQ(ring.state(5).state, BlockState::kOpen);  // it fitted: no claim
  ASSERT_TRUE(emit(opened, std::string(3500, 'y')));
  EXPECT_EQ(ring.state(5).state, BlockState::kSealed);
  EXPECT_EQ(ring.state(6).state, BlockState::kSealed);
  EXPECT_EQ(ring.state(7).state, BlockState::kOpen);
  EXPECT_FALSE(state.levels[0].forgot_a_block.load());
  EXPECT_EQ(content(ring).size(), 5U);
}

TEST(ForgottenBlock, OfAnotherListIsNotSealedInPlaceOfARunThatIsGone) {
  const TestRing ring({.blocks = 8});
  const Ring opened = ring.open();
  ASSERT_TRUE(emit(opened, std::string(6000, 'x')));
  Flusher flusher(ring);
  for (const Slice& slice : flusher.drain())
    EXPECT_EQ(flusher.accept(slice.key), Reader::Acknowledged::kDone);
  ASSERT_EQ(ring.blocks_in(BlockState::kFree), 8U);
  ring.header().next_block[0].hint.store(0);
  ASSERT_TRUE(emit(opened, "span", RecordKind::kSpan));  // the block that headed the run
  ASSERT_EQ(ring.state(0).state, BlockState::kOpen);
  ASSERT_TRUE(emit(opened, "log"));
  EXPECT_EQ(ring.state(0).state, BlockState::kOpen);
}

TEST(LeftRun, ThatHoldsARecordIsSealedAndNotGivenBack) {
  const TestRing ring({.blocks = 8});
  const Ring opened = ring.open();
  {
    auto slot = opened.writer().try_reserve(RecordKind::kLog, 6000);
    ASSERT_TRUE(slot);
    std::memset(slot.payload().data(), 'r', 6000);
    // As a commit leaves it that is torn out before it seals.
    OpenBlock& block = this_thread_writers->levels[0].open[0];
    const RecordHeader header{6000, static_cast<std::uint8_t>(RecordKind::kLog), 0, 0};
    std::memcpy(block.next(), &header, sizeof(header));
    block.committed = block.committed.advanced(record_bytes(6000), 1);
    block.descriptor->committed.store(block.committed.word);
    leave_level(this_thread_writers->levels[0]);
    { auto next = opened.writer().try_reserve(RecordKind::kLog, 10); }  // fits behind it, and is abandoned
  }
  EXPECT_EQ(ring.blocks_in(BlockState::kCont), 1U);
  EXPECT_EQ(content(ring), Strings{std::string(6000, 'r')});
}

// ------------------------------------------------------------------------------------------------- a thread's first record

TEST(FirstEmit, OnTheAlternateStackIsRefusedAndCountedAndPrepareThreadAvoidsIt) {
  const TestRing ring;
  const Ring opened = ring.open();
  for (const bool is_prepared : {false, true}) {
    std::thread([&] {
      const AlternateStack stack;
      if (is_prepared) {
        EXPECT_TRUE(opened.prepare_thread());
      }
      in_handler([&] { EXPECT_EQ(emit(opened, "first"), is_prepared); }, SA_ONSTACK);
    }).join();
  }
  EXPECT_EQ(ring.header_drops(DropCause::kNested), 1U);
}

TEST(FirstEmit, InAHandlerOnTheOrdinaryStackRegistersTheThread) {
  const TestRing ring;
  const Ring opened = ring.open();
  std::thread([&] { in_handler([&] { EXPECT_TRUE(emit(opened, "first")); }); }).join();
  EXPECT_EQ(ring.header_drops(DropCause::kNested), 0U);
}

TEST(FirstEmit, InTheMiddleOfAnotherRobustMutexsLockingIsRefused) {
  const TestRing ring;
  const Ring opened = ring.open();
  std::thread([&] {
    robust_list_head* head = nullptr;
    std::size_t length = 0;
    ASSERT_EQ(::syscall(SYS_get_robust_list, 0, &head, &length), 0);
    robust_list* const before = std::exchange(head->list_op_pending, &head->list);
    EXPECT_FALSE(emit(opened, "first"));
    head->list_op_pending = before;
    EXPECT_TRUE(emit(opened, "second"));
  }).join();
  EXPECT_EQ(ring.header_drops(DropCause::kNested), 1U);
}

// --------------------------------------------------------------------------------------------------------- last words

TEST(LastWordsProcesses, OfASegmentationFaultInTheMiddleOfAnEmitArrive) {
  const TestRing ring;
  const Ring opened = ring.open();
  const int code = test::in_child([&] {
    static const Ring* last_ring = nullptr;
    last_ring = &opened;
    struct sigaction action {};
    action.sa_handler = [](int) {
      static_cast<void>(emit(*last_ring, "last words"));
      ::signal(SIGSEGV, SIG_DFL);
    };
    ::sigaction(SIGSEGV, &action, nullptr);
    const Logger log = opened.logger("test");
    static_cast<void>(log.emit(Severity::kInfo, "first"));
    // Its bytes cannot be read: the emit faults while it holds its slot.
    static_cast<void>(log.emit(Severity::kInfo, forbidden_text()));
    return 0;
  });
  EXPECT_EQ(code, 128 + SIGSEGV);
  const Strings found = content(ring);
  ASSERT_EQ(found.size(), 2U);
  EXPECT_NE(std::find(found.begin(), found.end(), "last words"), found.end());
}

}  // namespace
}  // namespace shmring
