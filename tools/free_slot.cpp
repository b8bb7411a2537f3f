// SPDX-License-Identifier: Apache-2.0
// Frees writer slots on the word of somebody who knows more than this machine can prove.
//
// A thread of another pid namespace whose death the kernel did not mark seems to live for ever: its slot is taken by nobody, and its
// block waits for it. Who takes a slot from a thread that lives makes two owners of one block: their records overwrite each other.
#include "tools/free_slot.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "libshmring/liveness.hpp"
#include "libshmring/recycle.hpp"
#include "libshmring/ring_file.hpp"
#include "tools/cli.hpp"
#include "tools/slot_holder.hpp"
#include "tools/units.hpp"

namespace shmring::tools {
namespace {

bool refuse(const char* verb, std::uint32_t index, const std::string& why) {
  complain(verb, fmt::format("slot {} was left as it is: {}", index, why));
  return false;
}

bool free_slot(const char* verb, const RingFile& ring, std::uint32_t index) {
  WriterSlot& slot = ring.slots()[index];
  const std::uint64_t claim = slot.claim.load(std::memory_order_acquire);  // P5: before it is judged
  const SlotHolder holder = holder_of(ring, index);
  const Liveness judged = liveness(slot, Ask::kWordAndProc);
  if (judged == Liveness::kVacant) return refuse(verb, index, "it is vacant, nobody holds it");
  if (judged == Liveness::kAlive) {
    return refuse(verb, index, "its holder runs: " + to_text(holder) + "; it leaves the slot when it ends");
  }
  // Somebody else has taken or freed the slot since: then what was judged is of the past.
  if (!vacate(slot, claim)) return refuse(verb, index, "it has changed hands just now; look again");
  print(fmt::format("slot {} is free; it was held by {}.\n", index, to_text(holder)));
  if (judged == Liveness::kUnknown) {
    print(
        "Nobody here can prove that this thread is gone: you said so. If it still runs, end it now, or its "
        "records and those of whoever takes over its block destroy each other.\n");
  }
  return true;
}

}  // namespace

int free_slots(const char* verb, const std::filesystem::path& path, std::span<const std::uint32_t> slots) {
  const auto ring = RingFile::attach(path);
  if (!ring) return cannot_open(verb, ring.error());
  const std::uint32_t count = ring->geometry().writer_count;
  if (const auto wrong = std::find_if(slots.begin(), slots.end(), [&](auto slot) { return slot >= count; });
      wrong != slots.end()) {
    complain(verb, fmt::format("there is no slot {}: the ring has {}, the first is 0; nothing was changed",
                               *wrong, format_count(count)));
    return kUsage;
  }
  bool all = true;
  for (const std::uint32_t slot : slots) all = free_slot(verb, *ring, slot) && all;
  if (all)
    print("What is in its blocks is delivered and the blocks come back with the flusher's next drains.\n");
  return all ? kFine : kBadNews;
}

}  // namespace shmring::tools
