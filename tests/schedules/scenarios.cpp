// SPDX-License-Identifier: Apache-2.0
// The scenarios: which ring the actors find, and what each does. A new one is a function and a line in the table below.
#include <cstring>

#include "libshmring/robust_mutex.hpp"
#include "tests/schedules/scene.hpp"

namespace shmring::testing {
namespace {

constexpr std::uint32_t kNobodysTid = 0x3FFFFF;  // above every pid_max

const auto kRegisters = [](const Role& role) { role.registers(); };
const auto kEmitsOne = [](const Role& role) { role.emits(kSmall); };
const auto kEmitsTwo = [](const Role& role) {
  role.emits(kSmall);
  role.emits(kSmall);
};
/// Its block is full: the next record needs another one.
const auto kFillsABlock = [](const Role& role) { role.fills_a_block(); };
const auto kOpensABlock = [](const Role& role) { role.emits(kSmall); };

const auto kTakesOver = [](const Role& role) { role.flusher().take_over(); };
const auto kDrainsAndAcknowledges = [](const Role& role) {
  role.flusher().drain();
  role.flusher().acknowledge();
};
const auto kDrainsTwice = [](const Role& role) {
  kDrainsAndAcknowledges(role);
  kDrainsAndAcknowledges(role);
};
/// It has handed out what there was.
const auto kHasDrained = [](const Role& role) {
  role.flusher().take_over();
  role.flusher().drain();
};

const auto kAcknowledges = [](const Role& role) { role.flusher().acknowledge(); };
/// It has handed out what there was; then it stood still while another took over, and does not know.
const auto kHasLostItsLease = [](const Role& role) {
  kHasDrained(role);
  role.flusher().lose_lease();
};
const auto kAcknowledgesAndDrains = [](const Role& role) {
  role.flusher().acknowledge();
  role.flusher().drain();
};
const auto kLooksAtTheAccounts = [](const Role& role) { role.looks_at_the_accounts(); };

const auto kNothing = [](Scene&) {};
const auto kOneBlockFree = [](Scene& scene) { scene.dead_writer(3, 0); };
const auto kNoBlockFree = [](Scene& scene) { scene.dead_writer(4, 0); };
/// Three are full, the fourth is an orphan with room.
const auto kOneOrphanWithRoom = [](Scene& scene) { scene.dead_writer(3, 1); };
const auto kAnOrphanAndThreeFree = [](Scene& scene) { scene.dead_writer(0, 1); };
/// One is full, one an orphan with room; the next to write takes one of the two free ones.
const auto kAnOrphanAndOneFree = [](Scene& scene) { scene.dead_writer(1, 1); };
/// The oldest is an orphan with room, the others are full.
const auto kAnOrphanAndNoneFree = [](Scene& scene) {
  scene.dead_writer(0, 1);
  scene.dead_writer(3, 0);
};
/// Everything in it is exported, its writer is gone, nobody has recycled it.
const auto kAnExportedOrphan = [](Scene& scene) {
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
const auto kPinsOfADeadFlusher = [](Scene& scene) {
  scene.dead_writer(2, 1);
  BookedFlusher flusher(scene.file(), scene.book());
  flusher.take_over();
  flusher.drain();
};
/// The next holder of slot 0 gets generation 0: a wrap.
const auto kLastGeneration = [](Scene& scene) {
  scene.dead_writer(0, 1);
  WriterSlot& slot = scene.slot(0);
  ClaimWord claim = ClaimWord::unpack(slot.claim.load());
  claim.generation = StateWord::kGenerationMask;
  slot.claim.store(claim.pack());
};
/// The only slot's holder was killed in a way that the kernel does not mark.
const auto kAnUnmarkedDeath = [](Scene& scene) {
  scene.dead_writer(0, 1);
  const std::uint32_t held = kNobodysTid;
  std::memcpy(scene.slot(0).mutex + kFutexWordOffset, &held, sizeof(held));
  scene.slot(0).tid.store(kNobodysTid);
};
/// The only slot's last claimer died before it locked: the kernel did not mark that, /proc knows.
const auto kADeadClaimer = [](Scene& scene) {
  scene.dead_writer(0, 1);
  ClaimWord claim = ClaimWord::unpack(scene.slot(0).claim.load());
  claim.phase = SlotPhase::kClaiming;
  claim.generation += 1;
  claim.tid = kNobodysTid;
  scene.slot(0).claim.store(claim.pack());
};

}  // namespace

const std::vector<Scenario>& all_scenarios() {
  static const std::vector<Scenario> scenarios = {
      // Two producers.
      {"claim_of_the_last_free_block",
       kFourBlocks,
       kOneBlockFree,
       {kRegisters, kEmitsOne},
       {kRegisters, kEmitsOne}},
      {"adopt_the_same_orphan",
       kFourBlocks,
       kOneOrphanWithRoom,
       {kRegisters, kEmitsOne},
       {kRegisters, kEmitsOne}},
      {"seal_and_claim_while_the_other_adopts",
       kFourBlocks,
       kAnOrphanAndOneFree,
       {kFillsABlock, kEmitsTwo},
       {kRegisters, kEmitsOne}},
      {"take_the_same_slot", kFourBlocks, kAnOrphanAndThreeFree, {.work = kEmitsOne}, {.work = kEmitsOne}},
      {"take_the_same_slot_at_its_wrap",
       kFourBlocks,
       kLastGeneration,
       {.work = kEmitsOne},
       {.work = kEmitsOne}},
      {"take_a_slot_of_a_dead_claimer",
       {.blocks = 4, .block_bytes = 4096, .writers = 1},
       kADeadClaimer,
       {.work = kEmitsOne},
       {.work = kEmitsOne}},
      {"one_adopts_what_the_other_evicts",
       kFourBlocksDropOldest,
       kAnOrphanAndNoneFree,
       {kRegisters, kEmitsTwo},
       {kRegisters, kFillsABlock}},
      {"both_evict", kFourBlocksDropOldest, kNoBlockFree, {kRegisters, kEmitsOne}, {kRegisters, kEmitsOne}},
      {"both_evict_twice",
       kFourBlocksDropOldest,
       kNoBlockFree,
       {kRegisters, kFillsABlock},
       {kRegisters, [](const Role& role) { kFillsABlock(role), kFillsABlock(role); }}},

      // A producer and a flusher.
      {"commit_while_drained", kFourBlocks, kNothing, {kOpensABlock, kEmitsTwo}, {kTakesOver, kDrainsTwice}},
      {"commit_while_acknowledged",
       kFourBlocks,
       kNothing,
       {kOpensABlock, kEmitsTwo},
       {kHasDrained, [](const Role& role) { kAcknowledges(role), kDrainsAndAcknowledges(role); }}},
      {"seal_while_pinned", kFourBlocks, kNothing, {kFillsABlock, kEmitsOne}, {kTakesOver, kDrainsTwice}},
      {"adopt_while_drained",
       kFourBlocks,
       kAnOrphanAndThreeFree,
       {kRegisters, kEmitsOne},
       {kTakesOver, kDrainsTwice}},
      {"adopt_while_recycled",
       kFourBlocks,
       kAnExportedOrphan,
       {kRegisters, kEmitsOne},
       {kTakesOver, kDrainsTwice}},
      {"evict_while_drained",
       kFourBlocksDropOldest,
       kNoBlockFree,
       {kRegisters, kEmitsOne},
       {kTakesOver, kDrainsAndAcknowledges}},
      {"evict_while_acknowledged",
       kFourBlocksDropOldest,
       kNoBlockFree,
       {kRegisters, kFillsABlock},
       {kHasDrained, kAcknowledges}},
      {"evict_everything_while_drained",
       kFourBlocksDropOldest,
       kNoBlockFree,
       {kRegisters,
        [](const Role& role) {
          for (int block = 0; block < 3; ++block) kFillsABlock(role);
        }},
       {kTakesOver, kDrainsAndAcknowledges}},
      {"evict_while_given_back",
       kFourBlocksDropOldest,
       kNoBlockFree,
       {kRegisters, kEmitsOne},
       {kHasDrained, [](const Role& role) { role.flusher().release_all(); }}},
      {"claim_while_recycled",
       kFourBlocks,
       kNoBlockFree,
       {kRegisters, kEmitsTwo},
       {kHasDrained, kAcknowledges}},
      {"take_a_slot_while_its_blocks_are_drained",
       kFourBlocks,
       kAnOrphanAndOneFree,
       {.work = kEmitsOne},
       {kTakesOver, kDrainsTwice}},
      {"take_a_slot_while_it_is_vacated",
       {.blocks = 4, .block_bytes = 4096, .writers = 1},
       kAnUnmarkedDeath,
       {.work = kEmitsTwo},
       {kTakesOver, kDrainsTwice}},
      {"emit_while_a_dead_flushers_pins_are_taken_over",
       kFourBlocks,
       kPinsOfADeadFlusher,
       {kRegisters, kEmitsOne},
       {.work = [](const Role& role) { kTakesOver(role), kDrainsAndAcknowledges(role); }}},
      {"evict_while_a_dead_flushers_pins_are_taken_over",
       kFourBlocksDropOldest,
       kPinsOfADeadFlusher,
       {kRegisters, [](const Role& role) { kFillsABlock(role), kFillsABlock(role); }},
       {.work = [](const Role& role) { kTakesOver(role), kDrainsAndAcknowledges(role); }}},

      // A flusher that stood still while its lease was ended, and goes on: with its successor, and with producers after it.
      {"two_flushers",
       kFourBlocks,
       kAnOrphanAndThreeFree,
       {kHasLostItsLease, [](const Role& role) { kAcknowledges(role), role.flusher().drain(); }},
       {.work = [](const Role& role) { kTakesOver(role), kDrainsTwice(role); }},
       Flushers::kOneIsLate},
      {"two_flushers_give_back",
       kFourBlocks,
       kOneOrphanWithRoom,
       {kHasLostItsLease, [](const Role& role) { role.flusher().release_all(), role.flusher().drain(); }},
       {.work = [](const Role& role) { kTakesOver(role), kDrainsAndAcknowledges(role); }},
       Flushers::kOneIsLate},
      // The successor and the producer after it are one thread: so that they can come between any two accesses of the late one.
      {"a_late_flusher_while_adopted",
       kFourBlocks,
       kAnOrphanAndThreeFree,
       {kHasLostItsLease, kAcknowledgesAndDrains},
       {.work = [](const Role& role) { kHasDrained(role), role.flusher().release_all(), kEmitsOne(role); }},
       Flushers::kOneIsLate},
      {"a_late_flusher_while_claimed",
       kFourBlocks,
       kAnOrphanAndThreeFree,
       {kHasLostItsLease, kAcknowledgesAndDrains},
       {.work = [](const Role& role) { kTakesOver(role), kDrainsTwice(role), kFillsABlock(role); }},
       Flushers::kOneIsLate},
      {"a_late_flusher_while_evicted",
       kFourBlocksDropOldest,
       kNoBlockFree,
       {kHasLostItsLease, kAcknowledgesAndDrains},
       {.work = [](const Role& role) { kTakesOver(role), role.flusher().drain(), kFillsABlock(role); }},
       Flushers::kOneIsLate},

      // Somebody looks: the accounts close at every instant.
      {"accounts_while_written", kFourBlocks, kNothing, {.work = kEmitsTwo}, {.work = kLooksAtTheAccounts}},
      {"accounts_while_evicted",
       kFourBlocksDropOldest,
       kNoBlockFree,
       {kRegisters, kFillsABlock},
       {.work = kLooksAtTheAccounts}},
      {"accounts_while_acknowledged_and_recycled",
       kFourBlocks,
       kOneOrphanWithRoom,
       {kHasDrained, kAcknowledges},
       {.work = kLooksAtTheAccounts}},
  };
  return scenarios;
}

}  // namespace shmring::testing
