// SPDX-License-Identifier: Apache-2.0
#include "libshmring/sampler.hpp"

#include <gtest/gtest.h>

#include <random>
#include <string>

namespace shmring::test {
namespace {

TraceId trace_of(std::uint64_t last_eight_bytes) {
  TraceId id;
  id.bytes[0] = 0xFF;
  for (std::size_t i = 0; i < 8; ++i)
    id.bytes[15 - i] = static_cast<std::uint8_t>(last_eight_bytes >> (8 * i));
  return id;
}

TraceContext parent(std::uint8_t flags) {
  TraceContext context{.trace_id = trace_of(1), .flags = flags};
  context.span_id.bytes[0] = 1;
  return context;
}

bool samples(std::string_view name, double ratio, const TraceContext* from, std::uint64_t trace) {
  return sample(*sampler_named(name, ratio), from, trace_of(trace)) == Decision::kSample;
}

TEST(Sampler, DecidesByItsNameAndTheParent) {
  struct Row {
    std::string_view name;
    bool root;
    bool under_sampled;
    bool under_dropped;
  };
  const Row table[] = {
      {"always_on", true, true, true},
      {"always_off", false, false, false},
      {"traceidratio", false, false, false},  // ratio 0
      {"parentbased_always_on", true, true, false},
      {"parentbased_always_off", false, true, false},
      {"parentbased_traceidratio", false, true, false},
      {"ParentBased_Always_ON", true, true, false},
  };
  const TraceContext sampled = parent(1);
  const TraceContext dropped = parent(0);
  const TraceContext invalid{.flags = 1};
  for (const Row& row : table) {
    EXPECT_EQ(samples(row.name, 0.0, nullptr, 5), row.root) << row.name;
    EXPECT_EQ(samples(row.name, 0.0, &invalid, 5), row.root)
        << row.name << ": a parent that is not valid is none";
    EXPECT_EQ(samples(row.name, 0.0, &sampled, 5), row.under_sampled) << row.name;
    EXPECT_EQ(samples(row.name, 0.0, &dropped, 5), row.under_dropped) << row.name;
  }
}

TEST(Sampler, ComparesTheLast56BitsOfTheTraceIdWithTheThreshold) {
  EXPECT_FALSE(samples("traceidratio", 0.5, nullptr, 0x007FFFFFFFFFFFFFU));
  EXPECT_TRUE(samples("traceidratio", 0.5, nullptr, 0x0080000000000000U));
  EXPECT_FALSE(samples("traceidratio", 0.5, nullptr, 0xFF7FFFFFFFFFFFFFU))
      << "the 57th bit and above do not count";
  EXPECT_FALSE(samples("traceidratio", 0.25, nullptr, 0x00BFFFFFFFFFFFFFU));
  EXPECT_TRUE(samples("traceidratio", 0.25, nullptr, 0x00C0000000000000U));
  EXPECT_TRUE(samples("traceidratio", 1.0, nullptr, 0));
  EXPECT_FALSE(samples("traceidratio", 0.0, nullptr, ~std::uint64_t{0}));
}

TEST(Sampler, OfAHigherRatioSamplesWhatALowerOneDoes) {
  std::mt19937_64 random(7);
  int sampled = 0;
  for (int i = 0; i < 20'000; ++i) {
    const std::uint64_t trace = random();
    const bool low = samples("traceidratio", 0.1, nullptr, trace);
    ASSERT_TRUE(!low || samples("traceidratio", 0.3, nullptr, trace));
    sampled += low ? 1 : 0;
  }
  EXPECT_NEAR(sampled, 2000, 200);
}

TEST(Sampler, HasNoOtherNames) {
  for (const std::string_view name :
       {"", "always", "parentbased_", "parentbased", "jaeger_remote", "always_on "}) {
    EXPECT_FALSE(sampler_named(name, 1.0)) << name;
  }
}

TEST(Ratio, IsANumberFromZeroToOne) {
  EXPECT_EQ(parse_ratio("0"), 0.0);
  EXPECT_EQ(parse_ratio("0.25"), 0.25);
  EXPECT_EQ(parse_ratio("1e-3"), 0.001);
  EXPECT_EQ(parse_ratio("1"), 1.0);
  for (const std::string_view bad : {"", "x", "0.5x", "-0.1", "1.1", "nan", "inf", " 0.5", "0,5"})
    EXPECT_FALSE(parse_ratio(bad)) << bad;
}

}  // namespace
}  // namespace shmring::test
