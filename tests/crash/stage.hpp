// SPDX-License-Identifier: Apache-2.0
// Where a story of a death is set: a small ring, those who wrote before, those who live on, and the ledger of it all.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "tests/crash/aftermath.hpp"
#include "tests/crash/ledger.hpp"
#include "tests/support/child.hpp"
#include "tests/support/scratch_ring.hpp"
#include "tests/support/shared_page.hpp"

namespace shmring::testing {

/// Few and small: a whole ring is compared after each instruction.
inline constexpr RingShape kSmallRing{.blocks = 8, .block_bytes = 4096, .writers = 4};

class Stage {
 public:
  explicit Stage(const RingShape& shape = kSmallRing);
  /// The same scene at an instant of another story.
  explicit Stage(const Instant& instant);

  const RingFile& file() const noexcept { return file_; }
  Ledger& ledger() const noexcept { return *ledger_; }
  const std::filesystem::path& folder() const noexcept { return scratch_.folder(); }
  const std::filesystem::path& path() const noexcept { return scratch_.path(); }
  Circumstances& circumstances() noexcept { return circumstances_; }

  /// In a child only: its own view of the ring, opened when it is first asked for.
  const Ring& ring() {
    if (!ring_) ring_ = scratch_.open();
    return *ring_;
  }
  /// In a child only: a record under the scope "test".
  bool emit() { return ledger().emit(ring().logger("test")); }
  /// Likewise one that takes a run of blocks.
  bool emit_large() { return ledger().emit(ring().logger("test"), Large::kYes); }
  void emit(std::uint32_t records) {
    for (std::uint32_t n = 0; n < records; ++n) emit();
  }

  /// A process that does this and is killed.
  void somebody_killed_after(const std::function<void()>& work);
  void dead_writer(std::uint32_t records) {
    somebody_killed_after([&] { emit(records); });
  }
  /// A process that does this and then holds its slot until the story has ended, or until kill_the_living().
  void somebody_alive_after(const std::function<void()>& work);
  void live_writer(std::uint32_t records) {
    somebody_alive_after([&] { emit(records); });
  }
  void kill_the_living();

 private:
  std::uint32_t blocks_of_living() const;

  ScratchRing scratch_;
  RingFile file_;
  Shared<Ledger> ledger_;
  Shared<std::atomic<std::uint32_t>> ready_;
  Circumstances circumstances_;
  std::optional<Ring> ring_;
  std::vector<Child> living_;
};

/// What the tracee of a story does.
struct Story {
  std::function<void()> prepare = [] {};  // at full speed
  std::function<void()> work = {};        // instruction by instruction
};

struct Told {
  std::uint64_t steps = 0;
  std::uint64_t deaths = 0;           // instants at which the ring had changed
  std::vector<std::string> problems;  // the first few
  std::uint64_t deaths_with_problems = 0;
  std::vector<Instant> instants;  // each death; kept where the caller asks for it
};

enum class Keep { kNothing, kInstants };

/// Steps through the story's work. At its start, whenever an instruction has changed a byte of the ring, and at its end, the tracee
/// is taken to die there, and what follows is judged. In the end it really is killed, and the ring must be as predicted.
Told die_at_every_change(Stage& stage, const Story& story, Keep keep = Keep::kNothing);

/// The same, and everything must hold at each of at least `deaths` instants.
void expect_survived(Stage& stage, const Story& story, std::uint64_t deaths);

/// Steps through the story's work on the one ring that everybody uses. Whenever an instruction has changed the ring, and every
/// `stride` instructions besides, the tracee stands still and `others` act. Returns how often they did.
std::uint64_t stop_at_every_change(Stage& stage, const Story& story, std::uint64_t stride,
                                   const std::function<void()>& others);

}  // namespace shmring::testing
