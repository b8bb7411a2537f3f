// SPDX-License-Identifier: Apache-2.0
// The spool: batches that a destination could not take, in an SQLite database, and the books of what became of them.
//
//   batches   one row for each batch that was handed over: its request, and how many of its records the ring counts here
//   waiting   (destination, signal, batch): who has still to get it. The last one to go takes the batch with it.
//   handed    the stretches of blocks that a batch took over, until the ring is known to have acknowledged them
//   totals    by ring and signal: records taken over, and their fates
//
// INVARIANTS, each transaction keeps them:
//   S1  taken = accepted + rejected + dead_lettered + spool_evicted + corrupt + the sum of `counted` of what is there.
//   S2  A batch, its `waiting`, its `handed` and its part of `taken` come in one transaction; so do the end of its last
//       `waiting`, its own end and its fates.
//   S3  `handed` stretches of a block follow one another, and the first begins at most where the ring's `exported` is: what
//       is in the spool and not acknowledged in the ring can be acknowledged in order, by whoever comes next.
//
// A record's fate is the worst that it met at any destination: lost (evicted or damaged), rejected, dead-lettered, accepted.
// One thread, but for the lock, which is of the whole folder.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "libshmring/reader.hpp"
#include "shmring/result.hpp"
#include "shmring/signal.hpp"
#include "spool/database.hpp"
#include "spool/spool_clock.hpp"
#include "spool/spool_limits.hpp"

namespace shmring::spool {

using RingId = std::array<std::uint8_t, 16>;  // the uuid in a ring's header

/// A stretch of a block that a batch took over, and how its records count.
struct HandedPiece {
  SliceKey key;
  std::uint64_t valid = 0;  // in the batch; the rest has its fate already
  std::uint64_t invalid = 0;
  std::uint64_t corrupt = 0;
};

struct NewBatch {
  Signal signal = Signal::kLogs;
  std::string_view request;
  std::uint64_t records = 0;
  std::uint64_t rejected = 0;  // by destinations that have settled it
  std::uint64_t dead_lettered = 0;
  std::vector<std::string> destinations = {};  // that have not
  std::vector<HandedPiece> pieces = {};
};

struct SpooledBatch {
  std::int64_t id = 0;
  std::string request;
  std::uint64_t records = 0;
};

struct LaneRows {
  std::string destination;
  Signal signal = Signal::kLogs;
  std::uint64_t rows = 0;
  std::uint64_t records = 0;
};

struct SpoolSize {
  std::uint64_t rows = 0;   // batches
  std::uint64_t bytes = 0;  // in use in the database
  std::chrono::nanoseconds oldest_age{};
};

/// What to do with a batch for which there is no room.
enum class WhenFull : std::uint8_t { kRefuse, kDropOldest };

struct Dropped {
  std::uint64_t batches = 0;
  std::uint64_t records = 0;
};

/// What a rescue found.
struct Rescue {
  std::filesystem::path
      set_aside;              // the damaged file's new name; empty: the file was removed, and nothing lost
  std::uint64_t batches = 0;  // recovered
  std::uint64_t lost_records = 0;  // counted as corrupt
};

class SpoolFile {
 public:
  static constexpr const char* kFileName = "spool.sqlite";

  /// Records by signal that the ring says it has handed over: what a damaged file must have held at least.
  using Taken = std::array<std::uint64_t, kSignalCount>;

  /// Makes the folder (0700) and the file (0600), takes the folder's lock, recovers what can be read of a damaged file.
  static Result<std::unique_ptr<SpoolFile>> open(const std::filesystem::path& folder,
                                                 const SpoolLimits& limits, const RingId& ring,
                                                 const Taken& taken = {});
  SpoolFile(const SpoolFile&) = delete;
  SpoolFile& operator=(const SpoolFile&) = delete;
  ~SpoolFile();

  /// Everything between is on the disk, or nothing is.
  Result<void> begin();
  Result<void> commit();
  void roll_back();
  /// Gives what the log takes back to a file system that is full, as far as that can be done.
  void empty_log();
  /// Within a transaction: what follows can be undone alone, until the next begin_part().
  Result<void> begin_part();
  Result<void> undo_part();
  /// What failed just now failed for a page that the disk did not give.
  bool is_page_unreadable() const { return database_ && database_->is_page_unreadable(); }

  /// True: the session before did not come to its end_session().
  Result<bool> begin_session();
  Result<void> end_session();

  /// All of them, or none with kNoSpace: over the limit, or too little left on the file system. Their ids, in order.
  Result<std::vector<std::int64_t>> keep(const std::vector<NewBatch>& batches, WhenFull when_full);
  /// The ring has acknowledged what these took over.
  Result<void> forget_handed(const std::vector<std::int64_t>& batches);
  Result<void> forget_all_handed();  // of this ring
  /// In order of their coming. A row that is damaged is counted, and left out. Held: no overflow drops them until let_go().
  Result<std::vector<SpooledBatch>> next(const std::string& destination, Signal signal, std::int64_t after,
                                         std::uint64_t most);
  Result<void> settle(std::int64_t batch, const std::string& destination, std::uint64_t rejected,
                      std::uint64_t dead_lettered);
  void let_go(std::int64_t batch) { held_.erase(batch); }
  /// What is older than the limit.
  Result<Dropped> drop_old();
  /// Gives room back to the file system when nothing is left.
  Result<void> tidy();

  /// Of this ring, in the order of their blocks: what the ring may not have acknowledged.
  Result<std::vector<HandedPiece>> handed();
  /// These records are drained again: their fate is the ring's, not ours.
  Result<void> disown(const HandedPiece& piece);

  Result<std::vector<LaneRows>> lanes();
  Result<SpoolSize> size();

  /// Dropped for lack of room since the last call.
  Dropped take_dropped() { return std::exchange(dropped_, {}); }
  /// Whose damage showed since the last call, in records.
  std::uint64_t take_damaged() { return std::exchange(damaged_, 0); }
  /// What open() or rescue() had to do.
  const std::optional<Rescue>& rescued() const noexcept { return rescue_; }

  /// Whether it was written anew since the last call, because somebody had removed it.
  bool take_written_anew() { return std::exchange(is_written_anew_, false); }

  /// The database turned out to be damaged: it is set aside, and what can be read of it goes into a new one.
  Result<void> rescue();

 private:
  struct Extent {
    std::uint64_t all = 0;  // bytes of the database, as far as it is in the file or in the log
    std::uint64_t used = 0;
  };
  struct Shortage {
    bool is_short = false;
    bool can_shrink = false;  // with fewer rows it would be less
  };

  SpoolFile(std::filesystem::path folder, int lock, const SpoolLimits& limits, const RingId& ring);

  std::filesystem::path file() const { return folder_ / kFileName; }
  std::filesystem::path rebuilt() const { return file().string() + ".rebuilt"; }
  Result<void> open_database(const std::filesystem::path& path);
  Result<void> save_clock();
  void write_over_failed_commit();
  Result<void> read_taken();
  Result<std::filesystem::path> finish_rescue();
  Result<void> look_at_books();
  Result<void> fill_anew(Rescue& rescue);
  Result<std::int64_t> insert(const NewBatch& batch);
  Result<void> insert_handed(std::int64_t id, const HandedPiece& piece);
  Result<void> add_to_totals(std::string_view ring, Signal signal, const char* column, std::uint64_t records);
  std::string_view ring() const noexcept {
    return {reinterpret_cast<const char*>(ring_.data()), ring_.size()};
  }
  Result<void> make_room(std::uint64_t bytes, WhenFull when_full);
  Result<bool> drop_oldest();
  Result<std::uint64_t> drop(std::int64_t batch, const char* fate);
  Result<void> run(std::string_view sql, std::int64_t value);
  Result<void> end_batch(std::int64_t batch);
  Result<Extent> extent();
  std::uint64_t free_bytes() const;
  std::uint64_t growth_to_come(const Extent& extent) const;
  void empty_log_in_time();
  Shortage disk_shortage(const Extent& extent, std::uint64_t bytes) const;
  Result<void> write_anew();
  Result<void> copy_to(const std::filesystem::path& path);

  std::filesystem::path folder_;
  int lock_;
  SpoolLimits limits_;
  RingId ring_;
  Taken taken_{};  // as last committed
  std::optional<Database> database_;
  SpoolClock clock_;
  std::chrono::steady_clock::time_point clock_saved_{};
  std::int64_t changes_before_ = 0;  // the transaction
  std::int64_t last_id_ = 0;         // the largest that was given
  std::set<std::int64_t> held_;
  Dropped dropped_;
  std::uint64_t damaged_ = 0;
  std::optional<Rescue> rescue_;
  bool is_written_anew_ = false;
};

/// Covers what never changes in a row.
std::uint64_t checksum_of(std::string_view ring, Signal signal, std::uint64_t records,
                          std::string_view request);

}  // namespace shmring::spool
