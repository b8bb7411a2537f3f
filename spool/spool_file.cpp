// SPDX-License-Identifier: Apache-2.0
// Batches come into the spool, and are dropped from it when it is full.

#include "spool/spool_file.hpp"

#include <fmt/format.h>
#include <sys/statvfs.h>

#include <algorithm>

namespace shmring::spool {
namespace {

// What a row and its indexes take besides the request.
constexpr std::uint64_t kRowBytes = 512;
constexpr std::uint64_t kPieceBytes = 96;

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
  return database_->execute("BEGIN IMMEDIATE");
}

Result<void> SpoolFile::begin_part() { return database_->execute("SAVEPOINT part"); }
Result<void> SpoolFile::undo_part() { return database_->execute("ROLLBACK TO part"); }

Result<void> SpoolFile::commit() {
  if (auto saved = save_clock(); !saved) return saved;
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

Result<std::uint64_t> SpoolFile::used_bytes() {
  auto pages = database_->prepare(
      "SELECT (SELECT page_count FROM pragma_page_count) - (SELECT freelist_count FROM "
      "pragma_freelist_count), "
      "(SELECT page_size FROM pragma_page_size), (SELECT freelist_count FROM pragma_freelist_count)");
  if (!pages) return pages.error();
  if (const auto row = pages->step(); !row) return row.error();
  return pages->number(0) * pages->number(1);
}

/// A full spool refuses, and the ring keeps what it has, until the ring itself is in need: then the oldest rows go.
Result<void> SpoolFile::make_room(std::uint64_t bytes, WhenFull when_full) {
  for (;;) {
    const auto used = used_bytes();
    if (!used) return used.error();
    struct statvfs file_system {};
    const bool is_known = ::statvfs(folder_.c_str(), &file_system) == 0;
    const std::uint64_t free =
        is_known ? std::uint64_t{file_system.f_bavail} * file_system.f_frsize : UINT64_MAX;
    std::error_code ignored;
    const std::uint64_t file_bytes = std::filesystem::file_size(file(), ignored);
    const std::uint64_t reusable = !ignored && file_bytes > *used ? file_bytes - *used : 0;
    const bool is_over = *used + bytes > limits_.bytes;
    const bool is_disk_short = bytes > reusable && free < limits_.min_free + (bytes - reusable);
    if (!is_over && !is_disk_short) return {};
    if (when_full == WhenFull::kDropOldest) {
      const auto dropped = drop_oldest();
      if (!dropped) return dropped.error();
      if (*dropped) continue;
    }
    return Error{ErrorCode::kNoSpace,
                 is_over ? fmt::format("the spool {} is full (--spool-size)", folder_.string())
                         : fmt::format("too little is free on the file system of {} (--spool-min-free)",
                                       folder_.string())};
  }
}

/// False: there is none that could go.
Result<bool> SpoolFile::drop_oldest() {
  auto oldest = database_->prepare("SELECT id FROM batches ORDER BY id LIMIT 64");
  if (!oldest) return oldest.error();
  for (;;) {
    const auto row = oldest->step();
    if (!row) return row.error();
    if (!*row) return false;
    const std::int64_t id = oldest->integer(0);
    if (held_.contains(id)) continue;
    const auto records = drop(id, "spool_evicted");
    if (!records) return records.error();
    ++dropped_.batches;
    dropped_.records += *records;
    return true;
  }
}

Result<Dropped> SpoolFile::drop_old() {
  Dropped sum;
  const std::int64_t age = std::chrono::nanoseconds(limits_.age).count();
  auto old = database_->prepare("SELECT id FROM batches WHERE at_ns < ? ORDER BY id LIMIT 256");
  if (!old) return old.error();
  old->bind(clock_.now_ns() - age);
  for (;;) {
    const auto row = old->step();
    if (!row) return row.error();
    if (!*row) return sum;
    if (held_.contains(old->integer(0))) continue;
    const auto records = drop(old->integer(0), "spool_evicted");
    if (!records) return records.error();
    ++sum.batches;
    sum.records += *records;
  }
}

Result<void> SpoolFile::tidy() {
  auto rows = database_->prepare("SELECT EXISTS(SELECT 1 FROM batches)");
  if (!rows) return rows.error();
  if (const auto row = rows->step(); !row) return row.error();
  const bool is_empty = rows->integer(0) == 0;
  rows->reset();
  if (!is_empty) return {};
  return database_->execute("PRAGMA incremental_vacuum; PRAGMA wal_checkpoint(TRUNCATE);");
}

}  // namespace shmring::spool
