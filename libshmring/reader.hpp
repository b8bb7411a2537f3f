// SPDX-License-Identifier: Apache-2.0
// The draining side of a ring: copy committed records out, later say what became of them, recycle what is done.
// The flusher reaches the ring through this file and lease.hpp only. Nothing read from the ring is believed.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "libshmring/lease.hpp"
#include "libshmring/ring_file.hpp"
#include "shmring/layout.hpp"
#include "shmring/result.hpp"

namespace shmring {

/// How many records of a slice had which outcome.
using OutcomeCounts = std::array<std::uint64_t, kOutcomeCount>;

/// Where a slice lies: a stretch of one life of one block. Ordered within a block; given back to acknowledge().
struct SliceKey {
  std::uint32_t block = 0;
  std::uint32_t block_generation = 0;
  std::uint32_t begin = 0;        // offset in bytes: the first record's header
  std::uint32_t end = 0;          // offset in bytes: behind the last record
  std::uint64_t begin_count = 0;  // records ever, before and after
  std::uint64_t end_count = 0;
  Signal signal = Signal::kLogs;

  std::uint64_t records() const noexcept { return (end_count - begin_count) & kCountMask; }
};

/// A private copy of a stretch of a block, from its beginning (for the context) to the end of the slice. Ticks are converted.
struct Slice {
  SliceKey key;
  std::vector<std::byte> bytes;  // block offsets [0, key.end), or context and then [key.begin, key.end)
  std::uint32_t left_out = 0;    // so much less than key.begin lies before the first record in `bytes`
};

/// One record of a slice. Spans point into the slice's bytes.
struct RecordView {
  RecordKind kind = RecordKind::kLog;
  std::uint32_t offset = 0;  // of its header in the block
  std::span<const std::byte> payload;
  std::span<const std::byte>
      resource;  // the payload of its resource record (otlp/context.hpp takes it apart); empty: none
  std::span<const std::byte> scope;  // likewise of its scope record
};

/// Walks the counted records of a slice, with their context, within bounds. Framing that cannot be followed ends the
/// walk: `corrupt` is then the number of records that could not be found (never negative, at most key.records()). Bytes that
/// look like more records than the counters promise are left out: by the crash rule these do not exist.
class SliceWalk {
 public:
  explicit SliceWalk(const Slice& slice) : slice_(&slice) {}
  /// The next log, span or metric at or behind key.begin; nullopt at the end.
  std::optional<RecordView> next();
  /// After next() has returned nullopt: records that the counters promise and the bytes do not hold.
  std::uint64_t corrupt() const noexcept;

 private:
  void remember(const RecordHeader& header, std::span<const std::byte> payload);
  std::span<const std::byte> find_scope(std::uint16_t id) const noexcept;

  const Slice* slice_;
  std::uint32_t offset_ = 0;
  std::uint64_t seen_ = 0;
  std::span<const std::byte> resource_;
  // Scopes since the last resource. Most programs have few: those are found by their number. A hostile block holds thousands.
  std::vector<std::span<const std::byte>> low_scopes_;
  std::map<std::uint16_t, std::span<const std::byte>> high_scopes_;
};

/// What a pass over the ring found; for logs and metrics of the flusher.
struct DrainReport {
  std::uint64_t slices = 0;
  std::uint64_t records = 0;
  std::uint64_t bytes = 0;
  std::uint32_t free_blocks = 0;
  std::uint32_t recycled = 0;
  bool more = false;  // stopped at a limit: the ring holds records that were not handed out
  std::array<bool, kSignalCount> left{};  // of which signals
};

/// Bytes that one pass may hand out of each signal: one that has no room left does not keep the others from theirs (R11).
using DrainBudget = std::array<std::uint64_t, kSignalCount>;

/// Drains one ring under a lease. One thread. Holds its own cursor per block: each record is handed out once per Reader.
class Reader {
 public:
  /// Fences earlier flushers: every block's `exported` takes this lease's epoch; pins left by them are taken over, and
  /// what lies in those blocks unacknowledged is counted as duplicates_possible. REQUIRES: the lease is of this ring and outlives the reader.
  static Result<std::unique_ptr<Reader>> create(const RingFile& ring, const Lease& lease);
  ~Reader();
  Reader(const Reader&) = delete;
  Reader& operator=(const Reader&) = delete;

  /// One pass: hands out every record that was committed and not handed out yet, oldest blocks first, slice by slice, until
  /// `sink` says false (the slice it refuses counts as not handed out). A signal whose next slice does not fit into what is
  /// left of its budget is passed over from there on. Recycles what is done. Also looks for writers that died without the
  /// kernel's mark, refreshes the estimates in the header. `sink` must not call this reader, but for acknowledging
  /// slices that it took earlier.
  DrainReport drain(const DrainBudget& budget, const std::function<bool(Slice&&)>& sink);
  /// The same, with `max_bytes` for each signal.
  DrainReport drain(std::uint64_t max_bytes, const std::function<bool(Slice&&)>& sink);

  enum class Acknowledged : std::uint8_t { kDone, kSuperseded };

  /// Every record of the slice has its outcome: moves `exported` past it, counts, and recycles the block when nothing is
  /// left in it. A slice may be acknowledged in parts, cut at the beginnings of records. REQUIRES: a block's slices (and parts) are
  /// acknowledged in the order in which they were handed out; counts add up to key.records().
  /// kSuperseded: another flusher holds the lease, or the block is not what it was: nothing was changed; forget the slice.
  Acknowledged acknowledge(const SliceKey& key, const OutcomeCounts& counts);

  enum class Applied : std::uint8_t { kDone, kWasDone, kCannot };

  /// An acknowledgement that a predecessor had entitled itself to, on disk, and may not have come to make: made now, unless it
  /// was. REQUIRES: called before the first drain(), for a block's stretches in their order.
  /// kCannot: the block is not where it was; its records are handed out again.
  Applied apply(const SliceKey& key, const OutcomeCounts& counts);

  /// Gives all unacknowledged slices back: unpins, and hands them out again at the next drain().
  void release_all();

  /// Records handed out whose delivery is uncertain (a connection that broke after the request was sent).
  void count_possible_duplicates(Signal signal, std::uint64_t records);

  /// Clears the wake flag. REQUIRES: called before drain(), or a wake is lost.
  bool consume_wake();
  /// Waits until a writer asks for an early drain or the timeout passes. Thread-safe: for a thread of its own.
  bool wait_for_wake(std::uint32_t timeout_ms);

  /// For status: this flusher is alive.
  void beat(std::uint32_t interval_ms);

 private:
  struct Impl;
  explicit Reader(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace shmring
