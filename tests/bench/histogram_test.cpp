// SPDX-License-Identifier: Apache-2.0
// Latencies: no value is shown smaller than it was, and none by more than a bucket larger.
#include "bench/harness/histogram.hpp"

#include <gtest/gtest.h>

#include <memory>

namespace shmring::bench {
namespace {

TEST(BenchHistogram, ABucketEndsWhereTheNextOneBegins) {
  for (std::size_t bucket = 0; bucket + 1 < Histogram::kBuckets; ++bucket) {
    const std::uint64_t upper = Histogram::upper(bucket);
    ASSERT_EQ(Histogram::bucket_of(upper), bucket);
    ASSERT_EQ(Histogram::bucket_of(upper + 1), bucket + 1);
  }
}

TEST(BenchHistogram, TheLargestValueHasABucket) {
  EXPECT_LT(Histogram::bucket_of(UINT64_MAX), Histogram::kBuckets);
}

TEST(BenchHistogram, AValueIsKnownToAThirtySecond) {
  for (std::uint64_t value = 1; value < 1'000'000; value = value * 3 / 2 + 1) {
    const std::uint64_t upper = Histogram::upper(Histogram::bucket_of(value));
    EXPECT_GE(upper, value);
    EXPECT_LE(upper - value, value / 32);
  }
}

TEST(BenchHistogram, AQuantileIsTheSmallestValueThatThisShareDoesNotExceed) {
  const auto histogram = std::make_unique<Histogram>();
  for (std::uint64_t value = 1; value <= 50; ++value) histogram->add(value);
  EXPECT_EQ(histogram->quantile(0.5), 25U);
  EXPECT_EQ(histogram->quantile(0.98), 49U);
  EXPECT_EQ(histogram->quantile(1), 50U);
}

TEST(BenchHistogram, ItsLargestIsExactAndBoundsEveryQuantile) {
  const auto histogram = std::make_unique<Histogram>();
  histogram->add(1'000'003);
  EXPECT_EQ(histogram->max(), 1'000'003U);
  EXPECT_EQ(histogram->quantile(0.999), 1'000'003U);
}

TEST(BenchHistogram, TwoAddUp) {
  const auto one = std::make_unique<Histogram>();
  const auto two = std::make_unique<Histogram>();
  one->add(3);
  two->add(3);
  two->add(700);
  one->add(*two);
  EXPECT_EQ(one->total(), 3U);
  EXPECT_EQ(one->count(3), 2U);
  EXPECT_EQ(one->max(), 700U);
}

}  // namespace
}  // namespace shmring::bench
