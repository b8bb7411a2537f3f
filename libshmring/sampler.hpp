// SPDX-License-Identifier: Apache-2.0
// The samplers that OTEL_TRACES_SAMPLER can name (specification "Trace SDK", Sampling).
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "shmring/ids.hpp"

namespace shmring {

/// A trace is sampled if the last 56 bits of its id are at least `threshold`: 0 samples all, kSampleNothing
/// none.
inline constexpr std::uint64_t kSampleEverything = 0;
inline constexpr std::uint64_t kSampleNothing = std::uint64_t{1} << 56U;

enum class ParentRule : std::uint8_t { kFollow, kIgnore };
enum class Decision : std::uint8_t { kDrop, kSample };

struct SamplerConfig {
  std::uint64_t threshold = kSampleEverything;  // for roots, and for all where the parent is ignored
  ParentRule parent = ParentRule::kFollow;

  friend bool operator==(const SamplerConfig&, const SamplerConfig&) = default;
};

/// always_on, always_off, traceidratio and the same behind parentbased_; in any case. `ratio` is for the two
/// that have one. nullopt: no such name.
std::optional<SamplerConfig> sampler_named(std::string_view name, double ratio) noexcept;

/// True for the two names whose OTEL_TRACES_SAMPLER_ARG is a ratio.
bool takes_ratio(std::string_view sampler_name) noexcept;

/// A number from 0 to 1; nullopt for anything else.
std::optional<double> parse_ratio(std::string_view text) noexcept;

/// The trace's, of 56 bits (specification "TraceState: Probability Sampling").
inline std::uint64_t randomness(const TraceId& id) noexcept {
  std::uint64_t value = 0;
  for (std::size_t i = 9; i < 16; ++i) value = value << 8U | id.bytes[i];
  return value;
}

/// `parent` is nullptr, or not valid, for a root. Pure.
inline Decision sample(const SamplerConfig& sampler, const TraceContext* parent,
                       const TraceId& trace_id) noexcept {
  if (sampler.parent == ParentRule::kFollow && parent != nullptr && parent->is_valid()) {
    return parent->is_sampled() ? Decision::kSample : Decision::kDrop;
  }
  return randomness(trace_id) >= sampler.threshold ? Decision::kSample : Decision::kDrop;
}

}  // namespace shmring
