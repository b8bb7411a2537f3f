// SPDX-License-Identifier: Apache-2.0
// Each pair of layout.hpp as the only thing that orders two threads: ThreadSanitizer sees at once when an end is missing.
//
// The first thread leaves a note in plain memory and does what the release end stands in; the second does what the acquire
// end stands in, and reads the note. Who comes first is told by relaxed atomics, which order nothing. So without the pair
// the note is a data race, on any machine and in every run. (P6's release end is the kernel's, which no sanitizer sees.)
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <cstdint>
#include <thread>

#include "libshmring/accounting.hpp"
#include "libshmring/fork_page.hpp"
#include "libshmring/outcomes.hpp"
#include "libshmring/recycle.hpp"
#include "libshmring/ring_core.hpp"
#include "tests/libshmring/ring_test_support.hpp"

namespace shmring {
namespace {

using test::RingShape;
using test::TestRing;

template <typename Condition>
void spin_until(Condition condition) {
  while (!condition()) std::this_thread::yield();
}

/// Runs both in threads of which neither ends before the other is done; `second` begins when `first` has returned.
template <typename First, typename Second>
void one_after_the_other(First first, Second second) {
  std::atomic<bool> turn{false};
  std::atomic<bool> done{false};
  std::thread second_thread([&] {
    spin_until([&] { return turn.load(std::memory_order_relaxed); });
    second();
    done.store(true, std::memory_order_relaxed);
  });
  std::thread first_thread([&] {
    first();
    turn.store(true, std::memory_order_relaxed);
    spin_until([&] { return done.load(std::memory_order_relaxed); });
  });
  second_thread.join();
  first_thread.join();
}

/// The first test, and without a ring: who opens one has made the page and chosen the generation, once for the process.
TEST(PairThreadsBeforeAnyRing, P9TheForkPageHandsOverWhatWasDoneBeforeItWasMade) {
  int note = 0;
  int taken = 0;
  one_after_the_other(
      [&] {
        note = 1;
        static_cast<void>(prepare_fork_page());
        static_cast<void>(process_generation());
      },
      [&] {
        static_cast<void>(process_generation());
        taken = note;
      });
  EXPECT_EQ(taken, 1);
}

/// A ring in one mapping: what one thread stores through another mapping the sanitizer takes for other memory.
class PairThreads : public ::testing::Test {
 protected:
  explicit PairThreads(const RingShape& shape = {}) : scratch_(shape), ring_(scratch_.open()) {
    // Chosen once per process; a thread that did it here would be ordered before whoever asks for it.
    static_cast<void>(process_generation());
    static_cast<void>(process_instance());
  }

  const Ring& ring() const { return ring_; }
  const RingFile& file() const { return ring_.core()->file(); }
  RingHeader& header() const { return file().header(); }
  BlockDescriptor& descriptor(std::uint32_t index) const { return file().descriptors()[index]; }
  StateWord state(std::uint32_t index) const { return StateWord::unpack(descriptor(index).state.load()); }

  void leave_note() { note_ = 1; }
  /// Reads it in the second thread.
  void take_note() { taken_ = note_; }
  bool was_taken() const { return taken_ == 1; }

  static Lease lease_of(const RingFile& file) { return value(Lease::try_take(file)); }
  static std::unique_ptr<Reader> reader_of(const RingFile& file, const Lease& lease) {
    return value(Reader::create(file, lease));
  }

 private:
  template <typename T>
  static T value(Result<T> result) {
    if (result) return std::move(*result);
    ADD_FAILURE() << result.error().message;
    std::abort();
  }

  TestRing scratch_;
  Ring ring_;
  int note_ = 0;
  int taken_ = 0;
};

TEST_F(PairThreads, P1CommittedHandsOverTheBytesBelowIt) {
  const Lease lease = lease_of(file());
  const auto reader = reader_of(file(), lease);
  std::vector<Slice> slices;
  one_after_the_other([&] { test::emit(ring(), "a record"); },
                      [&] {
                        reader->drain(1U << 30U, [&](Slice&& slice) {
                          slices.push_back(std::move(slice));
                          return true;
                        });
                      });
  EXPECT_EQ(test::texts(slices), std::vector<std::string>{"a record"});
}

TEST_F(PairThreads, P2AFreeStateHandsOverABlockThatNobodyReadsAnyMore) {
  const std::uint64_t sealed = StateWord{.state = BlockState::kSealed}.pack();
  descriptor(0).state.store(sealed);
  RingHeader aside{};  // `freed` and the estimate of another ring: P7 orders nothing here
  one_after_the_other(
      [&] {
        leave_note();
        make_free(aside, descriptor(0), sealed);
      },
      [&] {
        test::emit(ring(), "a record");
        take_note();
      });
  EXPECT_TRUE(was_taken());
  EXPECT_EQ(state(0).block_generation, 1U);
  EXPECT_EQ(state(0).state, BlockState::kOpen);
}

TEST_F(PairThreads, P3AStateHandsOverABlockFromAReaderToAnAdopter) {
  test::mark_died(file().slots()[3]);
  file().slots()[3].claim.store(ClaimWord{.generation = 1, .phase = SlotPhase::kHeld}.pack());
  test::BlockText text;
  text.resource("res").record("an orphan's");
  std::copy(text.bytes().begin(), text.bytes().end(), file().block(0));
  descriptor(0).committed.store(CommittedWord{}.advanced(text.size(), text.records()).word);
  descriptor(0).state.store(
      StateWord{.state = BlockState::kOpen, .writer = 3, .writer_generation = 1}.pack());
  const Lease lease = lease_of(file());
  const auto reader = reader_of(file(), lease);
  one_after_the_other(
      [&] {
        reader->drain(1U << 30U, [&](Slice&&) {
          leave_note();
          return false;  // so that it unpins the block again
        });
      },
      [&] {
        test::emit(ring(), "an adopter's");
        take_note();
      });
  EXPECT_TRUE(was_taken());
  EXPECT_EQ(state(0).writer, 0U);
}

TEST_F(PairThreads, P4ExportedHandsOverWhatWasDoneBeforeItMoved) {
  header().epoch.store(7);
  one_after_the_other(
      [&] {
        leave_note();
        fence_exported(header(), descriptor(0), 7);
      },
      [&] {
        account(file());
        take_note();
      });
  EXPECT_TRUE(was_taken());
  EXPECT_EQ(ExportedWord::unpack(descriptor(0).exported.load()).epoch, 7U);
}

TEST_F(PairThreads, P5AClaimHandsOverTheSlotsIdentity) {
  one_after_the_other(
      [&] {
        leave_note();
        static_cast<void>(ring().prepare_thread());
      },
      [&] {
        static_cast<void>(ring().prepare_thread());  // looks at the first slot, and takes the next one
        take_note();
      });
  EXPECT_TRUE(was_taken());
  EXPECT_EQ(ClaimWord::unpack(file().slots()[1].claim.load()).phase, SlotPhase::kHeld);
}

class PairThreadsOnAFullRing : public PairThreads {
 protected:
  void SetUp() override {
    for (BlockDescriptor& each : file().descriptors())
      each.state.store(StateWord{.state = BlockState::kSealed}.pack());
  }
};

TEST_F(PairThreadsOnAFullRing, P7FreedHandsOverWhatWasDoneBeforeIt) {
  BlockDescriptor aside{};  // another ring's block: P2 orders nothing here
  const std::uint64_t sealed = StateWord{.state = BlockState::kSealed}.pack();
  aside.state.store(sealed);
  bool emitted = true;
  one_after_the_other(
      [&] {
        leave_note();
        make_free(header(), aside, sealed);
      },
      [&] {
        emitted = test::emit(ring(), "no room");
        take_note();
      });
  EXPECT_TRUE(was_taken());
  EXPECT_FALSE(emitted);
}

TEST_F(PairThreads, P8WakeHandsOverTheStateThatAskedForADrain) {
  const Lease lease = lease_of(file());
  const auto reader = reader_of(file(), lease);
  bool woken = false;
  one_after_the_other(
      [&] {
        leave_note();
        wake_flusher(header());
      },
      [&] {
        woken = reader->wait_for_wake(0);
        take_note();
      });
  EXPECT_TRUE(was_taken());
  EXPECT_TRUE(woken);
}

TEST_F(PairThreads, P10AScopesNumberHandsOverItsBytes) {
  std::atomic<std::uint16_t> number{0};
  bool emitted = false;
  one_after_the_other(
      [&] { number.store(ring().scope({.name = "a scope"}).value, std::memory_order_relaxed); },
      [&] {
        emitted = test::emit(ring(), "a record", RecordKind::kLog, {number.load(std::memory_order_relaxed)});
      });
  EXPECT_TRUE(emitted);
}

TEST_F(PairThreads, P11AnEpochHandsOverWhatItsHolderDidBefore) {
  Lease lease = lease_of(file());
  const auto predecessor = reader_of(file(), lease);
  { const Lease lost(std::move(lease)); }
  one_after_the_other(
      [&] {
        leave_note();
        static_cast<void>(Lease::try_take(file()));
      },
      [&] {
        predecessor->drain(1U << 30U, [](Slice&&) { return true; });
        take_note();
      });
  EXPECT_TRUE(was_taken());
  EXPECT_EQ(header().epoch.load(), 2U);
}

TEST_F(PairThreads, P12BusyHandsOverTheStateOfAThreadThatEnded) {
  std::atomic<long> writer{0};
  std::thread first([&] {
    test::emit(ring(), "the first holder's");
    writer.store(::syscall(SYS_gettid), std::memory_order_relaxed);
  });
  std::thread second([&] {
    spin_until([&] { return writer.load(std::memory_order_relaxed) != 0; });
    // Joining it would order the two threads.
    spin_until(
        [&] { return ::syscall(SYS_tgkill, ::getpid(), writer.load(std::memory_order_relaxed), 0) != 0; });
    test::emit(ring(), "the second holder's");
  });
  second.join();
  first.join();
  EXPECT_EQ(ClaimWord::unpack(file().slots()[0].claim.load()).generation, 2U);
}

TEST_F(PairThreads, P13AnOutcomeCellHandsOverWhatWasDoneBeforeItWasFilled) {
  header().epoch.store(7);
  const ExportedWord exported = ExportedWord::unpack(descriptor(0).exported.load());
  OutcomeCounts counts{};
  counts[static_cast<std::size_t>(Outcome::kAccepted)] = 3;
  std::uint64_t sum = 0;
  one_after_the_other(
      [&] {
        leave_note();
        fill_other_set(header(), descriptor(0), exported, Signal::kLogs, counts, 7);
      },
      [&] {
        sum = sum_of_set(descriptor(0), 1);
        take_note();
      });
  EXPECT_TRUE(was_taken());
  EXPECT_EQ(sum, 3U);
}

TEST_F(PairThreadsOnAFullRing, P14ATicketHandsOverWhatItsThreadDidBefore) {
  const Lease lease = lease_of(file());
  const auto reader = reader_of(file(), lease);
  bool emitted = true;
  one_after_the_other(
      [&] {
        static_cast<void>(ring().prepare_thread());  // which the flusher may see
        leave_note();
        emitted = test::emit(ring(), "no room");  // a ticket and no block
      },
      [&] {
        reader->drain(1U << 30U, [](Slice&&) { return true; });
        take_note();
      });
  EXPECT_TRUE(was_taken());
  EXPECT_FALSE(emitted);
}

}  // namespace
}  // namespace shmring
