// SPDX-License-Identifier: Apache-2.0
// The samplers that OTEL_TRACES_SAMPLER can name.

#include "libshmring/sampler.hpp"

#include <charconv>

#include "libshmring/text.hpp"

namespace shmring {
namespace {

constexpr std::string_view kParentBased = "parentbased_";

// Specification "TraceState: Probability Sampling".
std::uint64_t rejection_threshold(double ratio) noexcept {
  const auto accepted = static_cast<std::uint64_t>(ratio * static_cast<double>(kSampleNothing) + 0.5);
  return kSampleNothing - accepted;
}

std::string_view without_parent_rule(std::string_view name) noexcept {
  const bool follows = equal_ignoring_case(name.substr(0, kParentBased.size()), kParentBased);
  return follows ? name.substr(kParentBased.size()) : name;
}

}  // namespace

std::optional<SamplerConfig> sampler_named(std::string_view name, double ratio) noexcept {
  const std::string_view rule = without_parent_rule(name);
  SamplerConfig config;
  config.parent = rule.size() == name.size() ? ParentRule::kIgnore : ParentRule::kFollow;
  if (equal_ignoring_case(rule, "always_on")) {
    config.threshold = kSampleEverything;
  } else if (equal_ignoring_case(rule, "always_off")) {
    config.threshold = kSampleNothing;
  } else if (equal_ignoring_case(rule, "traceidratio")) {
    config.threshold = rejection_threshold(ratio);
  } else {
    return std::nullopt;
  }
  return config;
}

bool takes_ratio(std::string_view sampler_name) noexcept {
  return equal_ignoring_case(without_parent_rule(sampler_name), "traceidratio");
}

std::optional<double> parse_ratio(std::string_view text) noexcept {
  double ratio = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), ratio);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  if (!(ratio >= 0.0 && ratio <= 1.0)) return std::nullopt;  // NaN too
  return ratio;
}

}  // namespace shmring
