// SPDX-License-Identifier: Apache-2.0
// The oracle's book of one schedule: every record's fate as those who emitted it and those who were handed it know it.
// Ids belong to their author, so that two schedules that differ in nothing that matters name the same ids.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <numeric>
#include <span>
#include <type_traits>
#include <vector>

#include "libshmring/reader.hpp"
#include "shmring/ring.hpp"
#include "tests/schedules/actors.hpp"
#include "tests/support/splitmix.hpp"

namespace shmring::testing {

enum class Author : std::uint8_t { kActorA = 0, kActorB = 1, kBefore = 2, kAfter = 3 };

/// What the payload of an id begins with; a text that is nowhere the same follows.
struct PayloadHead {
  std::uint32_t id = 0;
  std::uint32_t size = 0;
};
inline constexpr std::size_t kSmallestPayload = sizeof(PayloadHead);
inline constexpr std::size_t kLargestPayload = 1U << 16U;

inline const std::vector<std::byte>& payload_text() {
  static const std::vector<std::byte> text = [] {
    std::vector<std::byte> bytes(kLargestPayload + 4096);
    SplitMix random(4711);
    for (std::byte& byte : bytes) byte = static_cast<std::byte>(random.below(256));
    return bytes;
  }();
  return text;
}

struct Book {
  static constexpr std::uint32_t kAuthors = 4;
  static constexpr std::uint32_t kIdsEach = 32;
  static constexpr std::uint32_t kIds = kAuthors * kIdsEach;

  std::uint32_t issued[kAuthors] = {};
  std::uint32_t size[kIds] = {};          // of the payload; 0: the id was not issued
  std::uint8_t obliged[kIds] = {};        // its emit has returned success: it must arrive
  std::uint8_t refused[kIds] = {};        // its emit has returned false: it must not
  std::uint8_t handed[kIds] = {};         // how often a flusher was given it
  std::uint8_t given_back[kIds] = {};     // how often a flusher gave it back, or left with it
  std::uint8_t acknowledging[kIds] = {};  // its acknowledgement was called
  std::uint8_t superseded[kIds] = {};     // and has returned: nothing was changed
  std::uint8_t acknowledged[kIds] = {};   // and has returned: it counts as accepted
  std::uint32_t mangled = 0;    // payloads handed out that nobody emitted, or that are not what was emitted
  std::uint32_t corrupt = 0;    // records that the counters promised and the bytes did not hold
  std::uint32_t after_ack = 0;  // records handed out although their acknowledgement had returned
  std::uint32_t out_of_order = 0;  // records of one author handed out by one flusher after a later one
  std::uint32_t refused_acks = 0;  // slices

  /// A record of this author. `size`: of its payload.
  bool emit(const Ring& ring, Author author, std::size_t bytes) noexcept {
    const std::uint32_t id = issue(author, bytes);
    auto slot = ring.writer().try_reserve(RecordKind::kLog, bytes);
    bool committed = static_cast<bool>(slot);
    if (committed) {
      const PayloadHead head{id, static_cast<std::uint32_t>(bytes)};
      std::byte* payload = slot.payload().data();
      std::memcpy(payload, &head, sizeof(head));
      std::memcpy(payload + sizeof(head), rest_of(id).data(), bytes - sizeof(head));
      committed = std::move(slot).commit();
    }
    ++(committed ? obliged : refused)[id];
    actor_learned_something();
    return committed;
  }

  /// Room is reserved and left at that: no attempt, unless there was no room.
  void abandon(const Ring& ring, Author author, std::size_t bytes) noexcept {
    if (!ring.writer().try_reserve(RecordKind::kLog, bytes)) ++refused[issue(author, bytes)];
    actor_learned_something();
  }

  /// The ids in a slice that a flusher was handed.
  std::vector<std::uint32_t> receive(const Slice& slice) {
    std::vector<std::uint32_t> ids;
    SliceWalk walk(slice);
    while (const auto record = walk.next()) {
      PayloadHead head;
      if (record->payload.size() >= sizeof(head)) std::memcpy(&head, record->payload.data(), sizeof(head));
      if (!is_right(head, record->payload)) {
        ++mangled;
        continue;
      }
      ++handed[head.id];
      if (acknowledged[head.id] != 0) ++after_ack;
      ids.push_back(head.id);
    }
    corrupt += static_cast<std::uint32_t>(walk.corrupt());
    actor_learned_something();
    return ids;
  }

  std::uint64_t all_issued() const noexcept {
    return std::accumulate(issued, issued + kAuthors, std::uint64_t{0});
  }
  std::uint64_t all_obliged() const noexcept {
    return std::accumulate(obliged, obliged + kIds, std::uint64_t{0});
  }
  std::uint64_t all_refused() const noexcept {
    return std::accumulate(refused, refused + kIds, std::uint64_t{0});
  }

 private:
  std::uint32_t issue(Author author, std::size_t bytes) noexcept {
    const auto index = static_cast<std::uint32_t>(author);
    if (issued[index] == kIdsEach || bytes < kSmallestPayload || bytes > kLargestPayload) std::abort();
    const std::uint32_t id = index * kIdsEach + issued[index]++;
    size[id] = static_cast<std::uint32_t>(bytes);
    return id;
  }
  std::span<const std::byte> rest_of(std::uint32_t id) const noexcept {
    return std::span(payload_text()).subspan(id * 29U, size[id] - sizeof(PayloadHead));
  }
  bool is_right(const PayloadHead& head, std::span<const std::byte> payload) const noexcept {
    if (head.id >= kIds || size[head.id] == 0 || head.size != size[head.id] || payload.size() != head.size)
      return false;
    const auto rest = rest_of(head.id);
    return std::memcmp(payload.data() + sizeof(head), rest.data(), rest.size()) == 0;
  }
};
static_assert(std::is_trivially_copyable_v<Book>);

}  // namespace shmring::testing
