// SPDX-License-Identifier: Apache-2.0
// The words of which scenarios are made: what actors do, and which ring they find.
#pragma once

#include <cstring>

#include "libshmring/robust_mutex.hpp"
#include "tests/schedules/scene.hpp"

namespace shmring::testing {

inline constexpr std::uint32_t kNobodysTid = 0x3FFFFF;  // above every pid_max

inline const auto kRegisters = [](const Role& role) { role.registers(); };
inline const auto kEmitsOne = [](const Role& role) { role.emits(kSmall); };
inline const auto kEmitsTwo = [](const Role& role) {
  role.emits(kSmall);
  role.emits(kSmall);
};
/// Larger than a block: it takes two neighbours.
inline const auto kEmitsARun = [](const Role& role) { role.emits(kRunOfTwo); };
/// Its block is full: the next record needs another one.
inline const auto kFillsABlock = [](const Role& role) { role.fills_a_block(); };
inline const auto kFillsFourBlocks = [](const Role& role) {
  for (int block = 0; block < 4; ++block) kFillsABlock(role);
};
inline const auto kOpensABlock = [](const Role& role) { role.emits(kSmall); };

inline const auto kTakesOver = [](const Role& role) { role.flusher().take_over(); };
inline const auto kDrainsAndAcknowledges = [](const Role& role) {
  role.flusher().drain();
  role.flusher().acknowledge();
};
inline const auto kDrainsTwice = [](const Role& role) {
  kDrainsAndAcknowledges(role);
  kDrainsAndAcknowledges(role);
};
/// It has handed out what there was.
inline const auto kHasDrained = [](const Role& role) {
  role.flusher().take_over();
  role.flusher().drain();
};

inline const auto kAcknowledges = [](const Role& role) { role.flusher().acknowledge(); };
/// It has handed out what there was; then it stood still while another took over, and does not know.
inline const auto kHasLostItsLease = [](const Role& role) {
  kHasDrained(role);
  role.flusher().lose_lease();
};
inline const auto kTookALeaseAndLostIt = [](const Role& role) {
  kTakesOver(role);
  role.flusher().lose_lease();
};
inline const auto kAcknowledgesAndDrains = [](const Role& role) {
  role.flusher().acknowledge();
  role.flusher().drain();
};
inline const auto kLooksAtTheAccounts = [](const Role& role) { role.looks_at_the_accounts(); };

// ------------------------------------------------------------------------------------------------------- arrangements

inline const auto kNothing = [](Scene&) {};
inline const auto kOneBlockFree = [](Scene& scene) { scene.dead_writer(3, 0); };
inline const auto kOneBlockTaken = [](Scene& scene) { scene.dead_writer(1, 0); };
inline const auto kTwoBlocksTaken = [](Scene& scene) { scene.dead_writer(2, 0); };
inline const auto kNoBlockFree = [](Scene& scene) { scene.dead_writer(4, 0); };
inline const auto kTwoRuns = [](Scene& scene) { scene.dead_writer_of_runs(2); };
/// Three are full, the fourth is an orphan with room.
inline const auto kOneOrphanWithRoom = [](Scene& scene) { scene.dead_writer(3, 1); };
inline const auto kAnOrphanAndThreeFree = [](Scene& scene) { scene.dead_writer(0, 1); };
/// One is full, one an orphan with room; the next to write takes one of the two free ones.
inline const auto kAnOrphanAndOneFree = [](Scene& scene) { scene.dead_writer(1, 1); };
/// The oldest is an orphan with room, the others are full.
inline const auto kAnOrphanAndNoneFree = [](Scene& scene) {
  scene.dead_writer(0, 1);
  scene.dead_writer(3, 0);
};
/// Everything in it is exported, its writer is gone, nobody has recycled it.
inline const auto kAnExportedOrphan = [](Scene& scene) {
  scene.dead_writer(0, 1);
  WriterSlot& slot = scene.slot(0);
  // While it was drained its writer seemed to live, in a namespace about which nobody here knows.
  const std::uint64_t here = slot.pid_namespace.exchange(0);
  const std::uint32_t held = kNobodysTid;
  std::uint32_t died = 0;
  std::memcpy(&died, slot.mutex + kFutexWordOffset, sizeof(died));
  std::memcpy(slot.mutex + kFutexWordOffset, &held, sizeof(held));
  {
    BookedFlusher flusher(scene.file(), scene.book());
    flusher.take_over();
    flusher.drain();
    flusher.acknowledge();
  }
  std::memcpy(slot.mutex + kFutexWordOffset, &died, sizeof(died));
  slot.pid_namespace.store(here);
};
/// A flusher died with its pins set.
inline const auto kPinsOfADeadFlusher = [](Scene& scene) {
  scene.dead_writer(2, 1);
  BookedFlusher flusher(scene.file(), scene.book());
  flusher.take_over();
  flusher.drain();
};
/// The next holder of slot 0 gets generation 0: a wrap.
inline const auto kLastGeneration = [](Scene& scene) {
  scene.dead_writer(0, 1);
  WriterSlot& slot = scene.slot(0);
  ClaimWord claim = ClaimWord::unpack(slot.claim.load());
  claim.generation = StateWord::kGenerationMask;
  slot.claim.store(claim.pack());
};
/// The only slot's holder was killed in a way that the kernel does not mark.
inline const auto kAnUnmarkedDeath = [](Scene& scene) {
  scene.dead_writer(0, 1);
  const std::uint32_t held = kNobodysTid;
  std::memcpy(scene.slot(0).mutex + kFutexWordOffset, &held, sizeof(held));
  scene.slot(0).tid.store(kNobodysTid);
};
/// The only slot's last claimer died before it locked: the kernel did not mark that, /proc knows.
inline const auto kADeadClaimer = [](Scene& scene) {
  scene.dead_writer(0, 1);
  ClaimWord claim = ClaimWord::unpack(scene.slot(0).claim.load());
  claim.phase = SlotPhase::kClaiming;
  claim.generation += 1;
  claim.tid = kNobodysTid;
  scene.slot(0).claim.store(claim.pack());
};

}  // namespace shmring::testing
