// SPDX-License-Identifier: Apache-2.0
// What must hold at every instruction of a registration, whether or not a death or a signal comes there (R14, R16).
#include <gtest/gtest.h>

#include <csignal>
#include <cstddef>
#include <cstdint>
#include <fstream>
#include <optional>
#include <string>

#include "tests/crash/stage.hpp"
#include "tests/crash/stepper.hpp"

namespace shmring::testing {
namespace {

/// A writer registers beside one that lives, in the slot of one that is dead.
class RegistrationAtEveryInstruction : public ::testing::Test {
 protected:
  RegistrationAtEveryInstruction() {
    stage.live_writer(1);
    stage.dead_writer(1);
  }

  Stage stage;
  Tracee tracee{[this] { static_cast<void>(stage.ring()); },
                [this] { static_cast<void>(stage.ring().prepare_thread()); }};

  ClaimWord claim_of(std::size_t slot) const {
    return ClaimWord::unpack(stage.file().slots()[slot].claim.load());
  }
  bool is_tracees(const ClaimWord& claim) const {
    return claim.phase != SlotPhase::kVacant && claim.tid == static_cast<std::uint32_t>(tracee.pid());
  }

  /// The slot in which an address of the tracee lies.
  std::optional<std::size_t> slot_at(std::uint64_t address) const {
    const std::uint64_t slots = stage.file().geometry().slots_offset;
    for (const Tracee::Mapping& mapping : tracee.mappings_of(stage.file().key())) {
      if (address < mapping.begin || address >= mapping.end) continue;
      const std::uint64_t in_file = address - mapping.begin + mapping.offset;
      if (in_file >= slots && in_file < slots + stage.file().slots().size() * sizeof(WriterSlot))
        return static_cast<std::size_t>((in_file - slots) / sizeof(WriterSlot));
    }
    return std::nullopt;
  }

  /// proc(5): SigBlk, a mask in hexadecimal.
  std::uint64_t blocked_signals() const {
    std::ifstream status("/proc/" + std::to_string(tracee.pid()) + "/status");
    for (std::string line; std::getline(status, line);) {
      if (line.starts_with("SigBlk:")) return std::stoull(line.substr(7), nullptr, 16);
    }
    ADD_FAILURE() << "no SigBlk";
    return 0;
  }
};

TEST_F(RegistrationAtEveryInstruction, ShowsTheKernelNoMutexOfASlotThatItHasNotClaimed) {
  std::uint64_t seen = 0;
  while (tracee.step()) {
    for (const Tracee::RobustWord& word : tracee.robust_words()) {
      const auto slot = slot_at(word.address);
      if (!slot) continue;
      ++seen;
      ASSERT_TRUE(is_tracees(claim_of(*slot))) << "slot " << *slot << " before " << tracee.place();
    }
  }
  EXPECT_EQ(tracee.mishap(), "");
  EXPECT_GT(seen, 0U);
  EXPECT_TRUE(is_tracees(claim_of(1)));
}

TEST_F(RegistrationAtEveryInstruction, BlocksAllSignalsFromItsClaimToTheEndOfIt) {
  constexpr auto bit = [](int signal) { return std::uint64_t{1} << static_cast<unsigned>(signal - 1); };
  // Those that nobody can block, the C library's own two, and the one by which a tracee is stepped.
  constexpr std::uint64_t kOthers = bit(SIGKILL) | bit(SIGSTOP) | bit(32) | bit(33) | bit(SIGTRAP);
  std::uint64_t seen = 0;
  while (tracee.step()) {
    const ClaimWord claim = claim_of(1);
    if (!is_tracees(claim) || claim.phase != SlotPhase::kClaiming) continue;
    ++seen;
    ASSERT_EQ(blocked_signals() | kOthers, ~std::uint64_t{0}) << "before " << tracee.place();
  }
  EXPECT_EQ(tracee.mishap(), "");
  EXPECT_GT(seen, 0U);
}

/// A block of a holder a million lives ago, whom the next holders' generations would seem to bring back to life.
TEST(RegistrationThatDiesAtAWrap, LeavesTheSealingToItsSuccessor) {
  Stage stage({.blocks = 8, .block_bytes = 4096, .writers = 1});
  stage.dead_writer(1);
  WriterSlot& slot = stage.file().slots()[0];
  ClaimWord claim = ClaimWord::unpack(slot.claim.load());
  claim.generation = StateWord::kGenerationMask;
  slot.claim.store(claim.pack());
  {
    Tracee tracee([&] { static_cast<void>(stage.ring()); },
                  [&] { static_cast<void>(stage.ring().prepare_thread()); });
    while (ClaimWord::unpack(slot.claim.load()).phase != SlotPhase::kClaiming) ASSERT_TRUE(tracee.step());
    tracee.kill();
  }
  stage.somebody_alive_after([&] { static_cast<void>(stage.ring().prepare_thread()); });
  EXPECT_EQ(ClaimWord::unpack(slot.claim.load()).phase, SlotPhase::kHeld);
  EXPECT_EQ(StateWord::unpack(stage.file().descriptors()[0].state.load()).state, BlockState::kSealed);
}

}  // namespace
}  // namespace shmring::testing
