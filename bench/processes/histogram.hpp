// SPDX-License-Identifier: Apache-2.0
// Counts of durations in buckets that are 1/16 wide relative to what they hold: from one tick to hours in 8 KiB, so that it fits
// into memory that processes share.
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>

namespace shmring::bench {

class Histogram {
 public:
  static constexpr unsigned kPrecisionBits = 4;
  static constexpr std::size_t kBuckets = (64 - kPrecisionBits) << kPrecisionBits;

  void add(std::uint64_t ticks) noexcept {
    ++counts_[bucket_of(ticks)];
    ++total_;
    if (ticks > max_) max_ = ticks;
  }

  std::uint64_t total() const noexcept { return total_; }
  std::uint64_t max() const noexcept { return max_; }
  std::uint64_t count(std::size_t bucket) const noexcept { return counts_[bucket]; }
  /// The largest value that falls into the bucket.
  static constexpr std::uint64_t upper(std::size_t bucket) noexcept {
    const std::size_t exponent = bucket >> kPrecisionBits;
    if (exponent == 0) return bucket;
    const std::uint64_t mantissa = (std::uint64_t{1} << kPrecisionBits) + (bucket & kMask);
    return ((mantissa + 1) << (exponent - 1)) - 1;
  }
  /// The upper end of the bucket in which that share (0 to 1) of all values is reached.
  std::uint64_t percentile(double share) const noexcept {
    const auto wanted = static_cast<std::uint64_t>(share * static_cast<double>(total_));
    std::uint64_t seen = 0;
    for (std::size_t bucket = 0; bucket < kBuckets; ++bucket) {
      seen += counts_[bucket];
      if (counts_[bucket] != 0 && seen >= wanted) return upper(bucket) < max_ ? upper(bucket) : max_;
    }
    return max_;
  }

 private:
  static constexpr std::size_t kMask = (std::size_t{1} << kPrecisionBits) - 1;
  static constexpr std::size_t bucket_of(std::uint64_t ticks) noexcept {
    const auto bits = static_cast<std::size_t>(std::bit_width(ticks));
    if (bits <= kPrecisionBits) return ticks;
    const std::size_t exponent = bits - kPrecisionBits;
    return exponent << kPrecisionBits | (ticks >> (exponent - 1) & kMask);
  }

  std::array<std::uint64_t, kBuckets> counts_{};
  std::uint64_t total_ = 0;
  std::uint64_t max_ = 0;
};

}  // namespace shmring::bench
