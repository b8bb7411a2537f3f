// SPDX-License-Identifier: Apache-2.0
// P6: once the thread has its block, emitting makes no system call, allocates nothing, takes no lock, and is
// async-signal-safe.
#include <gtest/gtest.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <unistd.h>

#include <atomic>
#include <cstdint>
#include <cstring>
#include <iostream>
#include <utility>

#include "tests/support/child.hpp"
#include "tests/support/eventually.hpp"
#include "tests/support/promise.hpp"
#include "tests/support/scale.hpp"

namespace {
std::atomic<std::uint64_t> allocations{0};
}  // namespace

// Sanitizers bring a malloc of their own; there, the count is left out.
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
#define SHMRING_TEST_COUNTS_ALLOCATIONS
extern "C" {
void* __libc_malloc(size_t size) noexcept;
void* __libc_calloc(size_t count, size_t size) noexcept;
void* __libc_realloc(void* memory, size_t size) noexcept;
void* malloc(size_t size) noexcept {
  allocations.fetch_add(1, std::memory_order_relaxed);
  return __libc_malloc(size);
}
void* calloc(size_t count, size_t size) noexcept {
  allocations.fetch_add(1, std::memory_order_relaxed);
  return __libc_calloc(count, size);
}
void* realloc(void* memory, size_t size) noexcept {
  allocations.fetch_add(1, std::memory_order_relaxed);
  return __libc_realloc(memory, size);
}
}
#endif

namespace shmring::testing {
namespace {

/// From here on any system call but the process's own end kills it with SIGSYS.
bool forbid_system_calls() {
  const sock_filter rules[] = {
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_exit_group, 0, 1),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
  };
  const sock_fprog program{.len = std::size(rules), .filter = const_cast<sock_filter*>(rules)};
  return ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
         ::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) == 0;
}

/// Does `work` where no system call is allowed; ends with 0 when it returns true.
template <typename Work>
Ended without_system_calls(Work&& prepare_and_work) {
  return in_child([&]() -> int { return prepare_and_work() ? 0 : 1; });
}

constexpr const char* kRuntimeCalls = "a sanitizer's runtime makes system calls of its own";
constexpr RingShape kLargeBlocks{.blocks = 8, .block_bytes = 1U << 20U};

TEST(SystemCallFilter, KillsAProcessThatMakesOne) {
  const Ended ended =
      without_system_calls([] { return forbid_system_calls() && ::syscall(SYS_getppid) > 0; });
  EXPECT_TRUE(ended.by(SIGSYS)) << ended.text();
}

TEST(EmittingAfterTheFirstRecord, ThroughAWriterMakesNoSystemCall) {
  if (kSlowdown > 1) GTEST_SKIP() << kRuntimeCalls;
  Promise promise(kLargeBlocks);
  const Ring ring = promise.scratch().open();
  const Ended ended = without_system_calls([&] {
    const ScopeId scope = ring.scope({"test"});
    const auto write = [&] {
      Slot slot = ring.writer().try_reserve(RecordKind::kLog, 200, scope);
      if (!slot) return false;
      std::memset(slot.payload().data(), 1, 200);
      return std::move(slot).commit();
    };
    if (!write() || !forbid_system_calls()) return false;
    for (int n = 0; n < 2000; ++n) {
      if (!write()) return false;
    }
    return true;
  });
  EXPECT_TRUE(ended.with(0)) << ended.text();
  EXPECT_EQ(promise.accounting().total.written, 2001U);
}

TEST(EmittingAfterTheFirstRecord, ThroughALoggerMakesNoSystemCall) {
  if (kSlowdown > 1) GTEST_SKIP() << kRuntimeCalls;
  Promise promise(kLargeBlocks);
  const Logger logger = promise.scratch().open().logger("test");
  const Ended ended = without_system_calls([&] {
    if (!emit_one(logger, promise.obligations()) || !forbid_system_calls()) return false;
    return emit_many(logger, promise.obligations(), 1000) == 1000;
  });
  EXPECT_TRUE(ended.with(0)) << ended.text();
  promise.expect_kept();
  EXPECT_EQ(promise.deliveries().total(), 1002U);
}

/// As programs call it: with the time of the call, which the kernel gives without a call where its clock source allows that.
TEST(EmittingAfterTheFirstRecord, WithTheTimeOfTheCallMakesNoSystemCallWhereTheClockMakesNone) {
  if (kSlowdown > 1) GTEST_SKIP() << kRuntimeCalls;
  const Ended clock = without_system_calls([] { return forbid_system_calls() && unix_time_ns() != 0; });
  if (clock.by(SIGSYS))
    GTEST_SKIP() << "this machine's clock_gettime() is a system call (see current_clocksource)";
  Promise promise(kLargeBlocks);
  const Logger logger = promise.scratch().open().logger("test");
  const Ended ended = without_system_calls([&] {
    if (!logger.emit(Severity::kInfo, "first") || !forbid_system_calls()) return false;
    for (int n = 0; n < 1000; ++n) {
      if (!logger.emit(Severity::kWarn, "next", {{"n", n}, {"text", "value"}, {"ratio", 0.5}})) return false;
    }
    return true;
  });
  EXPECT_TRUE(ended.with(0)) << ended.text();
}

TEST(EmittingAfterTheFirstRecord, AllocatesNothing) {
#ifndef SHMRING_TEST_COUNTS_ALLOCATIONS
  GTEST_SKIP() << "a sanitizer's malloc cannot be counted";
#else
  Promise promise;
  const Ring ring = promise.scratch().open();
  const Logger logger = ring.logger("test");
  ASSERT_TRUE(emit_one(logger, promise.obligations()));
  const std::uint64_t before = allocations.load();
  std::uint32_t committed = 0;
  // Further than one block, and further than the ring: sealing, claiming and dropping allocate nothing either.
  for (std::uint32_t n = 0; n < 10'000; ++n) committed += emit_one(logger, promise.obligations()) ? 1 : 0;
  const std::uint64_t after = allocations.load();
  EXPECT_EQ(after, before);
  EXPECT_GT(committed, 100U);
  EXPECT_LT(committed, 10'000U);
  ASSERT_GT(before, 0U) << "no allocation was ever counted: the count does not work";
  promise.expect_kept();
#endif
}

// ------------------------------------------------------------------------------------------------------ from a handler

struct HandlersCounts {
  std::atomic<std::uint32_t> calls{0};
  std::atomic<std::uint32_t> committed{0};
};
HandlersCounts handler;
const Logger* handlers_logger = nullptr;
Obligations* handlers_obligations = nullptr;

void emit_in_handler(int) {
  ++handler.calls;
  if (emit_one(*handlers_logger, *handlers_obligations)) ++handler.committed;
}

TEST(SignalHandler, AThousandTimesASecondWritesAlsoInTheMiddleOfAnEmit) {
  Promise promise;
  const Ring ring = promise.scratch().open();
  const Logger logger = ring.logger("test");
  ASSERT_TRUE(ring.prepare_thread());
  ASSERT_FALSE(text_of(1, 1 << 20).data() ==
               nullptr);  // made on its first use, which must not be a handler's
  Drainer drainer(promise.file());
  handlers_logger = &logger;
  handlers_obligations = &promise.obligations();
  struct sigaction action {};
  action.sa_handler = &emit_in_handler;
  action.sa_flags = SA_RESTART;
  ASSERT_EQ(::sigaction(SIGALRM, &action, nullptr), 0);
  const itimerval every_millisecond{{0, 1000}, {0, 1000}};
  ASSERT_EQ(::setitimer(ITIMER_REAL, &every_millisecond, nullptr), 0);

  // The second level's block, named in the writer's slot: a handler has interrupted an emit.
  const WriterSlot& slot = promise.file().slots()[this_thread_writers->slot_index];
  const auto interrupted = [&slot] { return slot.open_block[0][1].load() != kNoBlock; };
  std::uint64_t attempts = 0;
  std::uint64_t committed = 0;
  const bool happened = eventually([&] {
    for (int n = 0; n < 500; ++n) {
      ++attempts;
      committed += emit_one(logger, promise.obligations()) ? 1 : 0;
    }
    drainer.pass(promise.deliveries());
    const bool room = promise.obligations().issued.load() + 10'000 < kMaxIds;
    return !room || (handler.calls.load() >= scaled(500) && interrupted());
  });
  const itimerval never{};
  ::setitimer(ITIMER_REAL, &never, nullptr);
  ::signal(SIGALRM, SIG_DFL);

  ASSERT_TRUE(happened);
  EXPECT_TRUE(interrupted()) << "no handler interrupted an emit: the fault never happened";
  const Accounting accounting = promise.accounting();
  EXPECT_EQ(accounting.total.attempted(), attempts + handler.calls.load());
  EXPECT_EQ(accounting.total.written, committed + handler.committed.load());
  EXPECT_EQ(dropped(accounting, DropCause::kNested), 0U);
  EXPECT_EQ(dropped(accounting, DropCause::kRingFull),
            attempts - committed + handler.calls.load() - handler.committed.load());
  promise.expect_kept(drainer);
}

}  // namespace
}  // namespace shmring::testing
