// SPDX-License-Identifier: Apache-2.0
#include "libshmring/environment.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>

#include "scoped_environment.hpp"

namespace shmring::test {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class Environment : public WithEnvironment {};

TEST_F(Environment, ThatSaysNothingGivesTheDefaultsOfTheSpecification) {
  const ProducerConfig config = read_producer_config();
  for (const AttributeLimits& limits :
       {config.limits.log, config.limits.span, config.limits.event, config.limits.link}) {
    EXPECT_EQ(limits.count, 128U);
    EXPECT_EQ(limits.value_length, kUnlimited);
  }
  EXPECT_EQ(config.limits.events, 128U);
  EXPECT_EQ(config.limits.links, 128U);
  EXPECT_EQ(config.sampler, *sampler_named("parentbased_always_on", 1.0));
  EXPECT_FALSE(config.disabled);
  EXPECT_THAT(config.ignored, IsEmpty());
}

TEST_F(Environment, EachLimitVariableChangesItsLimitAndNoOther) {
  struct Row {
    const char* name;
    std::function<std::uint32_t(const Limits&)> limit;
  };
  const Row table[] = {
      {"OTEL_LOGRECORD_ATTRIBUTE_COUNT_LIMIT", [](const Limits& l) { return l.log.count; }},
      {"OTEL_LOGRECORD_ATTRIBUTE_VALUE_LENGTH_LIMIT", [](const Limits& l) { return l.log.value_length; }},
      {"OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT", [](const Limits& l) { return l.span.count; }},
      {"OTEL_SPAN_ATTRIBUTE_VALUE_LENGTH_LIMIT", [](const Limits& l) { return l.span.value_length; }},
      {"OTEL_EVENT_ATTRIBUTE_COUNT_LIMIT", [](const Limits& l) { return l.event.count; }},
      {"OTEL_LINK_ATTRIBUTE_COUNT_LIMIT", [](const Limits& l) { return l.link.count; }},
      {"OTEL_SPAN_EVENT_COUNT_LIMIT", [](const Limits& l) { return l.events; }},
      {"OTEL_SPAN_LINK_COUNT_LIMIT", [](const Limits& l) { return l.links; }},
  };
  for (const Row& changed : table) {
    set(changed.name, "7");
    const Limits limits = read_producer_config().limits;
    for (const Row& row : table) {
      EXPECT_EQ(row.limit(limits) == 7U, row.name == changed.name) << changed.name << " and " << row.name;
    }
    ::unsetenv(changed.name);
  }
}

TEST_F(Environment, TheGeneralLimitsAreForAllThatHaveNoneOfTheirOwn) {
  set("OTEL_ATTRIBUTE_COUNT_LIMIT", "10");
  set("OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT", "20");
  set("OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT", "11");
  set("OTEL_SPAN_ATTRIBUTE_VALUE_LENGTH_LIMIT", "21");
  const Limits limits = read_producer_config().limits;
  EXPECT_EQ(limits.log.count, 10U);
  EXPECT_EQ(limits.log.value_length, 20U);
  EXPECT_EQ(limits.span.count, 11U);
  EXPECT_EQ(limits.event.count, 10U);
  EXPECT_EQ(limits.event.value_length, 21U);
  EXPECT_EQ(limits.link.value_length, 21U);
}

TEST_F(Environment, ALimitIsAWholeNumberFromZeroUp) {
  set("OTEL_ATTRIBUTE_COUNT_LIMIT", "0");
  EXPECT_EQ(read_producer_config().limits.log.count, 0U);
  set("OTEL_ATTRIBUTE_COUNT_LIMIT", "99999999999999999999999");
  EXPECT_EQ(read_producer_config().limits.log.count, kUnlimited);
  set("OTEL_ATTRIBUTE_COUNT_LIMIT", "");
  EXPECT_EQ(read_producer_config().limits.log.count, 128U);
  EXPECT_THAT(read_producer_config().ignored, IsEmpty());
  for (const char* bad : {"-1", "x", "1.5", "12x", " 12"}) {
    set("OTEL_ATTRIBUTE_COUNT_LIMIT", bad);
    EXPECT_EQ(read_producer_config().limits.log.count, 128U) << bad;
    EXPECT_THAT(read_producer_config().ignored, ElementsAre(HasSubstr("OTEL_ATTRIBUTE_COUNT_LIMIT"))) << bad;
  }
}

TEST_F(Environment, ChoosesTheSampler) {
  set("OTEL_TRACES_SAMPLER", "traceidratio");
  EXPECT_EQ(read_producer_config().sampler, *sampler_named("traceidratio", 1.0));
  set("OTEL_TRACES_SAMPLER_ARG", "0.25");
  EXPECT_EQ(read_producer_config().sampler, *sampler_named("traceidratio", 0.25));
  set("OTEL_TRACES_SAMPLER", "parentbased_traceidratio");
  EXPECT_EQ(read_producer_config().sampler, *sampler_named("parentbased_traceidratio", 0.25));
  set("OTEL_TRACES_SAMPLER", "always_off");
  EXPECT_EQ(read_producer_config().sampler, *sampler_named("always_off", 1.0));
  EXPECT_THAT(read_producer_config().ignored, IsEmpty());
}

TEST_F(Environment, AnUnknownSamplerOrRatioIsIgnoredAndNoted) {
  set("OTEL_TRACES_SAMPLER", "jaeger_remote");
  EXPECT_EQ(read_producer_config().sampler, SamplerConfig{});
  EXPECT_THAT(read_producer_config().ignored, ElementsAre(HasSubstr("jaeger_remote")));
  set("OTEL_TRACES_SAMPLER", "traceidratio");
  set("OTEL_TRACES_SAMPLER_ARG", "2");
  EXPECT_EQ(read_producer_config().sampler, *sampler_named("traceidratio", 1.0));
  EXPECT_THAT(read_producer_config().ignored, ElementsAre(HasSubstr("OTEL_TRACES_SAMPLER_ARG=2")));
}

TEST_F(Environment, DisablesTheLibraryByTheWordTrueOnly) {
  for (const char* yes : {"true", "TRUE", "True"}) {
    set("OTEL_SDK_DISABLED", yes);
    EXPECT_TRUE(read_producer_config().disabled) << yes;
  }
  for (const char* no : {"false", "", "1", "yes", "true "}) {
    set("OTEL_SDK_DISABLED", no);
    EXPECT_FALSE(read_producer_config().disabled) << no;
  }
}

}  // namespace
}  // namespace shmring::test
