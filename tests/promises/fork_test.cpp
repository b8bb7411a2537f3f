// SPDX-License-Identifier: Apache-2.0
// fork in all its forms: what a child inherits never reaches its parent's records, and its own arrive like any other's.
#include <gtest/gtest.h>
#include <spawn.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdint>
#include <cstring>
#include <iostream>
#include <set>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "libshmring/liveness.hpp"
#include "shmring/tracer.hpp"
#include "tests/support/child.hpp"
#include "tests/support/emitter_program.hpp"
#include "tests/support/eventually.hpp"
#include "tests/support/promise.hpp"
#include "tests/support/scale.hpp"

extern char** environ;

namespace shmring::testing {
namespace {

/// A reserved slot with an id's payload in it.
struct Reserved {
  std::uint32_t id;
  std::vector<std::byte> payload;
  Slot slot;

  Reserved(const Ring& ring, Obligations& obligations)
      : id(obligations.issue()),
        payload(payload_of(id)),
        slot(ring.writer().try_reserve(RecordKind::kLog, payload.size(), ring.scope({"test"}))) {
    if (slot) std::memcpy(slot.payload().data(), payload.data(), payload.size());
  }
};

/// What a child does to a slot that it has inherited. 0: all went as it should.
int misuse_inherited(Reserved& reserved, const Ring& ring, Obligations& obligations) {
  std::memset(reserved.slot.payload().data(), 0xAA, reserved.slot.payload().size());
  if (std::move(reserved.slot).commit()) return 1;
  return emit_many(ring.logger("test"), obligations, 3) == 3 ? 0 : 2;
}

TEST(ForkBetweenReserveAndCommit, KeepsTheChildsStoresAwayFromTheParentsRecord) {
  Promise promise;
  const Ring ring = promise.scratch().open();
  for (std::uint32_t n = 0; n < 20; ++n) {
    Reserved reserved(ring, promise.obligations());
    ASSERT_TRUE(reserved.slot);
    Child child = Child::forked([&] { return misuse_inherited(reserved, ring, promise.obligations()); });
    const Ended ended = child.wait();
    ASSERT_TRUE(ended.with(0)) << ended.text();
    ASSERT_TRUE(std::move(reserved.slot).commit());
    promise.obligations().oblige(reserved.id);
  }
  EXPECT_EQ(dropped(promise.accounting(), DropCause::kAfterFork), 20U);
  promise.expect_kept();
  promise.expect_blocks_back();
}

TEST(ForkBetweenReserveAndCommit, LeavesARecordAloneThatTheParentCommitsFirst) {
  Promise promise;
  const Ring ring = promise.scratch().open();
  Shared<std::atomic<int>> committed;
  Reserved reserved(ring, promise.obligations());
  ASSERT_TRUE(reserved.slot);
  Child child = Child::forked([&] {
    if (!eventually([&] { return committed->load() == 1; })) return 9;
    return misuse_inherited(reserved, ring, promise.obligations());
  });
  ASSERT_TRUE(std::move(reserved.slot).commit());
  promise.obligations().oblige(reserved.id);
  committed->store(1);
  const Ended ended = child.wait();
  EXPECT_TRUE(ended.with(0)) << ended.text();
  promise.expect_kept();
}

TEST(ForkBetweenReserveAndCommit, AbandonedByTheChildStillIsTheParentsToCommit) {
  Promise promise;
  const Ring ring = promise.scratch().open();
  Reserved reserved(ring, promise.obligations());
  ASSERT_TRUE(reserved.slot);
  const Ended ended = in_child([&] {
    { const Slot dying = std::move(reserved.slot); }
    return emit_one(ring.logger("test"), promise.obligations()) ? 0 : 1;
  });
  EXPECT_TRUE(ended.with(0)) << ended.text();
  ASSERT_TRUE(std::move(reserved.slot).commit());
  promise.obligations().oblige(reserved.id);
  EXPECT_EQ(promise.accounting().total.dropped_total(), 0U);
  promise.expect_kept();
}

TEST(ForkedChild, WritesWithAResourceAndWithIdsOfItsOwn) {
  Promise promise;
  const Ring ring = promise.scratch().open();
  const Logger logger = ring.logger("test");
  const Tracer tracer = ring.tracer("test");
  constexpr std::uint32_t kProcesses = 20;
  struct Seen {
    TraceContext context[kProcesses + 1];
  };
  Shared<Seen> seen;
  const auto live = [&](std::uint32_t n) {
    seen->context[n] = tracer.start("a span").context();
    return emit_one(logger, promise.obligations()) ? 0 : 1;
  };
  ASSERT_EQ(live(0), 0);
  for (std::uint32_t n = 1; n <= kProcesses; ++n) ASSERT_TRUE(in_child([&] { return live(n); }).with(0));

  std::set<std::string> traces;
  std::set<std::string> spans;
  for (const TraceContext& context : seen->context) {
    const auto trace = context.trace_id.hex();
    const auto span = context.span_id.hex();
    traces.emplace(trace.data(), trace.size());
    spans.emplace(span.data(), span.size());
  }
  EXPECT_EQ(traces.size(), kProcesses + 1);
  EXPECT_EQ(spans.size(), kProcesses + 1);

  std::set<std::string> resources;
  Drainer drainer(promise.file());
  drainer.reader().drain(kNoLimit, [&](Slice&& slice) {
    SliceWalk walk(slice);
    while (const auto record = walk.next()) {
      if (record->kind != RecordKind::kLog) continue;
      resources.emplace(reinterpret_cast<const char*>(record->resource.data()), record->resource.size());
    }
    return true;
  });
  EXPECT_EQ(resources.size(), kProcesses + 1);
}

TEST(ForkStorm, FromThreadsThatEmitLosesNothingAndEnds) {
  Promise promise({.blocks = 512, .block_bytes = 16384, .writers = 64});
  const Ring ring = promise.scratch().open();
  const Logger logger = ring.logger("test");
  std::atomic<std::uint32_t> failed{0};
  std::vector<std::thread> threads;
  const std::uint32_t rounds = scaled(100);
  for (int t = 0; t < 6; ++t) {
    threads.emplace_back([&] {
      for (std::uint32_t n = 0; n < rounds; ++n) {
        emit_one(logger, promise.obligations());
        Child child = Child::forked([&] { return emit_many(logger, promise.obligations(), 3) == 3 ? 0 : 1; });
        emit_many(logger, promise.obligations(), 5);
        if (!child.wait().with(0)) ++failed;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(failed.load(), 0U);
  EXPECT_EQ(promise.obligations().count(), 6U * rounds * 9U);
  promise.expect_kept();
  promise.expect_blocks_back();
}

TEST(ForkedChild, OfAForkedChildWritesLikeAnyOther) {
  Promise promise;
  const Logger logger = promise.scratch().open().logger("test");
  ASSERT_TRUE(emit_one(logger, promise.obligations()));
  const auto generation = [&](auto&& self, int depth) -> int {
    if (!emit_one(logger, promise.obligations())) return 1;
    if (depth == 0) return 0;
    const Ended ended = in_child([&] { return self(self, depth - 1); });
    return ended.with(0) && emit_one(logger, promise.obligations()) ? 0 : 1;
  };
  ASSERT_TRUE(in_child([&] { return generation(generation, 8); }).with(0));
  EXPECT_EQ(promise.obligations().count(), 1U + 9U + 8U);
  promise.expect_kept();
  promise.expect_blocks_back();
}

/// A vforked child that emits. It runs in this very function's memory, so there is little in it.
pid_t vfork_and_emit(const Logger& logger, Obligations& obligations) {
  const pid_t pid = ::vfork();
  if (pid == 0) {
    emit_one(logger, obligations);
    ::_exit(0);
  }
  return pid;
}

TEST(VforkedChild, WritesAsItsParent) {
  Promise promise;
  const Logger logger = promise.scratch().open().logger("test");
  ASSERT_TRUE(emit_one(logger, promise.obligations()));
  for (int n = 0; n < 20; ++n) {
    const pid_t pid = vfork_and_emit(logger, promise.obligations());
    ASSERT_GT(pid, 0);
    ASSERT_TRUE(Child(pid).wait().with(0));
    ASSERT_TRUE(emit_one(logger, promise.obligations()));
  }
  EXPECT_EQ(promise.obligations().count(), 41U);
  // One writer: the child took no slot of its own.
  EXPECT_EQ(liveness(promise.file().slots()[1], Ask::kWord), Liveness::kVacant);
  promise.expect_kept();
}

TEST(UnderscoreForkedChild, WritesLikeAnyOther) {
  Promise promise;
  const Logger logger = promise.scratch().open().logger("test");
  ASSERT_TRUE(emit_one(logger, promise.obligations()));
  for (int n = 0; n < 20; ++n) {
    const pid_t pid = ::_Fork();  // runs no fork handler: the kernel's wiped page has to do
    if (pid == 0) ::_exit(emit_many(logger, promise.obligations(), 2) == 2 ? 0 : 1);
    ASSERT_TRUE(Child(pid).wait().with(0));
  }
  EXPECT_EQ(promise.obligations().count(), 41U);
  promise.expect_kept();
  promise.expect_blocks_back();
}

TEST(SpawnedProgram, WritesWhileItsParentHasASlotOpen) {
  Promise promise;
  const Ring ring = promise.scratch().open();
  Reserved reserved(ring, promise.obligations());
  ASSERT_TRUE(reserved.slot);
  const std::string fd = std::to_string(promise.obligations_fd());
  std::string path = promise.scratch().path();
  std::vector<std::string> words{SHMRING_EMITTER, path, fd, "3", "return"};
  std::vector<char*> argv;
  for (std::string& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  pid_t pid = 0;
  ASSERT_EQ(::posix_spawn(&pid, SHMRING_EMITTER, nullptr, nullptr, argv.data(), environ), 0);
  EXPECT_TRUE(Child(pid).wait().with(0));
  ASSERT_TRUE(std::move(reserved.slot).commit());
  promise.obligations().oblige(reserved.id);
  promise.expect_kept();
  promise.expect_blocks_back();
}

TEST(RawClone, IsRefusedAndCountedAndLeavesItsParentUnharmed) {
  Promise promise;
  const Logger logger = promise.scratch().open().logger("test");
  ASSERT_TRUE(emit_one(logger, promise.obligations()));
  const auto pid = static_cast<pid_t>(::syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0));
  if (pid == 0) ::_exit(emit_one(logger, promise.obligations()) ? 1 : 0);
  ASSERT_TRUE(Child(pid).wait().with(0));
  EXPECT_EQ(dropped(promise.accounting(), DropCause::kUnsupportedProcess), 1U);
  EXPECT_TRUE(emit_one(logger, promise.obligations()));
  promise.expect_kept();
}

TEST(ThousandChildrenInARow, AllArriveThroughARingOf64WriterSlots) {
  Promise promise({.blocks = 128, .block_bytes = 16384, .writers = 64});
  const Logger logger = promise.scratch().open().logger("test");
  for (std::uint32_t n = 0; n < 1000; ++n) {
    const char* ending = std::array{"return", "_exit", "SIGKILL", "exec"}[n % 4];
    const Ended ended = in_child([&]() -> int {
      if (n % 4 == 0) become_emitter(promise, 1, ending);
      if (!emit_one(logger, promise.obligations())) return 1;
      if (n % 4 == 2) ::raise(SIGKILL);
      if (n % 4 == 3) ::execl("/bin/true", "true", nullptr);
      return 0;
    });
    ASSERT_TRUE(n % 4 == 2 ? ended.by(SIGKILL) : ended.with(0)) << "child " << n << ": " << ended.text();
  }
  EXPECT_EQ(promise.obligations().count(), 1000U);
  EXPECT_EQ(promise.accounting().total.written, 1000U);
  // Each took the slot that the one before it had left, and went on in its block.
  EXPECT_EQ(liveness(promise.file().slots()[1], Ask::kWord), Liveness::kVacant);
  promise.expect_kept();
  promise.expect_blocks_back();
  EXPECT_EQ(promise.deliveries().total(), 1001U);
}

TEST(FortyThousandChildren, WithOneRecordEachFindRoomIn32MiBWithNoFlusher) {
  Promise promise({.blocks = 2048, .block_bytes = 16384, .writers = 1024});
  const Logger logger = promise.scratch().open().logger("test");
  const std::uint32_t children = scaled(40'000);
  Child before;  // two at a time, so that they also meet
  for (std::uint32_t n = 0; n < children; ++n) {
    Child child = Child::forked([&] { return emit_one(logger, promise.obligations()) ? 0 : 1; });
    ASSERT_TRUE(child.started());
    if (before.started()) {
      ASSERT_TRUE(before.wait().with(0)) << "child " << n - 1;
    }
    before = std::move(child);
  }
  ASSERT_TRUE(before.wait().with(0));
  EXPECT_EQ(promise.obligations().count(), children);
  EXPECT_EQ(promise.accounting().total.dropped_total(), 0U);
  promise.expect_kept();
  promise.expect_blocks_back();
}

TEST(WavesOfChildren, WithOneRecordEachArriveWhileAnotherProcessDrains) {
  Promise promise({.blocks = 256, .block_bytes = 16384, .writers = 256});
  const Logger logger = promise.scratch().open().logger("test");
  Shared<std::atomic<bool>> over;
  Shared<std::atomic<std::uint64_t>> delivered;
  Child flusher = Child::forked([&] {
    Deliveries deliveries;
    Drainer drainer(promise.file());
    while (!over->load()) drainer.pass(deliveries);
    drainer.empty(deliveries);
    delivered->store(deliveries.total());
    return deliveries.lost(promise.obligations()) == 0 ? 0 : 1;
  });
  constexpr std::uint32_t kAtOnce = 100;
  const std::uint32_t waves = scaled(10);
  for (std::uint32_t wave = 0; wave < waves; ++wave) {
    std::vector<Child> children;
    for (std::uint32_t n = 0; n < kAtOnce; ++n) {
      children.push_back(Child::forked([&] { return emit_one(logger, promise.obligations()) ? 0 : 1; }));
    }
    for (Child& child : children) ASSERT_TRUE(child.wait().with(0));
  }
  over->store(true);
  EXPECT_TRUE(flusher.wait().with(0)) << "a record is missing, or was damaged";
  EXPECT_EQ(delivered->load(), std::uint64_t{waves} * kAtOnce);
  EXPECT_EQ(promise.accounting().total.written, std::uint64_t{waves} * kAtOnce);
  EXPECT_EQ(promise.accounting().total.pending, 0U);
  expect_closed(promise.file());
}

TEST(OpenOrCreate, BySixtyFourProcessesAtOnceMakesOneRing) {
  const ScratchFolder folder;
  const std::filesystem::path path = folder.path() / "test.ring";
  Shared<Obligations> obligations;
  Shared<std::atomic<std::uint32_t>> ready;
  std::vector<Child> children;
  for (int n = 0; n < 64; ++n) {
    children.push_back(Child::forked([&] {
      ++*ready;
      if (!eventually([&] { return ready->load() == 64; })) return 1;
      const auto ring = Ring::open_or_create({.path = path, .capacity_bytes = 1 << 20, .block_bytes = 4096});
      if (!ring) return std::fprintf(stderr, "%s\n", ring.error().message.c_str()) > 0 ? 2 : 3;
      return emit_one(ring->logger("test"), *obligations) ? 0 : 4;
    }));
  }
  for (Child& child : children) {
    const Ended ended = child.wait();
    EXPECT_TRUE(ended.with(0)) << ended.text();
  }
  const RingFile file = value_or_abort(RingFile::attach(path));
  Deliveries deliveries;
  Drainer(file).empty(deliveries);
  EXPECT_EQ(obligations->count(), 64U);
  EXPECT_EQ(deliveries.lost(*obligations), 0U);
  EXPECT_EQ(deliveries.total(), 64U);
  const auto entries = std::filesystem::directory_iterator(folder.path());
  EXPECT_EQ(std::distance(begin(entries), end(entries)), 1) << "something else was left in the folder";
  expect_closed(file);
}

TEST(WriterInAnotherPidNamespace, IsNeverTakenForDeadWhileItLives) {
  Promise promise;
  const Logger logger = promise.scratch().open().logger("test");
  Shared<std::atomic<int>> stage;
  constexpr int kNotPermitted = 77;
  Child outer = Child::forked([&] {
    if (::unshare(CLONE_NEWUSER | CLONE_NEWPID) != 0 && ::unshare(CLONE_NEWPID) != 0) return kNotPermitted;
    Child inner = Child::forked([&] {
      if (::getpid() != 1 || emit_many(logger, promise.obligations(), 3) != 3) return 1;
      stage->store(1);
      if (!eventually([&] { return stage->load() == 2; })) return 2;
      return emit_many(logger, promise.obligations(), 3) == 3 ? 0 : 3;
    });
    const Ended ended = inner.wait();
    return ended.with(0) ? 0 : 1;
  });
  Child* running = &outer;
  siginfo_t info{};
  const auto ended_early = [&] {
    info.si_pid = 0;
    return ::waitid(P_PID, static_cast<id_t>(running->pid()), &info, WEXITED | WNOHANG | WNOWAIT) == 0 &&
           info.si_pid != 0;
  };
  ASSERT_TRUE(eventually([&] { return stage->load() == 1 || ended_early(); }));
  if (stage->load() == 0) {
    ASSERT_TRUE(outer.wait().with(kNotPermitted));
    GTEST_SKIP()
        << "this machine permits no pid namespace (unshare): a writer in another one cannot be tried";
  }
  Drainer drainer(promise.file());
  drainer.empty(promise.deliveries());
  // Its thread id means another thread here, or none; its slot and its block stay its own.
  EXPECT_EQ(liveness(promise.file().slots()[0], Ask::kWordAndProc), Liveness::kUnknown);
  EXPECT_EQ(promise.accounting().blocks.open, 1U);
  EXPECT_TRUE(emit_one(logger, promise.obligations()));
  EXPECT_EQ(promise.accounting().blocks.open, 2U);
  stage->store(2);
  EXPECT_TRUE(outer.wait().with(0));
  promise.expect_kept(drainer);
  promise.expect_blocks_back();
}

TEST(EmittingThreads, SixtyFourAtOnceLoseNothing) {
  ScratchRing scratch({.blocks = 512, .block_bytes = 4096, .writers = 65});
  const Ring ring = scratch.open();
  const Logger logger = ring.logger("test");
  Shared<Obligations> obligations;
  Deliveries deliveries;
  const RingFile& file = ring.core()->file();
  Drainer drainer(file);
  std::atomic<std::uint32_t> running{64};
  const std::uint32_t records = scaled(5000);
  std::vector<std::thread> threads;
  for (int t = 0; t < 64; ++t) {
    threads.emplace_back([&] {
      for (std::uint32_t n = 0; n < records; ++n) {
        const std::uint32_t id = obligations->issue();
        // A full ring is an answer as well; the record is offered again until it is taken.
        while (!with_record(id, [&](const LogRecord& record) { return logger.emit(record); }))
          std::this_thread::yield();
        obligations->oblige(id);
      }
      --running;
    });
  }
  while (running.load() > 0) drainer.pass(deliveries);
  for (std::thread& thread : threads) thread.join();
  drainer.empty(deliveries);
  EXPECT_EQ(deliveries.total(), 64U * records);
  EXPECT_EQ(deliveries.lost(*obligations), 0U);
  EXPECT_EQ(deliveries.mangled(), 0U);
  EXPECT_EQ(deliveries.duplicates(), 0U);
  expect_closed(file);
}

}  // namespace
}  // namespace shmring::testing
