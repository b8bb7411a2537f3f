// SPDX-License-Identifier: Apache-2.0
// The way of a time stamp from ticks to nanoseconds.
#include "libshmring/tick_times.hpp"

#include <algorithm>
#include <cstdint>
#include <cstring>

#include "libshmring/record_walk.hpp"

namespace shmring {
namespace {

/// The leading fields of a record that hold ticks. Fields of another form are left as they are: no writer of ours makes them, and the
/// validator judges them.
void convert_fields(std::span<std::byte> payload, unsigned fields, const ClockAnchor& clock) noexcept {
  constexpr std::size_t kFieldBytes = 1 + sizeof(std::uint64_t);
  constexpr unsigned kFixed64 = 1;
  for (; fields > 0 && payload.size() >= kFieldBytes; --fields, payload = payload.subspan(kFieldBytes)) {
    const auto tag = static_cast<unsigned>(payload[0]);
    if ((tag & 0x80U) != 0 || (tag & 7U) != kFixed64) return;
    std::uint64_t word = 0;
    std::memcpy(&word, payload.data() + 1, sizeof(word));
    word = unix_ns_of(clock, word);
    std::memcpy(payload.data() + 1, &word, sizeof(word));
  }
}

}  // namespace

std::uint64_t unix_ns_of(const ClockAnchor& clock, std::uint64_t ticks) noexcept {
  __extension__ using Wide = __int128;
  const auto since = static_cast<std::int64_t>(ticks - clock.ticks);  // a stamp may be older than its clock
  return clock.unix_ns + static_cast<std::uint64_t>(Wide{since} * Wide{clock.rate} >> 32U);
}

void convert_ticks(std::span<std::byte> bytes, Signal signal) noexcept {
  constexpr ClockAnchor kNone{};  // its rate is 0, and so is every time by it
  ClockAnchor clock = kNone;
  std::uint32_t offset = 0;
  for (;;) {
    const RecordStep step = step_record(bytes, offset, signal);
    if (step.kind == RecordStep::Kind::kEnd || step.kind == RecordStep::Kind::kBroken) return;
    const auto payload = bytes.subspan(offset + sizeof(RecordHeader), step.header.size);
    if (step.kind == RecordStep::Kind::kRecord && step.header.ticks != 0) {
      convert_fields(payload, std::min(step.header.ticks, kMaxTickFields), clock);
      bytes[offset + offsetof(RecordHeader, ticks)] = std::byte{0};
    } else if (step.header.kind == static_cast<std::uint8_t>(RecordKind::kResource)) {
      clock = kNone;  // another writer's section
    } else if (step.header.kind == static_cast<std::uint8_t>(RecordKind::kClock) &&
               payload.size() >= sizeof(clock)) {
      std::memcpy(&clock, payload.data(), sizeof(clock));
    }
    offset = step.next;
  }
}

}  // namespace shmring
