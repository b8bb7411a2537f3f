// SPDX-License-Identifier: Apache-2.0
// How often an operation took how long: 32 buckets to each doubling, so that a value is known to 3 percent. Adding to it
// is two instructions' worth of arithmetic and one store, and touches 15 KiB at most.
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>

namespace shmring::bench {

class Histogram {
 public:
  static constexpr std::size_t kBuckets = 60 * 32;

  void add(std::uint64_t value) noexcept {
    ++counts_[bucket_of(value)];
    if (value > max_) max_ = value;
  }

  void add(const Histogram& other) noexcept {
    for (std::size_t i = 0; i < kBuckets; ++i) counts_[i] += other.counts_[i];
    if (other.max_ > max_) max_ = other.max_;
  }

  std::uint64_t total() const noexcept {
    std::uint64_t sum = 0;
    for (const std::uint64_t count : counts_) sum += count;
    return sum;
  }
  std::uint64_t max() const noexcept { return max_; }
  std::uint64_t count(std::size_t bucket) const noexcept { return counts_[bucket]; }

  /// The smallest value that at least this share of all values does not exceed; 0 of an empty histogram.
  std::uint64_t quantile(double share) const noexcept {
    const double wanted = share * static_cast<double>(total());
    double sum = 0;
    for (std::size_t i = 0; i < kBuckets; ++i) {
      sum += static_cast<double>(counts_[i]);
      if (counts_[i] != 0 && sum >= wanted) return upper(i) < max_ ? upper(i) : max_;
    }
    return max_;
  }

  /// The largest value that goes into this bucket.
  static std::uint64_t upper(std::size_t bucket) noexcept {
    if (bucket < 64) return bucket;
    const std::size_t shift = bucket / 32 - 1;
    return ((bucket % 32 + 33) << shift) - 1;
  }

  static std::size_t bucket_of(std::uint64_t value) noexcept {
    if (value < 64) return value;
    const auto shift = static_cast<std::size_t>(std::bit_width(value)) - 6;
    return (shift + 1) * 32 + (value >> shift) - 32;
  }

 private:
  std::array<std::uint64_t, kBuckets> counts_{};
  std::uint64_t max_ = 0;
};

}  // namespace shmring::bench
