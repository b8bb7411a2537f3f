// SPDX-License-Identifier: Apache-2.0
// Stories told instruction by instruction.
#include "tests/crash/stage.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstring>
#include <utility>

#include "libshmring/liveness.hpp"
#include "tests/crash/stepper.hpp"
#include "tests/support/eventually.hpp"

namespace shmring::testing {
namespace {

constexpr std::uint64_t kTooManySteps = 20'000'000;  // a story that never ends
constexpr std::size_t kProblemsTold = 5;
constexpr std::uint32_t kIdsOfAStory = 128;  // most have fewer; later ones are made when they are asked for

RingShape shape_of(const Instant& instant) {
  RingIdentity identity{};
  std::memcpy(&identity, instant.ring.data(), sizeof(identity));
  return {
      .blocks = identity.block_count, .block_bytes = identity.block_bytes, .writers = identity.writer_count};
}

/// Whether the ring is still as it was when it was last looked at.
class Watch {
 public:
  explicit Watch(const RingFile& ring) : ring_(ring) { look(); }
  bool changed() const noexcept { return std::memcmp(ring_.base(), seen_.data(), seen_.size()) != 0; }
  void look() { seen_.assign(ring_.base(), ring_.base() + ring_.geometry().file_bytes); }

 private:
  const RingFile& ring_;
  std::vector<std::byte> seen_;
};

/// The predicted mutexes of all slots are those that the real death left.
std::string compare_mutexes(const RingFile& ring, const std::vector<std::byte>& predicted) {
  for (std::uint32_t index = 0; index < ring.geometry().writer_count; ++index) {
    const std::size_t at = ring.geometry().slots_offset + index * sizeof(WriterSlot);
    if (std::memcmp(ring.base() + at, predicted.data() + at, kMutexBytes) != 0) {
      return "the mutex of slot " + std::to_string(index) + " is not what was predicted of the kernel";
    }
  }
  return {};
}

class Teller {
 public:
  Teller(Stage& stage, Keep keep) : stage_(stage), keep_(keep) {}

  void die_here(const Tracee& tracee, std::vector<std::byte> ring) {
    Instant instant{std::move(ring), stage_.ledger(), told_.steps, tracee.place()};
    const std::string problems = verdict(instant, stage_.circumstances(), stage_.folder());
    ++told_.deaths;
    if (!problems.empty()) {
      ++told_.deaths_with_problems;
      complain("killed after step " + std::to_string(instant.step) + ", before " + instant.place + ":\n" +
               problems);
    }
    if (keep_ == Keep::kInstants) told_.instants.push_back(std::move(instant));
  }
  void complain(std::string what) {
    if (told_.problems.size() < kProblemsTold) told_.problems.push_back(std::move(what));
  }
  Told& told() noexcept { return told_; }

 private:
  Stage& stage_;
  Keep keep_;
  Told told_;
};

}  // namespace

Stage::Stage(const RingShape& shape) : scratch_(shape), file_(scratch_.attach()) {
  // Made once, here, and not step by step in each tracee.
  for (std::uint32_t id = 0; id < kIdsOfAStory; ++id) static_cast<void>(known_payload_of(id));
}

Stage::Stage(const Instant& instant) : Stage(shape_of(instant)) {
  std::memcpy(file_.base(), instant.ring.data(), instant.ring.size());
  *ledger_ = instant.ledger;
}

void Stage::somebody_killed_after(const std::function<void()>& work) {
  const Ended ended = in_child([&] {
    work();
    return ::raise(SIGKILL);
  });
  if (!ended.by(SIGKILL)) give_up("a child of the story ended by " + ended.text());
}

void Stage::somebody_alive_after(const std::function<void()>& work) {
  const std::uint32_t before = ready_->load();
  living_.push_back(Child::forked([&] {
    work();
    ready_->fetch_add(1);
    for (;;) ::pause();
    return 0;
  }));
  if (!eventually([&] { return ready_->load() > before; }))
    give_up("a child of the story does not get ready");
  ++circumstances_.alive;
  circumstances_.blocks_of_living = blocks_of_living();
}

std::uint32_t Stage::blocks_of_living() const {
  std::uint32_t blocks = 0;
  for (const BlockDescriptor& descriptor : file_.descriptors()) {
    const StateWord state = StateWord::unpack(descriptor.state.load());
    blocks += state.state == BlockState::kOpen && !owner_gone(file_.slots()[state.writer], state) ? 1 : 0;
  }
  return blocks;
}

void Stage::kill_the_living() {
  living_.clear();
  circumstances_.alive = 0;
  circumstances_.blocks_of_living = 0;
}

Told die_at_every_change(Stage& stage, const Story& story, Keep keep) {
  Teller teller(stage, keep);
  Tracee tracee(story.prepare, story.work);
  Watch watch(stage.file());
  teller.die_here(tracee, bytes_after_death(stage.file(), tracee));
  while (tracee.step()) {
    if (++teller.told().steps > kTooManySteps) give_up("the story does not end");
    if (!watch.changed()) continue;
    teller.die_here(tracee, bytes_after_death(stage.file(), tracee));
    watch.look();
  }
  if (!tracee.mishap().empty()) {
    teller.complain("the tracee did not get to its end: " + tracee.mishap());
    return std::move(teller.told());
  }
  const std::vector<std::byte> predicted = bytes_after_death(stage.file(), tracee);
  teller.die_here(tracee, predicted);
  tracee.kill();
  const std::string difference = compare_mutexes(stage.file(), predicted);
  if (!difference.empty()) teller.complain(difference);
  return std::move(teller.told());
}

void expect_survived(Stage& stage, const Story& story, std::uint64_t deaths) {
  const Told told = die_at_every_change(stage, story);
  std::printf("%llu instructions, %llu deaths\n", static_cast<unsigned long long>(told.steps),
              static_cast<unsigned long long>(told.deaths));
  for (const std::string& problem : told.problems) ADD_FAILURE() << problem;
  EXPECT_EQ(told.deaths_with_problems, 0U);
  EXPECT_GE(told.deaths, deaths) << "the story did not change the ring as often as it must";
}

std::uint64_t stop_at_every_change(Stage& stage, const Story& story, std::uint64_t stride,
                                   const std::function<void()>& others) {
  Tracee tracee(story.prepare, story.work);
  Watch watch(stage.file());
  std::uint64_t stops = 0;
  for (std::uint64_t steps = 1; tracee.step(); ++steps) {
    if (steps > kTooManySteps) give_up("the story does not end");
    if (!watch.changed() && steps % stride != 0) continue;
    others();
    ++stops;
    watch.look();
  }
  EXPECT_EQ(tracee.mishap(), "");
  return stops;
}

}  // namespace shmring::testing
