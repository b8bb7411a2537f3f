// SPDX-License-Identifier: Apache-2.0
// Who holds a writer slot, as the slot says it.
#include "tools/slot_holder.hpp"

#include <fmt/format.h>

#include <cstring>

#include "libshmring/liveness.hpp"
#include "tools/text.hpp"
#include "tools/units.hpp"

namespace shmring::tools {
namespace {

std::string command_of(const WriterSlot& slot) {
  char text[sizeof(slot.command) + 1] = {};
  for (std::size_t n = 0; n < std::size(slot.command); ++n) {
    const std::uint64_t word = slot.command[n].load(std::memory_order_relaxed);  // relaxed: for people
    std::memcpy(text + n * sizeof(word), &word, sizeof(word));
  }
  return text;
}

}  // namespace

SlotHolder holder_of(const RingFile& ring, std::uint32_t index) {
  const WriterSlot& slot = ring.slots()[index];
  const ClaimWord claim = ClaimWord::unpack(slot.claim.load(std::memory_order_acquire));  // P5
  SlotHolder holder{.slot = index, .is_registering = claim.phase == SlotPhase::kClaiming};
  holder.pid = slot.pid.load(std::memory_order_relaxed);  // relaxed: for people, as all below
  holder.thread =
      holder.is_registering ? claim.tid : slot.tid.load(std::memory_order_relaxed);  // relaxed: likewise
  holder.pid_namespace = slot.pid_namespace.load(std::memory_order_relaxed);         // relaxed: likewise
  holder.command = command_of(slot);
  const std::uint64_t since = slot.registered_ns.load(std::memory_order_relaxed);  // relaxed: likewise
  const std::uint64_t now = boottime_ns();
  if (since != 0 && since <= now) holder.age = std::chrono::nanoseconds(now - since);
  return holder;
}

std::string to_text(const SlotHolder& holder) {
  if (holder.is_registering) return fmt::format("thread {}, which was about to register", holder.thread);
  std::string text = fmt::format("thread {} of process {} ({}) in ", holder.thread, holder.pid,
                                 holder.command.empty() ? "no name" : escaped(holder.command));
  text += holder.pid_namespace == 0 ? "an unknown pid namespace"
                                    : fmt::format("pid namespace {}", holder.pid_namespace);
  if (holder.age) text += ", registered " + format_duration(*holder.age) + " ago";
  return text;
}

}  // namespace shmring::tools
