// SPDX-License-Identifier: Apache-2.0
// The loop, on adapters that count, refuse and lose.
#include "bench/harness/loop.hpp"

#include <gtest/gtest.h>


#include "bench/harness/run.hpp"

namespace shmring::bench {
namespace {

using std::chrono::nanoseconds;

enum class Fault { kNone, kRefuses, kLoses };

template <Fault kFault>
class Counter {
 public:
  static Result<std::unique_ptr<Counter>> create(Subjects&) { return std::make_unique<Counter>(); }
  struct Producer {
    Counter& owner;
    bool push(std::uint64_t i) {
      if (kFault == Fault::kRefuses && i == 7) return false;
      ++owner.pushed_;
      return true;
    }
  };
  Producer producer(int index) {
    producers_ |= 1U << static_cast<unsigned>(index);
    return {*this};
  }
  std::uint64_t drain(std::uint64_t) {
    return pushed_.exchange(0) - (kFault == Fault::kLoses ? 1 : 0);
  }
  std::optional<std::string> complaint() const {
    return producers_ == 0 ? std::optional<std::string>("nobody produced") : std::nullopt;
  }

 private:
  std::atomic<std::uint64_t> pushed_ = 0;
  std::atomic<unsigned> producers_ = 0;
};

template <Fault kFault>
std::unique_ptr<Row> row_of(int producers) {
  Rows rows;
  add_row<Counter<kFault>>(
      rows, {.name = "counter", .label = {}, .record = {}, .producers = {producers}, .batch = 64});
  return std::move(rows.front());
}

class BenchLoop : public testing::Test {
 protected:
  Subjects subjects_;
};

TEST_F(BenchLoop, AnAdapterThatFindsAllItsRecordsHasACost) {
  for (const int producers : {1, 4}) {
    const auto row = row_of<Fault::kNone>(producers);
    ASSERT_TRUE(row->prepare(subjects_));
    const auto ns = row->visit(nanoseconds(1));
    ASSERT_TRUE(ns);
    EXPECT_GT(*ns, 0);
  }
}

TEST_F(BenchLoop, ARefusedRecordBreaksTheRun) {
  const auto row = row_of<Fault::kRefuses>(1);
  ASSERT_TRUE(row->prepare(subjects_));
  EXPECT_FALSE(row->visit(nanoseconds(1)));
  EXPECT_FALSE(row->repeat(64));
}

TEST_F(BenchLoop, ALostRecordBreaksTheRun) {
  const auto row = row_of<Fault::kLoses>(4);
  ASSERT_TRUE(row->prepare(subjects_));
  EXPECT_FALSE(row->visit(nanoseconds(1)));
  Histogram ticks;
  EXPECT_FALSE(row->visit_stamped(nanoseconds(1), ticks));
}

TEST_F(BenchLoop, EveryCountedOperationIsStamped) {
  const auto row = row_of<Fault::kNone>(4);
  ASSERT_TRUE(row->prepare(subjects_));
  Histogram ticks;
  ASSERT_TRUE(row->visit_stamped(nanoseconds(1), ticks));
  EXPECT_GT(ticks.total(), 0U);
  EXPECT_EQ(ticks.total() % 64, 0U);  // whole batches, of all producers
}

TEST_F(BenchLoop, ARowIsVisitedAsOftenAsWasAskedFor) {
  Rows rows;
  rows.push_back(row_of<Fault::kNone>(1));
  const auto results = run(rows, subjects_,
                           {.repetitions = 3,
                            .visit = std::chrono::milliseconds(1),
                            .visit_stamped = std::chrono::milliseconds(0)});
  ASSERT_TRUE(results);
  EXPECT_EQ(results->at(0).ns.size(), 3U);
  EXPECT_EQ(results->at(0).ticks.total(), 0U);
}

TEST_F(BenchLoop, ABrokenRowIsNamed) {
  Rows rows;
  rows.push_back(row_of<Fault::kLoses>(4));
  const auto results = run(rows, subjects_, {.repetitions = 1});
  ASSERT_FALSE(results);
  EXPECT_NE(results.error().message.find("counter/4"), std::string::npos);
}

}  // namespace
}  // namespace shmring::bench
