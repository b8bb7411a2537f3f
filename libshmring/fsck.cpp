// SPDX-License-Identifier: Apache-2.0
// Checks the invariants of layout.hpp block by block, and says whose each block is.
#include "libshmring/fsck.hpp"

#include <algorithm>
#include <optional>
#include <set>

#include "libshmring/fsck_shared.hpp"
#include "libshmring/liveness.hpp"
#include "libshmring/outcomes.hpp"
#include "libshmring/record_walk.hpp"
#include "libshmring/recycle.hpp"

namespace shmring {
namespace {

/// The words of a block, each loaded once.
struct Words {
  StateWord state;
  ExportedWord exported;
  CommittedWord committed;

  std::uint64_t promised() const noexcept { return (committed.count() - exported.count) & kCountMask; }
};

Words load_words(const BlockDescriptor& d) noexcept {
  return {.state = StateWord::unpack(d.state.load(std::memory_order_acquire)),           // P3
          .exported = ExportedWord::unpack(d.exported.load(std::memory_order_acquire)),  // P4
          .committed = {d.committed.load(std::memory_order_acquire)}};                   // P1
}

/// Whether `a` comes after `b` on a circle of so many bits.
constexpr bool later(std::uint32_t a, std::uint32_t b, unsigned bits) noexcept {
  const std::uint32_t ahead = (a - b) & ((1U << bits) - 1);
  return ahead != 0 && ahead < 1U << (bits - 1);
}

std::string bytes_text(std::uint32_t offset) { return "byte " + std::to_string(offset); }

class BlockChecker {
 public:
  BlockChecker(const RingFile& ring, std::uint32_t index, std::vector<Finding>& findings)
      : ring_(ring),
        index_(index),
        findings_(findings),
        d_(ring.descriptors()[index]),
        words_(load_words(d_)) {
    if (words_.state.state != BlockState::kFree) who_ = owner();
  }

  void run() {
    check_outcomes();
    check_reserved();
    switch (words_.state.state) {
      case BlockState::kFree:
        return check_free();
      case BlockState::kOpen:
      case BlockState::kSealed:
      case BlockState::kEvict:
        check_owner();
        return check_filled();
      case BlockState::kCont:
        return check_cont();
    }
    damage("its state is " + std::to_string(static_cast<unsigned>(words_.state.state)) +
           ", which means nothing");
  }

 private:
  void add(Finding::Severity severity, std::string what) {
    findings_.push_back({severity, "block " + std::to_string(index_), std::move(what), who_});
  }
  void damage(std::string what) { add(Finding::Severity::kDamage, std::move(what)); }
  void note(std::string what) { add(Finding::Severity::kNote, std::move(what)); }

  std::string owner() const {
    const std::uint32_t slot = words_.state.writer;
    if (slot >= ring_.geometry().writer_count) return {};
    const ClaimWord claim =
        ClaimWord::unpack(ring_.slots()[slot].claim.load(std::memory_order_acquire));  // P5
    if (claim.generation == words_.state.writer_generation) return describe_writer(ring_, slot);
    return "writer slot " + std::to_string(slot) + " (a former holder)";
  }

  void check_outcomes() {
    const std::uint64_t sum = sum_of_set(d_, words_.exported.set);
    if (sum != words_.exported.count) {
      damage("its outcomes add up to " + std::to_string(sum) + " records, but " +
             std::to_string(words_.exported.count) + " left it (I5)");
    }
    const auto newest =
        static_cast<std::uint16_t>(ring_.header().epoch.load(std::memory_order_acquire));  // P11
    for (const auto& set : d_.outcomes) {
      for (const auto& signal : set) {
        for (const auto& cell : signal) {
          const OutcomeCell outcome = OutcomeCell::unpack(cell.load(std::memory_order_acquire));  // P13
          if (outcome.epoch != 0 && later(outcome.epoch, newest, 16)) {
            return note("an outcome bears epoch " + std::to_string(outcome.epoch) + ", the ring's last is " +
                        std::to_string(newest) + "; flushers write over it");
          }
        }
      }
    }
  }

  void check_reserved() {
    const auto is_set = [](std::uint64_t word) { return word != 0; };
    if (std::any_of(std::begin(d_.reserved0), std::end(d_.reserved0), is_set) ||
        std::any_of(std::begin(d_.reserved1), std::end(d_.reserved1), is_set)) {
      note("its descriptor's reserved bytes are not zero; nobody reads them");
    }
  }

  void check_free() {
    if (words_.committed.offset_bytes() != 0 || words_.exported.offset_bytes != 0 || words_.promised() != 0) {
      damage("it is free, but its words say that it holds " +
             std::to_string(words_.committed.offset_bytes()) + " bytes and that " +
             std::to_string(words_.promised()) + " records never left (I6)");
    }
    const StateWord plain{.block_generation = words_.state.block_generation};
    if (words_.state.pack() != plain.pack())
      note("it is free, but names an owner; the next claim writes over that");
  }

  void check_owner() {
    const StateWord& state = words_.state;
    if (state.writer >= ring_.geometry().writer_count) {
      return damage("it belongs to writer slot " + std::to_string(state.writer) +
                    ", which does not exist (I1)");
    }
    const ClaimWord claim =
        ClaimWord::unpack(ring_.slots()[state.writer].claim.load(std::memory_order_acquire));  // P5
    if (state.state != BlockState::kSealed && later(state.writer_generation, claim.generation, 20)) {
      note("it names holder " + std::to_string(state.writer_generation) + " of writer slot " +
           std::to_string(state.writer) + ", which has had " + std::to_string(claim.generation) +
           "; it counts as an orphan");
    }
    const std::uint64_t ticket = d_.ticket.load(std::memory_order_relaxed);  // relaxed: an order, no more
    const std::uint64_t next = ring_.header().ticket.load(std::memory_order_relaxed);  // relaxed: likewise
    if (ticket > next) {
      note("its ticket is " + std::to_string(ticket) + ", the ring's is " + std::to_string(next) +
           "; it is drained out of order");
    }
  }

  /// I11: a head, and CONT blocks to its right that count nothing of their own. (The head may have another owner by now: an evictor.)
  void check_cont() {
    const auto head = head_of(ring_, index_);
    if (!head || !holds_records(load_words(ring_.descriptors()[*head]).state.state)) {
      damage("it goes on with a run of blocks that has no head (I11)");
    }
    if (words_.promised() != 0 || words_.committed.offset_bytes() != 0 || words_.exported.offset_bytes != 0) {
      damage("it goes on with a run of blocks, but its own words say that it holds " +
             std::to_string(words_.promised()) + " records and " +
             std::to_string(words_.committed.offset_bytes()) + " bytes (I11)");
    }
  }

  void check_filled() {
    const auto& [state, exported, committed] = words_;
    if (static_cast<std::size_t>(state.signal) >= kSignalCount) {
      return damage("its signal means nothing: " + std::to_string(static_cast<unsigned>(state.signal)));
    }
    const std::uint32_t end = reach(ring_, index_);
    if (committed.offset_bytes() > end) {
      return damage("committed ends behind the end of the block, or of its run: at " +
                    bytes_text(committed.offset_bytes()) + " of " + std::to_string(end));
    }
    if (end > ring_.geometry().block_bytes && committed.offset_bytes() <= ring_.geometry().block_bytes &&
        state.state == BlockState::kSealed) {
      note("it heads a run of blocks that was never filled; they come back with it");
    }
    if (exported.offset_bytes > committed.offset_bytes()) {
      if (nothing_left(committed, exported))
        return note("somebody died while it recycled it; the next flusher goes on");
      return damage("exported, at " + bytes_text(exported.offset_bytes) + ", is ahead of committed, at " +
                    bytes_text(committed.offset_bytes()) + " (I4)");
    }
    check_records();
  }

  /// From the block's beginning, as readers walk: context stands there.
  void check_records() {
    const std::span<const std::byte> bytes(ring_.block(index_), words_.committed.offset_bytes());
    const std::uint32_t exported = words_.exported.offset_bytes;
    std::uint64_t found = 0;
    std::set<std::uint16_t> scopes;
    bool is_at_boundary = exported == bytes.size();
    std::optional<std::uint32_t> without_scope;
    for (std::uint32_t offset = 0; offset < bytes.size();) {
      is_at_boundary = is_at_boundary || offset == exported;
      const RecordStep step = step_record(bytes, offset, words_.state.signal);
      if (step.kind == RecordStep::Kind::kBroken) {
        return damage("the record at " + bytes_text(offset) + " cannot be followed: kind " +
                      std::to_string(step.header.kind) + ", size " + std::to_string(step.header.size) +
                      "; the " + std::to_string(bytes.size() - offset) +
                      " bytes from there on are out of reach");
      }
      if (step.kind == RecordStep::Kind::kRecord) {
        if (offset >= exported) ++found;
        if (step.header.scope != 0 && !scopes.contains(step.header.scope) && !without_scope)
          without_scope = offset;
      } else if (step.header.kind == static_cast<std::uint8_t>(RecordKind::kResource)) {
        scopes.clear();
      } else {
        scopes.insert(step.header.scope);
      }
      offset = step.next;
    }
    if (!is_at_boundary) damage("exported, at " + bytes_text(exported) + ", is inside of a record");
    if (without_scope)
      damage("the record at " + bytes_text(*without_scope) + " names a scope that was not declared");
    if (found != words_.promised()) {
      damage("it holds " + std::to_string(found) + " records that did not leave, its counters say " +
             std::to_string(words_.promised()));
    }
  }

  const RingFile& ring_;
  std::uint32_t index_;
  std::vector<Finding>& findings_;
  const BlockDescriptor& d_;
  Words words_;
  std::string who_;
};

}  // namespace

std::vector<Finding> fsck(const RingFile& ring) {
  std::vector<Finding> findings;
  check_header(ring, findings);
  for (std::uint32_t i = 0; i < ring.geometry().writer_count; ++i) check_slot(ring, i, findings);
  for (std::uint32_t i = 0; i < ring.geometry().block_count; ++i) BlockChecker(ring, i, findings).run();
  return findings;
}

}  // namespace shmring
