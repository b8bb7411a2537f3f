// SPDX-License-Identifier: Apache-2.0
// The environment variables of a producer.

#include "libshmring/environment.hpp"

#include <charconv>
#include <cstdlib>

#include "libshmring/text.hpp"

namespace shmring {
namespace {

class Reader {
 public:
  explicit Reader(std::vector<std::string>& ignored) noexcept : ignored_(ignored) {}

  // "Valid values are non-negative"; larger than we can count is as good as no limit.
  std::uint32_t limit(const char* name, std::uint32_t fallback) {
    const auto text = environment(name);
    if (!text) return fallback;
    std::uint32_t value = 0;
    const char* const end = text->data() + text->size();
    const auto result = std::from_chars(text->data(), end, value);
    if (result.ptr == end && result.ec == std::errc{}) return value;
    if (result.ptr == end && result.ec == std::errc::result_out_of_range) return kUnlimited;
    ignore(name, *text, "not a whole number from 0 up");
    return fallback;
  }

  SamplerConfig sampler() {
    const auto name = environment("OTEL_TRACES_SAMPLER");
    if (!name) return {};
    const auto named = sampler_named(*name, takes_ratio(*name) ? ratio() : 1.0);
    if (!named)
      ignore("OTEL_TRACES_SAMPLER", *name, "not a sampler of this library; parentbased_always_on is used");
    return named.value_or(SamplerConfig{});
  }

  Clock clock() {
    const auto name = environment("SHMRING_CLOCK");
    if (!name || equal_ignoring_case(*name, "realtime")) return Clock::kRealtime;
    if (equal_ignoring_case(*name, "coarse")) return Clock::kCoarse;
    if (equal_ignoring_case(*name, "tsc")) return Clock::kTsc;
    ignore("SHMRING_CLOCK", *name, "none of realtime, coarse and tsc; realtime is used");
    return Clock::kRealtime;
  }

  // "true" is true; everything else is false, and noted unless it says so.
  bool flag(const char* name) {
    const auto text = environment(name);
    if (!text || equal_ignoring_case(*text, "false")) return false;
    if (equal_ignoring_case(*text, "true")) return true;
    ignore(name, *text, "neither true nor false");
    return false;
  }

 private:
  double ratio() {
    const auto text = environment("OTEL_TRACES_SAMPLER_ARG");
    if (!text) return 1.0;
    const auto value = parse_ratio(*text);
    if (!value) ignore("OTEL_TRACES_SAMPLER_ARG", *text, "not a number from 0 to 1; 1 is used");
    return value.value_or(1.0);
  }

  void ignore(const char* name, std::string_view value, const char* why) {
    ignored_.push_back(std::string(name) + "=" + std::string(value) + " is ignored: " + why);
  }

  std::vector<std::string>& ignored_;
};

Limits read_limits(Reader& read) {
  const AttributeLimits all{
      .count = read.limit("OTEL_ATTRIBUTE_COUNT_LIMIT", AttributeLimits{}.count),
      .value_length = read.limit("OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT", AttributeLimits{}.value_length)};
  Limits limits;
  limits.log = {.count = read.limit("OTEL_LOGRECORD_ATTRIBUTE_COUNT_LIMIT", all.count),
                .value_length = read.limit("OTEL_LOGRECORD_ATTRIBUTE_VALUE_LENGTH_LIMIT", all.value_length)};
  limits.span = {.count = read.limit("OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT", all.count),
                 .value_length = read.limit("OTEL_SPAN_ATTRIBUTE_VALUE_LENGTH_LIMIT", all.value_length)};
  limits.event = {.count = read.limit("OTEL_EVENT_ATTRIBUTE_COUNT_LIMIT", all.count),
                  .value_length = limits.span.value_length};
  limits.link = {.count = read.limit("OTEL_LINK_ATTRIBUTE_COUNT_LIMIT", all.count),
                 .value_length = limits.span.value_length};
  limits.events = read.limit("OTEL_SPAN_EVENT_COUNT_LIMIT", limits.events);
  limits.links = read.limit("OTEL_SPAN_LINK_COUNT_LIMIT", limits.links);
  return limits;
}

}  // namespace

std::optional<std::string_view> environment(const char* name) noexcept {
  const char* const value = std::getenv(name);
  if (value == nullptr || *value == '\0') return std::nullopt;
  return std::string_view(value);
}

ProducerConfig read_producer_config() {
  ProducerConfig config;
  Reader read(config.ignored);
  config.limits = read_limits(read);
  config.sampler = read.sampler();
  config.disabled = read.flag("OTEL_SDK_DISABLED");
  config.clock = read.clock();
  return config;
}

}  // namespace shmring
