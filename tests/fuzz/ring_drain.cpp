// SPDX-License-Identifier: Apache-2.0
// A ring is damaged before it is attached to, while a slice is on its way, and between passes; it is drained all the same.
//
// What must hold, whatever the damage: the reader ends, hands out nothing that lies outside of a block, and all blocks are
// accounted for. Where the damage is confined to one block: every record of the others arrives exactly once, with its
// resource, their blocks come back, and the damaged block does as well. Where only what all share is damaged before the
// reader comes: every record arrives.
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "libshmring/accounting.hpp"
#include "libshmring/lease.hpp"
#include "libshmring/liveness.hpp"
#include "libshmring/reader.hpp"
#include "tests/fuzz/check.hpp"
#include "tests/fuzz/mutations.hpp"
#include "tests/fuzz/specimen.hpp"

namespace shmring::fuzz {
namespace {

constexpr int kQuietPasses = 5;  // after the last damage: enough to come to rest

struct Arrived {
  std::vector<std::string> records;
  std::vector<std::string> resources;
  bool operator==(const Arrived&) const = default;
};

std::string text_of(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

class Run {
 public:
  Run(const RingFile& file, Mutations& mutations)
      : file_(file),
        mutations_(mutations),
        region_(region_of(mutations.where(), file.base(), file.geometry())) {}

  void drain() {
    auto lease = Lease::try_take(file_);
    check(lease.has_value(), "the lease of a ring that nobody drains is free");
    auto reader = Reader::create(file_, *lease);
    check(reader.has_value(), "a reader is made");
    while (!mutations_.is_at_end()) pass(**reader);
    for (int quiet = 0; quiet < kQuietPasses; ++quiet) pass(**reader);
  }

  const Arrived& arrived(std::uint32_t block) { return arrived_[block]; }
  /// Whether anything was changed after the first look at the ring.
  bool was_changed_while_drained() const noexcept { return changed_; }

 private:
  void pass(Reader& reader) {
    std::vector<SliceKey> keys;
    static_cast<void>(reader.drain(1U << 20U, [&](Slice&& slice) {
      take(slice);
      keys.push_back(slice.key);
      mutate();
      return true;
    }));
    check(keys.size() <= kBlocks, "a pass hands out each block once");
    for (const SliceKey& key : keys) {
      OutcomeCounts counts{};
      counts[static_cast<std::size_t>(Outcome::kAccepted)] = key.records();
      static_cast<void>(reader.acknowledge(key, counts));
    }
    mutate();
  }

  void mutate() {
    if (mutations_.is_at_end()) return;
    changed_ = true;
    mutations_.apply(region_);
  }

  void take(const Slice& slice) {
    check(slice.key.block < kBlocks, "a slice is of a block that exists");
    check(slice.key.begin <= slice.key.end && slice.key.end <= (kBlocks - slice.key.block) * kBlockBytes,
          "a slice lies in its block, or in the run that this heads");
    check(slice.bytes.size() + slice.left_out == slice.key.end, "a slice's bytes reach to its end");
    check(slice.key.records() <= slice.key.end / sizeof(RecordHeader), "a slice promises no more than fits");
    Arrived& arrived = arrived_[slice.key.block];
    SliceWalk walk(slice);
    std::uint64_t found = 0;
    while (const auto record = walk.next()) {
      ++found;
      arrived.records.push_back(text_of(record->payload));
      arrived.resources.push_back(text_of(record->resource));
    }
    check(found + walk.corrupt() == slice.key.records(),
          "each promised record is found or counted as corrupt");
  }

  const RingFile& file_;
  Mutations& mutations_;
  Region region_;
  std::map<std::uint32_t, Arrived> arrived_;
  bool changed_ = false;
};

StateWord state_of(const RingFile& file, std::uint32_t block) {
  return StateWord::unpack(file.descriptors()[block].state);
}

void check_arrived_and_came_back(const Specimen& specimen, const RingFile& file, Run& run,
                                 std::uint32_t block) {
  const Arrived wanted{specimen.records(block), specimen.resources(block)};
  check(run.arrived(block) == wanted, "the records of a block that nobody touched arrive exactly once");
  const BlockState state = state_of(file, block).state;
  check(state == (block == 2 ? BlockState::kOpen : BlockState::kFree),
        "a block that nobody touched comes back");
}

/// A damaged block costs its records at most, never itself: nothing of it is on its way, so it is handed out again or free.
void check_not_lost(const RingFile& file, std::uint32_t block) {
  const StateWord state = state_of(file, block);
  check(state.state != BlockState::kSealed, "a sealed block with damaged words comes back");
  if (state.state != BlockState::kOpen && state.state != BlockState::kEvict) return;
  const bool gone = state.writer >= kWriters || owner_gone(file.slots()[state.writer], state);
  const CommittedWord committed{file.descriptors()[block].committed};
  // An orphan with room is its adopters' (R9) when all of it is exported.
  const ExportedWord exported = ExportedWord::unpack(file.descriptors()[block].exported);
  check(!gone || (exported.offset_bytes == committed.offset_bytes() && exported.count == committed.count()),
        "a gone owner's block with damaged words comes back");
}

void look_at_the_census(const RingFile& file) {
  const BlockCensus blocks = account(file).blocks;
  check(blocks.free + blocks.open + blocks.sealed + blocks.unknown == kBlocks,
        "all blocks are accounted for");
}

void drain_damaged(const Specimen& specimen, const RingFile& file, Mutations& mutations) {
  Run run(file, mutations);
  run.drain();
  look_at_the_census(file);
  const auto damaged = mutations.block();
  for (std::uint32_t block = 0; block < kBlocks; ++block) {
    if (damaged && block != *damaged) check_arrived_and_came_back(specimen, file, run, block);
  }
  if (damaged) check_not_lost(file, *damaged);
  if (run.was_changed_while_drained() || mutations.where() != Where::kShared) return;
  for (std::uint32_t block = 0; block < kBlocks; ++block) {
    check(run.arrived(block) == Arrived{specimen.records(block), specimen.resources(block)},
          "damage to what is shared keeps no record from arriving once");
  }
}

}  // namespace
}  // namespace shmring::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace shmring;
  using namespace shmring::fuzz;
  const Specimen& specimen = Specimen::get();
  specimen.restore();
  Mutations mutations{Input(data, size)};
  mutations.apply(region_of(mutations.where(), specimen.file().base(), specimen.file().geometry()));
  if (mutations.where() != Where::kAnywhere) {
    drain_damaged(specimen, specimen.file(), mutations);
    return 0;
  }
  const bool same = std::memcmp(specimen.file().base(), specimen.sound().data(), sizeof(RingIdentity)) == 0;
  const auto attached = RingFile::attach(specimen.path());
  check(attached.has_value() == same, "a ring whose identity changed is refused, another is not");
  if (attached) drain_damaged(specimen, *attached, mutations);
  return 0;
}
