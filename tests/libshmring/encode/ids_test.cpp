// SPDX-License-Identifier: Apache-2.0
#include "libshmring/ids.hpp"

#include <gtest/gtest.h>

#include <set>
#include <string>
#include <thread>
#include <vector>

#include "shmring/writer.hpp"

namespace shmring::test {
namespace {

TEST(Id, IsValidUnlessItIsAllZero) {
  SpanId id;
  EXPECT_FALSE(id.is_valid());
  for (std::uint8_t& byte : id.bytes) {
    byte = 1;
    EXPECT_TRUE(id.is_valid());
    byte = 0;
  }
}

TEST(Id, IsWrittenAndReadAsLowerCaseHexadecimal) {
  const auto id = SpanId::from_hex("00f067aa0ba902b7");
  ASSERT_TRUE(id);
  const auto hex = id->hex();
  EXPECT_EQ(std::string(hex.data(), hex.size()), "00f067aa0ba902b7");
  for (const std::string_view bad :
       {"", "00f067aa0ba902b", "00f067aa0ba902b70", "00F067aa0ba902b7", "00f067aa0ba902bg"}) {
    EXPECT_FALSE(SpanId::from_hex(bad)) << bad;
  }
}

/// The calling thread with a writer state as registration leaves it.
class SeededThread {
 public:
  SeededThread(std::uint64_t counter, std::uint64_t key) {
    page_.generation.store(1);
    state_.process_generation = 1;
    state_.fork_page = &page_;
    state_.random[0] = counter;
    state_.random[1] = key;
    this_thread_writers = &state_;
  }
  ~SeededThread() { this_thread_writers = nullptr; }
  void fork() { page_.generation.store(0); }

 private:
  ForkPage page_{};
  WriterState state_;
};

TEST(RandomIds, DifferAlways) {
  std::set<std::uint64_t> seen;
  for (int i = 0; i < 1000; ++i) EXPECT_TRUE(seen.insert(random_u64()).second) << "without a writer state";
  const SeededThread thread(1, 2);
  for (int i = 0; i < 100'000; ++i) ASSERT_TRUE(seen.insert(random_u64()).second);
}

TEST(RandomIds, DifferBetweenThreadsWhoseCountersAreEqual) {
  std::set<std::uint64_t> seen;
  for (std::uint64_t key = 0; key < 8; ++key) {
    const SeededThread thread(42, key);
    for (int i = 0; i < 10'000; ++i) ASSERT_TRUE(seen.insert(random_u64()).second) << "key " << key;
  }
}

TEST(RandomIds, DoNotComeFromTheParentsStateInAForkedChild) {
  std::set<std::uint64_t> parents;
  {
    const SeededThread thread(1, 2);
    for (int i = 0; i < 1000; ++i) parents.insert(random_u64());
  }
  SeededThread thread(1, 2);
  thread.fork();
  for (int i = 0; i < 1000; ++i) ASSERT_FALSE(parents.contains(random_u64()));
}

TEST(RandomIds, HaveEveryBitSetHalfTheTime) {
  const SeededThread thread(0, 0);
  std::vector<int> ones(64);
  for (int i = 0; i < 10'000; ++i) {
    const std::uint64_t word = random_u64();
    for (std::size_t bit = 0; bit < 64; ++bit) ones[bit] += static_cast<int>(word >> bit & 1U);
  }
  for (std::size_t bit = 0; bit < 64; ++bit) EXPECT_NEAR(ones[bit], 5000, 400) << "bit " << bit;
}

TEST(RandomIds, AreNeverAllZero) {
  for (int i = 0; i < 1000; ++i) {
    EXPECT_TRUE(random_trace_id().is_valid());
    EXPECT_TRUE(random_span_id().is_valid());
  }
}

}  // namespace
}  // namespace shmring::test
