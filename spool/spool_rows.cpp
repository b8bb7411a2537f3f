// SPDX-License-Identifier: Apache-2.0
// Batches leave the spool, each with the fate of its records; and what lies there.

#include <algorithm>

#include "spool/spool_file.hpp"

namespace shmring::spool {

Result<std::vector<SpooledBatch>> SpoolFile::next(const std::string& destination, Signal signal,
                                                  std::int64_t after, std::uint64_t most) {
  std::vector<SpooledBatch> found;
  std::vector<std::int64_t> damaged;
  {
    auto rows = database_->prepare(
        "SELECT b.id, b.ring, b.records, b.checksum, b.request FROM waiting w JOIN batches b ON b.id = "
        "w.batch "
        "WHERE w.destination = ? AND w.signal = ? AND w.batch > ? ORDER BY w.batch LIMIT ?");
    if (!rows) return rows.error();
    rows->bind(std::string_view(destination)).bind(static_cast<std::uint32_t>(signal)).bind(after).bind(most);
    for (;;) {
      const auto row = rows->step();
      if (!row) return row.error();
      if (!*row) break;
      SpooledBatch batch{.id = rows->integer(0), .request = rows->bytes(4), .records = rows->number(2)};
      if (checksum_of(rows->bytes(1), signal, batch.records, batch.request) != rows->number(3)) {
        damaged.push_back(batch.id);
      } else {
        held_.insert(batch.id);
        last_id_ = std::max(last_id_, batch.id);
        found.push_back(std::move(batch));
      }
    }
  }
  for (const std::int64_t id : damaged) {
    const auto records = drop(id, "corrupt");
    if (!records) return records.error();
    damaged_ += *records;
  }
  return found;
}

Result<void> SpoolFile::settle(std::int64_t batch, const std::string& destination, std::uint64_t rejected,
                               std::uint64_t dead_lettered) {
  auto row = database_->prepare(
      "UPDATE batches SET rejected = max(rejected, ?), dead_lettered = max(dead_lettered, ?) WHERE id = ?");
  if (!row) return row.error();
  if (auto done = row->bind(rejected).bind(dead_lettered).bind(batch).run(); !done) return done;
  auto waits = database_->prepare("DELETE FROM waiting WHERE batch = ? AND destination = ?");
  if (!waits) return waits.error();
  if (auto done = waits->bind(batch).bind(std::string_view(destination)).run(); !done) return done;
  auto others = database_->prepare("SELECT EXISTS(SELECT 1 FROM waiting WHERE batch = ?)");
  if (!others) return others.error();
  if (const auto left = others->bind(batch).step(); !left) return left.error();
  if (others->integer(0) != 0) return {};
  others->reset();
  return end_batch(batch);
}

/// Nobody waits for it any more: its counted records get the worst fate that they met.
Result<void> SpoolFile::end_batch(std::int64_t batch) {
  auto row =
      database_->prepare("SELECT ring, signal, counted, rejected, dead_lettered FROM batches WHERE id = ?");
  if (!row) return row.error();
  const auto found = row->bind(batch).step();
  if (!found) return found.error();
  if (!*found) return {};
  const std::string ring = row->bytes(0);
  const auto signal = static_cast<Signal>(row->integer(1));
  const std::uint64_t counted = row->number(2);
  const std::uint64_t rejected = std::min(row->number(3), counted);
  const std::uint64_t dead_lettered = std::min(row->number(4), counted - rejected);
  row->reset();
  const std::pair<const char*, std::uint64_t> fates[] = {{"accepted", counted - rejected - dead_lettered},
                                                         {"rejected", rejected},
                                                         {"dead_lettered", dead_lettered}};
  for (const auto& [fate, records] : fates) {
    if (records == 0) continue;
    if (auto done = add_to_totals(ring, signal, fate, records); !done) return done;
  }
  return run("DELETE FROM batches WHERE id = ?", batch);
}

/// For everybody who waits for it. The number of records that it counted.
Result<std::uint64_t> SpoolFile::drop(std::int64_t batch, const char* fate) {
  auto row = database_->prepare("SELECT ring, signal, counted FROM batches WHERE id = ?");
  if (!row) return row.error();
  const auto found = row->bind(batch).step();
  if (!found) return found.error();
  if (!*found) return std::uint64_t{0};
  const std::string ring = row->bytes(0);
  const auto signal = static_cast<Signal>(row->integer(1));
  const std::uint64_t counted = row->number(2);
  row->reset();
  if (auto done = add_to_totals(ring, signal, fate, counted); !done) return done.error();
  if (auto done = run("DELETE FROM waiting WHERE batch = ?", batch); !done) return done.error();
  if (auto done = run("DELETE FROM batches WHERE id = ?", batch); !done) return done.error();
  return counted;
}

Result<std::vector<HandedPiece>> SpoolFile::handed() {
  auto rows = database_->prepare(
      "SELECT signal, block, generation, begin, \"end\", begin_count, end_count, valid, invalid, corrupt "
      "FROM handed "
      "WHERE ring = ? ORDER BY rowid");
  if (!rows) return rows.error();
  rows->bind(Bytes(std::as_bytes(std::span(ring_))));
  std::vector<HandedPiece> found;
  for (;;) {
    const auto row = rows->step();
    if (!row) return row.error();
    if (!*row) return found;
    found.push_back({.key = {.block = static_cast<std::uint32_t>(rows->integer(1)),
                             .block_generation = static_cast<std::uint32_t>(rows->integer(2)),
                             .begin = static_cast<std::uint32_t>(rows->integer(3)),
                             .end = static_cast<std::uint32_t>(rows->integer(4)),
                             .begin_count = rows->number(5),
                             .end_count = rows->number(6),
                             .signal = static_cast<Signal>(rows->integer(0))},
                     .valid = rows->number(7),
                     .invalid = rows->number(8),
                     .corrupt = rows->number(9)});
  }
}

Result<void> SpoolFile::disown(const HandedPiece& piece) {
  auto row = database_->prepare("SELECT batch FROM handed WHERE ring = ? AND block = ? AND begin_count = ?");
  if (!row) return row.error();
  row->bind(Bytes(std::as_bytes(std::span(ring_)))).bind(piece.key.block).bind(piece.key.begin_count);
  const auto found = row->step();
  if (!found) return found.error();
  if (!*found) return {};
  const std::int64_t batch = row->integer(0);
  row->reset();
  auto counted = database_->prepare("SELECT counted FROM batches WHERE id = ?");
  if (!counted) return counted.error();
  const auto is_there = counted->bind(batch).step();
  if (!is_there) return is_there.error();
  const std::uint64_t records = *is_there ? std::min(piece.valid, counted->number(0)) : piece.valid;
  counted->reset();
  if (!*is_there) {  // it has its fate already, and gets another one from the ring
    auto accepted =
        database_->prepare("UPDATE totals SET accepted = accepted - ? WHERE ring = ? AND signal = ?");
    if (!accepted) return accepted.error();
    accepted->bind(records).bind(Bytes(std::as_bytes(std::span(ring_))));
    if (auto done = accepted->bind(static_cast<std::uint32_t>(piece.key.signal)).run(); !done) return done;
  }
  auto less = database_->prepare("UPDATE batches SET counted = counted - ? WHERE id = ?");
  if (!less) return less.error();
  if (auto done = less->bind(records).bind(batch).run(); !done) return done;
  auto totals = database_->prepare("UPDATE totals SET taken = taken - ? WHERE ring = ? AND signal = ?");
  if (!totals) return totals.error();
  totals->bind(records).bind(Bytes(std::as_bytes(std::span(ring_))));
  return totals->bind(static_cast<std::uint32_t>(piece.key.signal)).run();
}

Result<std::vector<LaneRows>> SpoolFile::lanes() {
  auto rows = database_->prepare(
      "SELECT w.destination, w.signal, count(*), sum(b.records) FROM waiting w JOIN batches b ON b.id = "
      "w.batch "
      "GROUP BY w.destination, w.signal");
  if (!rows) return rows.error();
  std::vector<LaneRows> found;
  for (;;) {
    const auto row = rows->step();
    if (!row) return row.error();
    if (!*row) return found;
    found.push_back({.destination = rows->text(0),
                     .signal = static_cast<Signal>(rows->integer(1)),
                     .rows = rows->number(2),
                     .records = rows->number(3)});
  }
}

Result<SpoolSize> SpoolFile::size() {
  auto rows = database_->prepare(
      "SELECT count(*), coalesce((SELECT at_ns FROM batches ORDER BY id LIMIT 1), ?) FROM batches");
  if (!rows) return rows.error();
  const std::int64_t now = clock_.now_ns();
  if (const auto row = rows->bind(now).step(); !row) return row.error();
  SpoolSize size{
      .rows = rows->number(0), .bytes = 0, .oldest_age = std::chrono::nanoseconds(now - rows->integer(1))};
  rows->reset();
  const auto extent = this->extent();
  if (!extent) return extent.error();
  size.bytes = extent->used;
  return size;
}

}  // namespace shmring::spool
