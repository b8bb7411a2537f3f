// SPDX-License-Identifier: Apache-2.0
// What a scenario is, and the one ring on which it is played again and again.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <unordered_set>
#include <vector>

#include "tests/schedules/book.hpp"
#include "tests/schedules/drainer.hpp"
#include "tests/schedules/schedule.hpp"
#include "tests/support/scratch_ring.hpp"

namespace shmring::testing {

class Scene;

// Payloads.
inline constexpr std::size_t kSmall = 40;
inline constexpr std::size_t kRunOfTwo = 5000;  // larger than a block of 4096 bytes

/// What an actor does, and what it is handed to do it.
class Role {
 public:
  Role(Scene& scene, unsigned actor) : scene_(scene), actor_(actor) {}
  Scene& scene() const noexcept { return scene_; }

  void registers() const;
  bool emits(std::size_t bytes) const;
  /// Reserves room for a record, and leaves it at that.
  void abandons(std::size_t bytes) const;
  /// Until its block has no room left for another record. False: some record was refused.
  bool fills_a_block() const;
  BookedFlusher& flusher() const;
  /// As `shmring status` does, at any instant: they close, and hold at least what had been committed.
  void looks_at_the_accounts() const;

 private:
  Scene& scene_;
  unsigned actor_;
};

struct Part {
  std::function<void(const Role&)> prepare = [](const Role&) {};  // at full speed, before the schedule begins
  std::function<void(const Role&)> work = {};                     // by turns
};

enum class Flushers : std::uint8_t {
  kOneAtATime,
  kOneIsLate,  // its lease is another's: what it acknowledges may be refused, what it was handed goes to its successor too
};

struct Scenario {
  const char* name;
  RingShape shape;
  std::function<void(Scene&)> arrange;  // once; every schedule begins with the ring as this leaves it
  Part a;
  Part b;
  Flushers flushers = Flushers::kOneAtATime;
};

/// Four blocks, as small as they get.
inline constexpr RingShape kFourBlocks{.blocks = 4, .block_bytes = 4096, .writers = 4};
inline constexpr RingShape kFourBlocksDropOldest{
    .blocks = 4, .block_bytes = 4096, .writers = 4, .on_full = FullPolicy::kDropOldest};

const std::vector<Scenario>& all_scenarios();

class Scene {
 public:
  explicit Scene(const Scenario& scenario);
  ~Scene();
  Scene(const Scene&) = delete;
  Scene& operator=(const Scene&) = delete;

  const Scenario& scenario() const noexcept { return scenario_; }
  const Ring& ring() const noexcept { return ring_; }
  const RingFile& file() const noexcept { return file_; }
  Book& book() noexcept { return book_; }
  /// By an actor: something does not hold.
  void complain(const std::string& what) { complaints_ += what + "\n"; }
  /// By any thread: a record that fits no block which holds another, and one that takes the rest of that block.
  bool fill_a_block(Author author);
  std::optional<BookedFlusher>& flusher(unsigned actor) noexcept { return flushers_[actor]; }

  // For `arrange`.
  /// A thread that fills so many blocks, then emits so many small records, and ends.
  void dead_writer(std::uint32_t blocks, std::uint32_t records);
  /// A thread that emits so many records of two blocks each, and ends.
  void dead_writer_of_runs(std::uint32_t runs);
  BlockDescriptor& descriptor(std::uint32_t index) const noexcept { return file_.descriptors()[index]; }
  WriterSlot& slot(std::uint32_t index) const noexcept { return file_.slots()[index]; }

  /// The ring as it was arranged, then this schedule, then the judge. What a schedule leaves open is played to its end.
  Played play(const Schedule& schedule);

  /// The death of an actor shows in its slot: whether an access may see it.
  bool may_see_a_death(const Touch& access) const noexcept;
  /// "block 2's state", for people.
  std::string place_of(const Touch& access) const;

 private:
  void somebody(const std::function<bool()>& emits);
  void restore();
  void start();
  void take_turns(const Schedule& schedule, Played& played);
  std::uint64_t fingerprint() const;
  void clear_away(bool somebody_died);

  const Scenario& scenario_;
  ScratchRing scratch_;
  RingFile file_;  // what flushers and the judge see
  Ring ring_;
  Book book_;
  std::string complaints_;
  std::array<std::optional<BookedFlusher>, kActors> flushers_;
  std::vector<std::byte> image_;
  Book book_then_;
  unsigned first_free_fd_ = 0;
  std::unordered_set<std::uint64_t> found_good_;  // outcomes: many schedules end in the same
};

/// Somebody else comes after the schedule, in the ring as it is: everything has its fate, everything can be used again.
/// Returns what does not hold.
std::string judge(Scene& scene, bool somebody_died);

}  // namespace shmring::testing
