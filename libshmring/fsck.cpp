// SPDX-License-Identifier: Apache-2.0
// Checks the invariants of layout.hpp, and says whose each block is.
#include "libshmring/fsck.hpp"

#include <algorithm>
#include <cstring>

#include "libshmring/liveness.hpp"
#include "libshmring/outcomes.hpp"
#include "libshmring/record_walk.hpp"
#include "libshmring/recycle.hpp"

namespace shmring {
namespace {

class Checker {
 public:
  explicit Checker(const RingFile& ring) : ring_(ring) {}

  std::vector<Finding> run() {
    check_header();
    for (std::uint32_t i = 0; i < ring_.geometry().writer_count; ++i) check_slot(i);
    for (std::uint32_t i = 0; i < ring_.geometry().block_count; ++i) check_block(i);
    return std::move(findings_);
  }

 private:
  void add(Finding::Severity severity, std::string where, std::string what) {
    findings_.push_back({severity, std::move(where), std::move(what)});
  }
  void damage(const std::string& where, std::string what) { add(Finding::Severity::kDamage, where, std::move(what)); }

  void check_header() {
    const RingHeader& header = ring_.header();
    if (std::memcmp(&header.identity, &ring_.identity(), sizeof(RingIdentity)) != 0) {
      damage("header", "its identity changed since the file was opened");
    }
    const std::uint32_t policy = header.on_full.load(std::memory_order_relaxed);  // relaxed: a ring at rest
    if (policy > static_cast<std::uint32_t>(FullPolicy::kDropOldest)) {
      damage("header", "the policy for a full ring is " + std::to_string(policy) + ", which means nothing");
    }
    const std::uint32_t free = header.free_blocks.load(std::memory_order_relaxed);  // relaxed: a ring at rest
    if (free > ring_.geometry().block_count) {
      add(Finding::Severity::kNote, "header", "the estimate of free blocks is out of range; the next drain mends it");
    }
  }

  void check_slot(std::uint32_t index) {
    const WriterSlot& slot = ring_.slots()[index];
    const ClaimWord claim = ClaimWord::unpack(slot.claim.load(std::memory_order_acquire));  // P5
    const std::string where = "slot " + std::to_string(index);
    if (static_cast<std::uint8_t>(claim.phase) > static_cast<std::uint8_t>(SlotPhase::kHeld)) {
      damage(where, "its phase is " + std::to_string(static_cast<unsigned>(claim.phase)) + ", which means nothing");
    }
    for (const auto& hints : slot.open_block) {
      if (hints[0].load(std::memory_order_relaxed) > ring_.geometry().block_count) {  // relaxed: a ring at rest
        add(Finding::Severity::kNote, where, "its hint names a block that does not exist; claims ignore it");
      }
    }
  }

  std::string owner(const StateWord& state) const {
    if (state.writer >= ring_.geometry().writer_count) return "no writer of this ring";
    const WriterSlot& slot = ring_.slots()[state.writer];
    std::string who = "writer slot " + std::to_string(state.writer);
    const ClaimWord claim = ClaimWord::unpack(slot.claim.load(std::memory_order_acquire));  // P5
    if (claim.generation != state.writer_generation) return who + " (a former holder)";
    return who + " (pid " + std::to_string(slot.pid.load(std::memory_order_relaxed)) +  // relaxed: for people
           (owner_gone(slot, state) ? ", gone)" : ")");
  }

  void check_block(std::uint32_t index) {
    const BlockDescriptor& d = ring_.descriptors()[index];
    const StateWord state = StateWord::unpack(d.state.load(std::memory_order_acquire));              // P3
    const ExportedWord exported = ExportedWord::unpack(d.exported.load(std::memory_order_acquire));  // P4
    const CommittedWord committed{d.committed.load(std::memory_order_acquire)};                      // P1
    const std::string where = "block " + std::to_string(index);
    if (sum_of_set(d, exported.set) != exported.count) {
      damage(where, "its outcomes add up to " + std::to_string(sum_of_set(d, exported.set)) + " records, but " +
                        std::to_string(exported.count) + " left it (I5)");
    }
    switch (state.state) {
      case BlockState::kFree:
        if (committed.offset_bytes() != 0 || exported.offset_bytes != 0 || committed.count() != exported.count) {
          damage(where, "it is free, but its words say that it holds " + std::to_string(committed.offset_bytes()) +
                            " bytes and that " + std::to_string((committed.count() - exported.count) & kCountMask) +
                            " records never left (I6)");
        }
        return;
      case BlockState::kOpen:
      case BlockState::kSealed:
      case BlockState::kEvict:
        check_filled(where, index, state, exported, committed);
        return;
      case BlockState::kCont:
        return;
    }
    damage(where, "its state is " + std::to_string(static_cast<unsigned>(state.state)) + ", which means nothing");
  }

  void check_filled(const std::string& where, std::uint32_t index, const StateWord& state, const ExportedWord& exported,
                    const CommittedWord& committed) {
    const std::string whose = where + " of " + owner(state);
    if (static_cast<std::size_t>(state.signal) >= kSignalCount) return damage(whose, "its signal means nothing");
    if (state.writer >= ring_.geometry().writer_count) damage(where, "it belongs to a writer slot that does not exist");
    if (committed.offset_bytes() > ring_.geometry().block_bytes) {
      return damage(whose, "committed ends behind the block's end, at byte " + std::to_string(committed.offset_bytes()));
    }
    if (exported.offset_bytes > committed.offset_bytes()) {
      if (nothing_left(committed, exported)) {
        return add(Finding::Severity::kNote, whose, "a flusher died while it recycled it; the next one goes on");
      }
      return damage(whose, "exported is ahead of committed (I4)");
    }
    const std::span<const std::byte> bytes(ring_.block(index), committed.offset_bytes());
    std::uint64_t found = 0;
    std::uint32_t offset = exported.offset_bytes;
    for (RecordStep step = step_record(bytes, offset, state.signal); step.kind != RecordStep::Kind::kEnd;
         step = step_record(bytes, offset, state.signal)) {
      if (step.kind == RecordStep::Kind::kBroken) {
        return damage(whose, "the record at byte " + std::to_string(offset) + " cannot be followed: kind " +
                                 std::to_string(step.header.kind) + ", size " + std::to_string(step.header.size));
      }
      if (step.kind == RecordStep::Kind::kRecord) ++found;
      offset = step.next;
    }
    const std::uint64_t promised = (committed.count() - exported.count) & kCountMask;
    if (found != promised) {
      damage(whose, "it holds " + std::to_string(found) + " records that did not leave, its counters say " +
                        std::to_string(promised));
    }
  }

  const RingFile& ring_;
  std::vector<Finding> findings_;
};

}  // namespace

std::vector<Finding> fsck(const RingFile& ring) { return Checker(ring).run(); }

}  // namespace shmring
