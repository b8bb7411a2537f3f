// SPDX-License-Identifier: Apache-2.0
// The flusher's side of the spool.

#include "flusher/spool_store.hpp"

#include <algorithm>
#include <utility>

namespace shmring::flusher {
namespace {

OutcomeCounts counts_of(const spool::HandedPiece& piece) {
  OutcomeCounts counts{};
  counts[static_cast<std::size_t>(Outcome::kSpooled)] = piece.valid;
  counts[static_cast<std::size_t>(Outcome::kInvalid)] = piece.invalid;
  counts[static_cast<std::size_t>(Outcome::kCorrupt)] = piece.corrupt;
  return counts;
}

}  // namespace

Result<std::unique_ptr<SpoolStore>> SpoolStore::open(const Config& config, const spool::RingId& ring,
                                                     const spool::SpoolFile::Taken& taken, Reader& reader,
                                                     std::vector<std::string> destinations, EventLoop& loop,
                                                     Log& log) {
  auto file = spool::SpoolFile::open(config.spool, config.spool_limits, ring, taken);
  if (!file) return file.error();
  std::unique_ptr<SpoolStore> store(new SpoolStore(std::move(destinations), log));
  if ((*file)->rescued()) store->on_rescued(*(*file)->rescued());
  if (auto applied = apply_handed(**file, reader, log); !applied) return applied.error();
  auto found = (*file)->lanes();
  if (!found) return found.error();
  store->found_ = std::move(*found);
  auto was_killed = (*file)->begin_session();
  if (!was_killed) return was_killed.error();
  store->was_killed_ = *was_killed;
  store->thread_ = std::make_unique<SpoolThread>(
      std::move(*file), loop, [s = store.get()](const spool::Rescue& rescue) { s->on_rescued(rescue); });
  return store;
}

SpoolStore::~SpoolStore() {
  thread_->post(
      [forget = std::move(acknowledged_)](spool::SpoolFile& file) -> Result<void> {
        if (auto done = file.forget_handed(forget); !done) return done;
        return file.end_session();
      },
      [](const Result<void>&) {});
}

Result<void> SpoolStore::apply_handed(spool::SpoolFile& file, Reader& reader, Log& log) {
  const auto handed = file.handed();
  if (!handed) return handed.error();
  if (handed->empty()) return {};
  if (auto begun = file.begin(); !begun) return begun;
  auto done = apply(file, reader, log, *handed);
  if (done) done = file.forget_all_handed();
  if (done) return file.commit();
  file.roll_back();
  return done;
}

Result<void> SpoolStore::apply(spool::SpoolFile& file, Reader& reader, Log& log,
                               const std::vector<spool::HandedPiece>& handed) {
  std::uint64_t applied = 0;
  for (const spool::HandedPiece& piece : handed) {
    switch (reader.apply(piece.key, counts_of(piece))) {
      case Reader::Applied::kDone:
        applied += piece.valid;
        break;
      case Reader::Applied::kWasDone:
        break;
      case Reader::Applied::kCannot: {
        // Its records are drained once more, and the ring says what becomes of them; the spool's copy is sent, too.
        if (auto disowned = file.disown(piece); !disowned) return disowned;
        reader.count_possible_duplicates(piece.key.signal, piece.valid);
        break;
      }
    }
  }
  log.write(LogLevel::kInfo, "spool_acknowledged",
            {field("records", applied), field("pieces", handed.size())});
  return {};
}

/// Together with what the ring has acknowledged meanwhile.
void SpoolStore::post(SpoolThread::Work work, SpoolThread::Done done) {
  auto forget = std::make_shared<std::vector<std::int64_t>>(std::exchange(acknowledged_, {}));
  thread_->post(
      [forget, work = std::move(work)](spool::SpoolFile& file) -> Result<void> {
        if (auto forgotten = file.forget_handed(*forget); !forgotten) return forgotten;
        return work(file);
      },
      [this, forget, done = std::move(done)](const Result<void>& result) {
        if (!result) acknowledged_.insert(acknowledged_.end(), forget->begin(), forget->end());
        done(result);
      });
}

void SpoolStore::keep(std::vector<Handover> batches, Kept kept) {
  struct Keeping {
    std::vector<Handover> batches;  // own the requests
    std::vector<spool::NewBatch> rows;
    std::vector<std::int64_t> ids;
    spool::Dropped dropped;
  };
  auto keeping = std::make_shared<Keeping>();
  keeping->batches = std::move(batches);
  for (const Handover& handover : keeping->batches) {
    spool::NewBatch row{.signal = handover.batch->signal,
                        .request = handover.batch->request,
                        .records = handover.batch->records,
                        .rejected = handover.so_far.rejected,
                        .dead_lettered = handover.so_far.dead_lettered};
    for (const std::size_t index : handover.destinations) row.destinations.push_back(destinations_[index]);
    for (const Piece& piece : handover.batch->pieces)
      row.pieces.push_back(
          {.key = piece.key, .valid = piece.valid, .invalid = piece.invalid, .corrupt = piece.corrupt});
    keeping->rows.push_back(std::move(row));
  }
  const auto when_full = is_ring_short_ ? spool::WhenFull::kDropOldest : spool::WhenFull::kRefuse;
  post(
      [keeping, when_full](spool::SpoolFile& file) -> Result<void> {
        auto ids = file.keep(keeping->rows, when_full);
        keeping->dropped = file.take_dropped();
        if (!ids) return ids.error();
        keeping->ids = std::move(*ids);
        return {};
      },
      [this, keeping, kept = std::move(kept)](const Result<void>& result) {
        has_refused_ = !result;
        if (!result) {
          log_.write_limited(LogLevel::kWarning, "spool_refuses", "",
                             {field("reason", result.error().message),
                              field("hint", "batches wait in memory and in the ring meanwhile")});
          return kept(false);
        }
        tell_dropped(keeping->dropped, "no room");
        for (const Handover& handover : keeping->batches) {
          for (const std::size_t index : handover.destinations) on_kept_(index, handover.batch->signal);
        }
        kept(true);  // acknowledges them in the ring
        acknowledged_.insert(acknowledged_.end(), keeping->ids.begin(), keeping->ids.end());
      });
}

void SpoolStore::next(std::size_t destination, Signal signal, std::int64_t after, std::uint64_t most,
                      Rows rows) {
  struct Reading {
    std::vector<spool::SpooledBatch> rows;
    std::uint64_t damaged = 0;
  };
  auto reading = std::make_shared<Reading>();
  post(
      [reading, name = destinations_[destination], signal, after,
       most](spool::SpoolFile& file) -> Result<void> {
        auto found = file.next(name, signal, after, most);
        reading->damaged = file.take_damaged();
        if (!found) return found.error();
        reading->rows = std::move(*found);
        return {};
      },
      [this, reading, destination, signal, rows = std::move(rows)](const Result<void>& result) {
        if (!result) {
          log_.write_limited(LogLevel::kError, "spool_unreadable", "",
                             {field("reason", result.error().message)});
          unread_.emplace_back(destination, signal);
          return rows({});
        }
        if (reading->damaged > 0) {
          log_.write(LogLevel::kError, "spool_rows_damaged",
                     {field("records", reading->damaged), field("counted_as", "corrupt")});
        }
        rows(std::move(reading->rows));
      });
}

void SpoolStore::settle(std::int64_t batch, std::size_t destination, std::uint64_t rejected,
                        std::uint64_t dead_lettered, std::function<void()> settled) {
  post(
      [batch, name = destinations_[destination], rejected, dead_lettered](spool::SpoolFile& file) {
        file.let_go(batch);
        return file.settle(batch, name, rejected, dead_lettered);
      },
      [this, again = Settling{batch, destination, rejected, dead_lettered, std::move(settled)}](
          const Result<void>& result) {
        if (result) return again.settled();
        log_.write_limited(LogLevel::kError, "spool_unwritable", "",
                           {field("reason", result.error().message)});
        again_.push_back(again);
      });
}

void SpoolStore::tick() {
  for (Settling& again : std::exchange(again_, {})) {
    settle(again.batch, again.destination, again.rejected, again.dead_lettered, std::move(again.settled));
  }
  for (const auto& [destination, signal] : std::exchange(unread_, {})) on_kept_(destination, signal);
  if (thread_->is_busy()) return;  // next time
  struct Look {
    spool::Dropped dropped;
    spool::SpoolSize size;
  };
  auto look = std::make_shared<Look>();
  post(
      [look](spool::SpoolFile& file) -> Result<void> {
        auto dropped = file.drop_old();
        if (!dropped) return dropped.error();
        look->dropped = *dropped;
        auto size = file.size();
        if (!size) return size.error();
        look->size = *size;
        return {};
      },
      [this, look](const Result<void>& result) {
        if (!result) return;
        tell_dropped(look->dropped, "too old");
        size_ = look->size;
      });
}

void SpoolStore::tell_dropped(const spool::Dropped& dropped, const char* why) {
  if (dropped.batches == 0) return;
  log_.write_limited(LogLevel::kError, "spool_dropped", why,
                     {field("why", why), field("batches", dropped.batches), field("records", dropped.records),
                      field("counted_as", "spool_evicted")});
}

void SpoolStore::on_rescued(const spool::Rescue& rescue) {
  if (rescue.set_aside.empty()) {
    log_.write(
        LogLevel::kError, "spool_was_removed",
        {field("hint", "it was in use, and has been written anew; nothing is lost, nothing has to be done")});
    return;
  }
  log_.write(LogLevel::kError, "spool_was_damaged",
             {field("set_aside", rescue.set_aside.string()), field("batches_recovered", rescue.batches),
              field("records_lost", rescue.lost_records),
              field("hint", "nothing has to be done; the file that was set aside can be deleted")});
}

}  // namespace shmring::flusher
