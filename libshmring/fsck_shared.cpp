// SPDX-License-Identifier: Apache-2.0
// Checks the header and the writer slots.
#include "libshmring/fsck_shared.hpp"

#include <algorithm>
#include <cstring>
#include <string_view>

#include "libshmring/lease.hpp"
#include "libshmring/liveness.hpp"

namespace shmring {
namespace {

// Nobody has dropped so many: a thousand years of a drop each half nanosecond.
constexpr std::uint64_t kNoSuchCount = std::uint64_t{1} << 56U;

/// Findings about one place.
class Place {
 public:
  Place(std::vector<Finding>& findings, std::string where, std::string who = {})
      : findings_(findings), where_(std::move(where)), who_(std::move(who)) {}
  void damage(std::string what) {
    findings_.push_back({Finding::Severity::kDamage, where_, std::move(what), who_});
  }
  void note(std::string what) {
    findings_.push_back({Finding::Severity::kNote, where_, std::move(what), who_});
  }

 private:
  std::vector<Finding>& findings_;
  std::string where_;
  std::string who_;
};

template <typename T, std::size_t N>
bool is_zero(const T (&bytes)[N]) {
  return std::all_of(std::begin(bytes), std::end(bytes), [](const T& each) { return each == 0; });
}

/// Drops counted, of all signals and causes; damage where a count cannot be one.
std::uint64_t check_drops(const std::atomic<std::uint64_t> (&dropped)[kSignalCount][kDropCells],
                          Place& place) {
  std::uint64_t sum = 0;
  for (std::size_t s = 0; s < kSignalCount; ++s) {
    for (std::size_t c = 0; c < kDropCells; ++c) {
      const std::uint64_t count = dropped[s][c].load(std::memory_order_relaxed);  // relaxed: a ring at rest
      if (count >= kNoSuchCount) {
        place.damage("it counts " + std::to_string(count) + " drops of " +
                     std::string(to_string(static_cast<Signal>(s))) + ", more than there can have been");
      } else if (c >= kDropCauseCount && count != 0) {
        place.note("it counts drops of a cause that this version does not know");
      }
      sum += std::min(count, kNoSuchCount);
    }
  }
  return sum;
}

std::string command_of(const WriterSlot& slot) {
  char text[sizeof(slot.command) + 1] = {};
  for (std::size_t n = 0; n < std::size(slot.command); ++n) {
    const std::uint64_t word = slot.command[n].load(std::memory_order_relaxed);  // relaxed: for people
    std::memcpy(text + n * sizeof(word), &word, sizeof(word));
  }
  return text;
}

std::string_view word_of(Liveness liveness) {
  switch (liveness) {
    case Liveness::kVacant:
      return "has left";
    case Liveness::kAlive:
      return "alive";
    case Liveness::kGone:
      return "gone";
    case Liveness::kUnknown:
      break;
  }
  return "in another pid namespace";
}

void check_holder(const WriterSlot& slot, const ClaimWord& claim, Place& place) {
  const Liveness asked = liveness(slot, Ask::kWordAndProc);
  if (claim.phase == SlotPhase::kHeld && asked == Liveness::kGone &&
      liveness(slot, Ask::kWord) == Liveness::kAlive) {
    place.note("its holder is gone, though its mutex does not say so; the next drains find that out as well");
  }
  if (claim.phase != SlotPhase::kClaiming) return;
  const std::string claimer = "thread " + std::to_string(claim.tid);
  if (asked == Liveness::kGone) {
    place.note(claimer + " died while it registered; the slot can be taken");
  } else if (asked == Liveness::kUnknown) {
    place.note(claimer +
               " of another pid namespace is registering, or died at that: from here nobody can tell");
  }
}

}  // namespace

std::string describe_writer(const RingFile& ring, std::uint32_t index) {
  const std::string who = "writer slot " + std::to_string(index);
  if (index >= ring.geometry().writer_count) return who + " (does not exist)";
  const WriterSlot& slot = ring.slots()[index];
  const std::uint32_t pid = slot.pid.load(std::memory_order_relaxed);  // relaxed: for people
  if (pid == 0) return who + " (never used)";
  return who + " (pid " + std::to_string(pid) + ", thread " +
         std::to_string(slot.tid.load(std::memory_order_relaxed)) +  // relaxed: for people
         ", command " + command_of(slot) + ", " + std::string(word_of(liveness(slot, Ask::kWordAndProc))) +
         ")";
}

void check_header(const RingFile& ring, std::vector<Finding>& findings) {
  const RingHeader& header = ring.header();
  Place place(findings, "header");
  if (std::memcmp(&header.identity, &ring.identity(), sizeof(RingIdentity)) != 0) {
    place.damage("its identity changed since the file was opened");
  }
  const std::uint32_t policy = header.on_full.load(std::memory_order_relaxed);  // relaxed: a ring at rest
  if (policy > static_cast<std::uint32_t>(FullPolicy::kDropOldest)) {
    place.damage("the policy for a full ring is " + std::to_string(policy) + ", which means nothing");
  }
  const std::uint32_t free = header.free_blocks.load(std::memory_order_relaxed);  // relaxed: a ring at rest
  if (free > ring.geometry().block_count) {
    place.note("the estimate of free blocks is out of range; the next drain mends it");
  }
  const std::uint32_t flusher = header.flusher_pid.load(std::memory_order_relaxed);  // relaxed: for people
  const auto lease = lease_state(ring);
  if (flusher != 0 && lease && *lease == LeaseState::kFree) {
    place.note("the last flusher (pid " + std::to_string(flusher) +
               ") did not leave in order; the next one goes on");
  }
  static_cast<void>(check_drops(header.dropped, place));
  if (!is_zero(header.reserved)) place.note("its reserved bytes are not zero; nobody reads them");
}

void check_slot(const RingFile& ring, std::uint32_t index, std::vector<Finding>& findings) {
  const WriterSlot& slot = ring.slots()[index];
  const ClaimWord claim = ClaimWord::unpack(slot.claim.load(std::memory_order_acquire));  // P5
  const bool was_used = slot.pid.load(std::memory_order_relaxed) != 0;  // relaxed: for people
  Place place(findings, "slot " + std::to_string(index),
              was_used ? describe_writer(ring, index) : std::string());
  if (claim.phase > SlotPhase::kHeld) {
    place.damage("its phase is " + std::to_string(static_cast<unsigned>(claim.phase)) +
                 ", which means nothing");
  } else {
    check_holder(slot, claim, place);
  }
  for (const auto& hints : slot.open_block) {
    const bool is_wrong = std::any_of(std::begin(hints), std::end(hints), [&](const auto& hint) {
      return hint.load(std::memory_order_relaxed) > ring.geometry().block_count;  // relaxed: a ring at rest
    });
    if (is_wrong) place.note("its hint names a block that does not exist; claims ignore it");
  }
  const std::uint64_t drops = check_drops(slot.dropped, place);
  const std::uint64_t first = slot.first_drop_unix_ns.load(std::memory_order_relaxed);  // relaxed: for people
  if (drops != 0 && first == 0) {
    place.note("it counts " + std::to_string(drops) + " drops, but not one has left its time");
  }
  if (!is_zero(slot.reserved0) || !is_zero(slot.reserved1) || !is_zero(slot.reserved2)) {
    place.note("its reserved bytes are not zero; nobody reads them");
  }
}

}  // namespace shmring
