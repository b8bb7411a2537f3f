// SPDX-License-Identifier: Apache-2.0
// An emit that claims a block is left by siglongjmp after each instruction that changed something (R20): the trap flag of x86-64
// stops the thread after every instruction; a handler looks, and leaves. What no instruction has changed cannot matter.
#include <setjmp.h>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <iterator>
#include <span>
#include <string>
#include <thread>
#include <vector>

#include "libshmring/accounting.hpp"
#include "libshmring/claim.hpp"
#include "tests/libshmring/ring_test_support.hpp"
#include "tests/mutations/trap_flag.hpp"

namespace shmring {
namespace {

using test::Flusher;
using test::TestRing;

/// What an emit may leave behind: the thread's lists and flags, and the words of the blocks.
struct Traces {
  unsigned char writer[sizeof(WriterState)];
  std::uint64_t words[8][2];

  void take(std::span<BlockDescriptor> descriptors) {
    std::memcpy(writer, this_thread_writers, sizeof(writer));
    for (std::size_t n = 0; n < std::size(words); ++n) {
      words[n][0] = descriptors[n].state.load();
      words[n][1] = descriptors[n].committed.load();
    }
  }
  bool operator==(const Traces& other) const { return std::memcmp(this, &other, sizeof(*this)) == 0; }
};

struct Leave {
  sigjmp_buf where_to;
  std::span<BlockDescriptor> descriptors;
  std::uint64_t changes_left = 0;
  Traces last;
  Traces now;
};
Leave leave;

void leave_after_the_last_change() {
  leave.now.take(leave.descriptors);
  if (leave.now == leave.last) return;
  leave.last = leave.now;
  if (--leave.changes_left == 0) siglongjmp(leave.where_to, 1);
}

/// With a frame of its own, so that whoever calls it again finds out that it was left.
[[gnu::noinline]] bool emit_in_frame(const Ring& ring, const std::string& text) {
  auto slot = ring.writer().try_reserve_in_frame(__builtin_frame_address(0), RecordKind::kLog, text.size());
  if (!slot) return false;
  std::memcpy(slot.payload().data(), text.data(), text.size());
  return std::move(slot).commit();
}

/// Emits, and leaves after so many changes. False: it was done by then.
bool emit_torn_out(test::TrapFlag& trap, const Ring& ring, const std::string& text, std::uint64_t changes) {
  leave.descriptors = ring.core()->file().descriptors();
  leave.changes_left = changes;
  leave.last.take(leave.descriptors);
  if (sigsetjmp(leave.where_to, 1) != 0) return true;
  trap.step_through([&] { emit_in_frame(ring, text); }, &leave_after_the_last_change);
  return false;
}

class TornOutAtEveryChange : public ::testing::Test {
 protected:
  /// What arrives is accepted.
  void drain() {
    for (const Slice& slice : flusher_.drain()) {
      for (std::string& text : test::texts(slice)) arrived_.push_back(std::move(text));
      EXPECT_EQ(flusher_.accept(slice.key), Reader::Acknowledged::kDone);
    }
  }
  std::size_t arrivals_of(const std::string& text) const {
    return static_cast<std::size_t>(std::count(arrived_.begin(), arrived_.end(), text));
  }

  /// Blocks that bear this thread's name and are in none of its lists.
  std::uint32_t forgotten_blocks() const {
    std::uint32_t forgotten = 0;
    for (std::uint32_t index = 0; index < ring_.file().geometry().block_count; ++index) {
      const StateWord word = ring_.state(index);
      bool is_listed = word.state != BlockState::kOpen || !owned_by(word, *this_thread_writers);
      for (const WriterLevel& level : this_thread_writers->levels) {
        for (const OpenBlock& block : level.open)
          is_listed = is_listed || (block.capacity != 0 && block.index == index);
      }
      forgotten += is_listed ? 0 : 1;
    }
    return forgotten;
  }

  /// The thread's life: a block with a little in it, a claim that it is torn out of, and then it goes on.
  bool torn_out_after(std::uint64_t changes) {
    EXPECT_TRUE(emit_in_frame(opened_, before_it_));
    const bool was_torn_out = emit_torn_out(trap_, opened_, torn_, changes);
    drain();  // what it gave away may be recycled by now
    for (const std::string* text : {&small_, &large_, &larger_}) EXPECT_TRUE(emit_in_frame(opened_, *text));
    EXPECT_EQ(forgotten_blocks(), 0U);
    return was_torn_out;
  }

  const TestRing ring_{{.blocks = 8}};
  const Ring opened_ = ring_.open();
  const std::string before_it_ = std::string(3000, 'a'), torn_ = std::string(1000, 'b'),
                    small_ = std::string(40, 'c'), large_ = std::string(3500, 'd'),
                    larger_ = std::string(3600, 'e');

 private:
  Flusher flusher_{ring_};
  std::vector<std::string> arrived_;
  test::TrapFlag trap_;

 protected:
  void forget_arrivals() { arrived_.clear(); }
};

TEST_F(TornOutAtEveryChange, OfAClaimForgetsNoBlockForLong) {
  std::uint64_t changes = 0;
  for (bool was_torn_out = true; was_torn_out && !HasFailure();) {
    ++changes;
    std::thread([&] { was_torn_out = torn_out_after(changes); }).join();
    drain();
    drain();
    for (const std::string* text : {&before_it_, &small_, &large_, &larger_})
      EXPECT_EQ(arrivals_of(*text), 1U);
    EXPECT_LE(arrivals_of(torn_), 1U);
    EXPECT_EQ(ring_.blocks_in(BlockState::kFree), 8U);
    EXPECT_EQ(account(ring_.file()).closing, Closing::kCloses);
    forget_arrivals();
    if (HasFailure()) ADD_FAILURE() << "torn out after " << changes << " changes";
  }
  std::printf("%llu changes\n", static_cast<unsigned long long>(changes));
  EXPECT_GE(changes, 12U);
}

}  // namespace
}  // namespace shmring
