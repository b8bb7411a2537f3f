// SPDX-License-Identifier: Apache-2.0
// What the machine itself costs, in the same run: nobody's numbers say much without these.
#include <atomic>
#include <cstring>
#include <ctime>

#include "bench/harness/short_rows.hpp"

namespace shmring::bench {
namespace {

constexpr const char* kNoRecord = "none";
constexpr const char* kBytesOnly = "bytes, encoded before";

std::uint64_t clock_ns(clockid_t clock) noexcept {
  std::timespec now{};
  ::clock_gettime(clock, &now);
  return static_cast<std::uint64_t>(now.tv_sec) * 1'000'000'000U + static_cast<std::uint64_t>(now.tv_nsec);
}

/// A walk through as much memory as the ring has, record by record, as a ring does it.
class Walk {
 public:
  Walk(Subjects& subjects, int producer)
      : begin_(*subjects.memory()), samples_(subjects.samples()), at_(start_of(producer)) {}

  [[gnu::always_inline]] void copy(std::uint64_t i) noexcept {
    std::memcpy(begin_ + at_, samples_.encoded(i).data(), kRecordBytes);
    at_ = at_ + kStride == kEnd ? 0 : at_ + kStride;
    asm volatile("" : : : "memory");  // the bytes are really written
  }

 private:
  static constexpr std::size_t kStride = (kRecordBytes + 7) / 8 * 8;
  static constexpr std::size_t kEnd = kMemoryBytes / kStride * kStride;

  /// Two producers begin half of the memory apart, further ones in between: none walks through another one's cache lines.
  static std::size_t start_of(int producer) noexcept {
    const auto index = static_cast<std::size_t>(producer);
    return (index % 2 * (kEnd / 2) + index / 2 % 4 * (kEnd / 8)) / kStride * kStride;
  }

  std::byte* begin_;
  const SampleRecords& samples_;
  std::size_t at_;
};

void add_copies(Rows& rows) {
  add_floor_row(rows,
                {.name = "clock_memcpy",
                 .label = "`clock_gettime` and `memcpy` of 211 bytes, through 32 MiB",
                 .record = kBytesOnly,
                 .group = Group::kFloor,
                 .producers = {1, 2, 4, 8}},
                [](Subjects& subjects, int producer) {
                  return [walk = Walk(subjects, producer)](std::uint64_t i) mutable {
                    keep(clock_ns(CLOCK_REALTIME));
                    walk.copy(i);
                    return true;
                  };
                });
  add_floor_row(rows,
                {.name = "memcpy_memory",
                 .label = "`memcpy` of 211 bytes, through 32 MiB",
                 .record = kBytesOnly,
                 .group = Group::kFloor},
                [](Subjects& subjects, int producer) {
                  return [walk = Walk(subjects, producer)](std::uint64_t i) mutable {
                    return walk.copy(i), true;
                  };
                });
  add_floor_row(rows,
                {.name = "memcpy_cache",
                 .label = "`memcpy` of 211 bytes, in the cache",
                 .record = kBytesOnly,
                 .group = Group::kFloor},
                [](Subjects& subjects, int) {
                  return [to = std::array<std::byte, kRecordBytes>(),
                          &samples = subjects.samples()](std::uint64_t i) mutable {
                    std::memcpy(to.data(), samples.encoded(i).data(), kRecordBytes);
                    keep(to.data());
                    return true;
                  };
                });
}

void add_clocks(Rows& rows) {
  const auto add = [&rows](const char* name, const char* label, auto make) {
    add_floor_row(rows, {.name = name, .label = label, .record = kNoRecord, .group = Group::kFloor}, make);
  };
  add("clock_gettime", "`clock_gettime(CLOCK_REALTIME)`",
      [](Subjects&, int) { return [](std::uint64_t) { return keep(clock_ns(CLOCK_REALTIME)), true; }; });
  add("clock_coarse", "`clock_gettime(CLOCK_REALTIME_COARSE)`", [](Subjects&, int) {
    return [](std::uint64_t) { return keep(clock_ns(CLOCK_REALTIME_COARSE)), true; };
  });
#if defined(__x86_64__)
  add("rdtsc", "`rdtsc`", [](Subjects&, int) { return [](std::uint64_t) { return keep(__rdtsc()), true; }; });
#endif
}

}  // namespace

void add_floor_rows(Rows& rows) {
  add_copies(rows);
  add_clocks(rows);
  add_floor_row(rows,
                {.name = "lock_xadd",
                 .label = "`lock xadd` on a line of one's own",
                 .record = kNoRecord,
                 .group = Group::kFloor},
                [](Subjects&, int) {
                  return [word = std::make_unique<std::atomic<std::uint64_t>>(0)](std::uint64_t) {
                    return keep(word->fetch_add(1, std::memory_order_relaxed)), true;  // relaxed: alone
                  };
                });
  add_floor_row(rows,
                {.name = "nothing",
                 .label = "the loop; in the percentiles, the time stamps",
                 .record = kNoRecord,
                 .group = Group::kFloor},
                [](Subjects&, int) { return [](std::uint64_t i) { return keep(i), true; }; });
}

}  // namespace shmring::bench
