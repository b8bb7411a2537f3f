// SPDX-License-Identifier: Apache-2.0
// Transactions, and how batches come into the spool.

#include "spool/spool_file.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace shmring::spool {
namespace {

// What a row and its indexes take besides the request.
constexpr std::uint64_t kRowBytes = 512;
constexpr std::uint64_t kPieceBytes = 96;
// After a boot the wall clock tells how long ago the last save was; so it must not be long ago.
constexpr auto kClockEvery = std::chrono::minutes(1);

std::uint64_t bytes_of(const NewBatch& batch) {
  return batch.request.size() + batch.request.size() / 64 + kRowBytes + kPieceBytes * batch.pieces.size();
}

}  // namespace

std::uint64_t checksum_of(std::string_view ring, Signal signal, std::uint64_t records,
                          std::string_view request) {
  // FNV-1a over words: a request is megabytes, and what is looked for is a bit that turned.
  std::uint64_t hash = 0xcbf29ce484222325;
  const auto add = [&hash](std::uint64_t word) {
    hash = (hash ^ word) * 0x100000001b3;
    hash ^= hash >> 29U;
  };
  const auto add_text = [&add](std::string_view text) {
    add(text.size());
    while (!text.empty()) {
      std::uint64_t word = 0;
      const std::size_t part = std::min(text.size(), sizeof word);
      std::copy_n(text.data(), part, reinterpret_cast<char*>(&word));
      add(word);
      text.remove_prefix(part);
    }
  };
  add_text(ring);
  add(static_cast<std::uint64_t>(signal));
  add(records);
  add_text(request);
  return hash;
}

Result<void> SpoolFile::run(std::string_view sql, std::int64_t value) {
  auto statement = database_->prepare(sql);
  if (!statement) return statement.error();
  return statement->bind(value).run();
}

/// After a rescue that failed there is no database: another look may find a disk that works again.
Result<void> SpoolFile::begin() {
  if (!database_) {
    if (auto opened = open_database(file()); !opened) {
      database_.reset();
      return opened;
    }
  }
  if (database_->is_removed()) {
    if (auto written = write_anew(); !written) return written;
  }
  empty_log_in_time();
  changes_before_ = database_->total_changes();
  return database_->execute("BEGIN IMMEDIATE");
}

Result<void> SpoolFile::begin_part() { return database_->execute("SAVEPOINT part"); }
Result<void> SpoolFile::undo_part() { return database_->execute("ROLLBACK TO part"); }

Result<void> SpoolFile::commit() {
  // Who has only read needs no fsync, but for the clock's sake once in a while.
  const bool has_changed = database_->total_changes() != changes_before_;
  if (has_changed || std::chrono::steady_clock::now() - clock_saved_ > kClockEvery) {
    if (auto saved = save_clock(); !saved) return saved;
  }
  if (auto done = database_->execute("COMMIT"); !done) {
    write_over_failed_commit();
    return done;
  }
  static_cast<void>(read_taken());  // what is on the disk stays there, whether it can be read again or not
  return {};
}

Result<void> SpoolFile::save_clock() {
  auto clock = database_->prepare("INSERT OR REPLACE INTO meta(key, value) VALUES('clock', ?)");
  if (!clock) return clock.error();
  clock_saved_ = std::chrono::steady_clock::now();
  return clock->bind(std::string_view(clock_.save())).run();
}

/// After an fsync that failed the log may hold the whole transaction, and whoever comes after a kill would believe it, though its
/// batches are still in the ring. What is written next lies where it began, and so ends it, synced or not.
void SpoolFile::write_over_failed_commit() {
  roll_back();
  if (database_->execute("BEGIN IMMEDIATE") && save_clock()) static_cast<void>(database_->execute("COMMIT"));
  roll_back();
}

Result<void> SpoolFile::read_taken() {
  auto rows = database_->prepare("SELECT signal, taken FROM totals WHERE ring = ?");
  if (!rows) return rows.error();
  rows->bind(Bytes(std::as_bytes(std::span(ring_))));
  for (;;) {
    const auto row = rows->step();
    if (!row) return row.error();
    if (!*row) return {};
    if (rows->number(0) < kSignalCount) taken_[rows->number(0)] = rows->number(1);
  }
}

void SpoolFile::empty_log() {
  if (database_) static_cast<void>(database_->execute("PRAGMA wal_checkpoint(TRUNCATE)"));
}

void SpoolFile::roll_back() {
  if (database_) static_cast<void>(database_->execute("ROLLBACK"));  // there may be nothing to roll back
}

Result<std::vector<std::int64_t>> SpoolFile::keep(const std::vector<NewBatch>& batches, WhenFull when_full) {
  std::uint64_t bytes = 0;
  for (const NewBatch& batch : batches) bytes += bytes_of(batch);
  if (auto made = make_room(bytes, when_full); !made) return made.error();
  std::vector<std::int64_t> ids;
  for (const NewBatch& batch : batches) {
    auto id = insert(batch);
    if (!id) return id.error();
    ids.push_back(*id);
  }
  return ids;
}

Result<std::int64_t> SpoolFile::insert(const NewBatch& batch) {
  std::string destinations;
  for (const std::string& name : batch.destinations) destinations += name + '\n';
  auto row = database_->prepare(
      "INSERT INTO batches(ring, signal, records, counted, rejected, dead_lettered, at_ns, destinations, "
      "checksum, "
      "request) VALUES(?,?,?,?,?,?,?,?,?,?)");
  if (!row) return row.error();
  const auto signal = static_cast<std::uint32_t>(batch.signal);
  row->bind(Bytes(std::as_bytes(std::span(ring_)))).bind(signal).bind(batch.records).bind(batch.records);
  row->bind(batch.rejected)
      .bind(batch.dead_lettered)
      .bind(clock_.now_ns())
      .bind(std::string_view(destinations));
  row->bind(checksum_of(ring(), batch.signal, batch.records, batch.request));
  row->bind(Bytes(std::as_bytes(std::span(batch.request))));
  if (auto done = row->run(); !done) return done.error();
  const std::int64_t id = database_->last_row();
  last_id_ = std::max(last_id_, id);
  auto waits = database_->prepare("INSERT INTO waiting(destination, signal, batch) VALUES(?,?,?)");
  if (!waits) return waits.error();
  for (const std::string& name : batch.destinations) {
    if (auto done = waits->bind(std::string_view(name)).bind(signal).bind(id).run(); !done)
      return done.error();
  }
  for (const HandedPiece& piece : batch.pieces) {
    if (auto done = insert_handed(id, piece); !done) return done.error();
  }
  if (auto done = add_to_totals(ring(), batch.signal, "taken", batch.records); !done) return done.error();
  return id;
}

Result<void> SpoolFile::insert_handed(std::int64_t id, const HandedPiece& piece) {
  auto row = database_->prepare("INSERT INTO handed VALUES(?,?,?,?,?,?,?,?,?,?,?,?)");
  if (!row) return row.error();
  row->bind(id)
      .bind(Bytes(std::as_bytes(std::span(ring_))))
      .bind(static_cast<std::uint32_t>(piece.key.signal));
  row->bind(piece.key.block).bind(piece.key.block_generation).bind(piece.key.begin).bind(piece.key.end);
  row->bind(piece.key.begin_count).bind(piece.key.end_count);
  return row->bind(piece.valid).bind(piece.invalid).bind(piece.corrupt).run();
}

Result<void> SpoolFile::add_to_totals(std::string_view ring, Signal signal, const char* column,
                                      std::uint64_t records) {
  auto row =
      database_->prepare(fmt::format("INSERT INTO totals(ring, signal, {0}) VALUES(?1, ?2, ?3) "
                                     "ON CONFLICT(ring, signal) DO UPDATE SET {0} = {0} + ?3",
                                     column));
  if (!row) return row.error();
  return row->bind(Bytes(std::as_bytes(std::span(ring))))
      .bind(static_cast<std::uint32_t>(signal))
      .bind(records)
      .run();
}

Result<void> SpoolFile::forget_handed(const std::vector<std::int64_t>& batches) {
  for (const std::int64_t batch : batches) {
    if (auto done = run("DELETE FROM handed WHERE batch = ?", batch); !done) return done;
  }
  return {};
}

Result<void> SpoolFile::forget_all_handed() {
  auto all = database_->prepare("DELETE FROM handed WHERE ring = ?");
  if (!all) return all.error();
  return all->bind(Bytes(std::as_bytes(std::span(ring_)))).run();
}

}  // namespace shmring::spool
