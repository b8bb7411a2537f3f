// SPDX-License-Identifier: Apache-2.0
// What a Reader remembers between its passes. reader.cpp has the calls, drain.cpp the way of a record out of the ring,
// settle.cpp the end of a block.
#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "libshmring/carried_context.hpp"
#include "libshmring/lease.hpp"
#include "libshmring/liveness.hpp"
#include "libshmring/reader.hpp"
#include "libshmring/recycle.hpp"
#include "libshmring/ring_file.hpp"

namespace shmring {

/// What this reader has handed out of a block's present life.
struct Track {
  std::uint32_t generation = ~0U;
  std::uint32_t handed_offset = 0;
  std::uint64_t handed_count = 0;
  std::uint32_t acknowledged_offset = 0;              // below handed_offset: something is on its way
  Signal signal = Signal::kLogs;                      // of what is on its way
  std::unique_ptr<CarriedContext> context = nullptr;  // of an open block that was handed out in part

  bool outstanding() const noexcept { return acknowledged_offset < handed_offset; }

  bool follows(const StateWord& state) const noexcept { return generation == state.block_generation; }
};

struct Candidate {
  std::uint64_t ticket = 0;
  std::uint32_t index = 0;
};

/// Sets, renames or removes a pin. On failure `word` is what is there now.
inline bool set_pin(BlockDescriptor& descriptor, std::uint64_t& word, Pin pin) noexcept {
  StateWord state = StateWord::unpack(word);
  state.pin = pin;
  if (!descriptor.state.compare_exchange_strong(word, state.pack(), std::memory_order_acq_rel))
    return false;  // P3
  word = state.pack();
  return true;
}

/// Blocks of one signal that may be pinned at once: policy drop-oldest outlives a flusher that dies with its pins (R5).
struct PinLimit {
  std::uint32_t most = 0;
  std::uint32_t under_way = 0;

  /// With nothing under way a run that is longer than that has its turn.
  bool allow(std::uint32_t blocks) const noexcept {
    return under_way == 0 || under_way + std::uint64_t{blocks} <= most;
  }
};

struct Reader::Impl {
  const RingFile& ring;
  const Lease& lease;
  std::span<BlockDescriptor> descriptors;  // a pass looks at all of them
  std::uint64_t carried_bytes = 0;         // by all tracks
  bool all_owners_gone;                    // the machine was started anew since the ring was made
  std::vector<Track> tracks;
  std::vector<Candidate> candidates;
  std::uint32_t next_slot_to_ask = 0;
  // Of the drain under way.
  std::uint64_t first_ticket_after = 0;  // of a block opened after it began: such a one has to wait
  DrainReport report;
  DrainBudget budget{};
  std::array<PinLimit, kSignalCount> pins{};

  Impl(const RingFile& file, const Lease& held)
      : ring(file),
        lease(held),
        descriptors(file.descriptors()),
        all_owners_gone(file.of_an_earlier_boot()),
        tracks(file.geometry().block_count) {}

  bool superseded() const noexcept {
    return ring.header().epoch.load(std::memory_order_acquire) != lease.epoch();  // P11
  }
  BlockDescriptor& descriptor(std::uint32_t index) const noexcept { return descriptors[index]; }
  Pin my_pin() const noexcept { return pin_of(lease.epoch()); }
  bool is_run(std::uint32_t end) const noexcept { return end > ring.geometry().block_bytes; }
  /// Blocks that a slice up to this offset keeps from recycling.
  std::uint32_t blocks_of(std::uint32_t end) const noexcept {
    return std::max(1U, (end + ring.geometry().block_bytes - 1) / ring.geometry().block_bytes);
  }
  bool contradictory(std::uint32_t index, const StateWord& state, const ExportedWord& exported,
                     const CommittedWord& committed) const noexcept {
    return static_cast<std::size_t>(state.signal) >= kSignalCount ||
           (is_run(committed.offset_bytes()) && committed.offset_bytes() > reach(ring, index)) ||
           exported.offset_bytes >= committed.offset_bytes();
  }
  bool gone(const StateWord& state) const noexcept {
    return all_owners_gone || state.writer >= ring.geometry().writer_count ||
           owner_gone(ring.slots()[state.writer], state);
  }

  void fence_predecessors();
  void ask_proc();
  bool mend_state(std::uint32_t index);
  bool has_head(std::uint32_t index) const noexcept;
  void list_candidates();
  bool opened_since(const Candidate& candidate) const noexcept;
  bool visit(const Candidate& candidate, const std::function<bool(Slice&&)>& sink);
  bool pin(BlockDescriptor& descriptor, std::uint64_t& word) noexcept;
  bool hand_out(std::uint32_t index, std::uint64_t word, CommittedWord committed,
                const std::function<bool(Slice&&)>& sink);
  void copy_out(Slice& slice, const Track& track) const;
  void settle(std::uint32_t index);
  bool is_left(Signal signal) const noexcept;
  void leave(Signal signal) noexcept;
  void limit_pins() noexcept;
  bool advance(std::uint32_t index, const SliceKey& key, const OutcomeCounts& counts);
  void write_off(std::uint32_t index);
  std::uint64_t believable_loss(std::uint32_t index, const StateWord& state, const ExportedWord& exported,
                                const CommittedWord& committed) const;
};

}  // namespace shmring
