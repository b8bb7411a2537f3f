// SPDX-License-Identifier: Apache-2.0
// A damaged database: set aside under another name, what can be read of it goes into a new one, the rest is counted.
// Nobody has to delete anything by hand.

#include <fmt/format.h>
#include <time.h>

#include <algorithm>

#include "spool/spool_file.hpp"

namespace shmring::spool {
namespace {

constexpr const char* kSuffixes[] = {"-wal", "-shm", ""};  // the database last: see finish_rescue()

std::filesystem::path unused_name(const std::filesystem::path& file) {
  std::filesystem::path name;
  for (unsigned n = 0; name.empty() || std::filesystem::exists(name); ++n)
    name =
        fmt::format("{}.damaged-{}{}", file.string(), ::time(nullptr), n == 0 ? "" : fmt::format("-{}", n));
  return name;
}

Result<void> move_to(const std::filesystem::path& from, const std::filesystem::path& to) {
  std::error_code error;
  std::filesystem::rename(from, to, error);
  if (!error || error == std::errc::no_such_file_or_directory) return {};
  return Error{ErrorCode::kSystem,
               fmt::format("cannot rename {} to {}: {}", from.string(), to.string(), error.message())};
}

/// Reads rows by id, upwards and, where a page cannot be read, from behind it on: steps double until a row is found.
class Walk {
 public:
  Walk(Database& from, std::string_view sql) : from_(from), sql_(sql) {}

  /// The statement stands on the next row; nullopt: the end.
  std::optional<Statement> next() {
    for (std::int64_t step = 1; step < (std::int64_t{1} << 40U); step *= 2) {
      auto rows = from_.prepare(sql_);
      if (!rows) return std::nullopt;
      const auto row = rows->bind(id_).step();
      if (row && !*row) return std::nullopt;
      if (row) {
        id_ = rows->integer(0) + 1;
        return std::move(*rows);
      }
      id_ += step;
    }
    return std::nullopt;
  }

 private:
  Database& from_;
  std::string_view sql_;
  std::int64_t id_ = 0;
};

Result<void> copy_batch(Statement& from, Database& to) {
  auto row = to.prepare(
      "INSERT OR IGNORE INTO batches(id, ring, signal, records, counted, rejected, dead_lettered, at_ns, "
      "destinations, "
      "checksum, request) VALUES(?,?,?,?,?,?,?,?,?,?,?)");
  if (!row) return row.error();
  const std::string ring = from.bytes(1);
  const std::string request = from.bytes(10);
  row->bind(from.integer(0)).bind(Bytes(std::as_bytes(std::span(ring))));
  for (int column = 2; column <= 7; ++column) row->bind(from.integer(column));
  row->bind(std::string_view(from.text(8))).bind(from.integer(9));
  return row->bind(Bytes(std::as_bytes(std::span(request)))).run();
}

bool is_whole(const Statement& row) {
  const std::uint64_t records = row.number(3);
  return row.integer(2) >= 0 && row.integer(2) < static_cast<std::int64_t>(kSignalCount) &&
         row.number(4) <= records &&
         checksum_of(row.bytes(1), static_cast<Signal>(row.integer(2)), records, row.bytes(10)) ==
             row.number(9);
}

/// Who waits for it: what the old file says, or, where that cannot be read, everybody it was handed over for.
Result<void> copy_waiting(Database* from, Database& to, std::int64_t batch, std::uint64_t signal,
                          const std::string& destinations) {
  std::vector<std::string> names;
  auto rows = from->prepare("SELECT destination FROM waiting INDEXED BY waiting_by_batch WHERE batch = ?");
  bool is_readable = static_cast<bool>(rows);
  if (is_readable) rows->bind(batch);
  while (is_readable) {
    const auto row = rows->step();
    is_readable = static_cast<bool>(row);
    if (!row || !*row) break;
    names.push_back(rows->text(0));
  }
  if (!is_readable || names.empty()) {
    names.clear();
    for (std::size_t begin = 0; begin < destinations.size();) {
      const std::size_t end = std::min(destinations.find('\n', begin), destinations.size());
      names.push_back(destinations.substr(begin, end - begin));
      begin = end + 1;
    }
  }
  auto waits = to.prepare("INSERT OR IGNORE INTO waiting(destination, signal, batch) VALUES(?,?,?)");
  if (!waits) return waits.error();
  for (const std::string& name : names) {
    if (auto done = waits->bind(std::string_view(name)).bind(signal).bind(batch).run(); !done) return done;
  }
  return {};
}

Result<void> copy_rows(Database& from, Database& to, Rescue& rescue) {
  Walk batches(
      from,
      "SELECT id, ring, signal, records, counted, rejected, dead_lettered, at_ns, destinations, checksum, "
      "request FROM batches WHERE id >= ? ORDER BY id LIMIT 1");
  while (auto row = batches.next()) {
    if (!is_whole(*row)) continue;
    if (auto done = copy_batch(*row, to); !done) return done;
    if (auto done = copy_waiting(&from, to, row->integer(0), row->number(2), row->text(8)); !done)
      return done;
    ++rescue.batches;
  }
  Walk handed(from, "SELECT rowid, * FROM handed WHERE rowid >= ? ORDER BY rowid LIMIT 1");
  while (auto row = handed.next()) {
    auto copy = to.prepare("INSERT INTO handed VALUES(?,?,?,?,?,?,?,?,?,?,?,?)");
    if (!copy) return copy.error();
    const std::string ring = row->bytes(2);
    copy->bind(row->integer(1)).bind(Bytes(std::as_bytes(std::span(ring))));
    for (int column = 3; column <= 12; ++column) copy->bind(row->integer(column));
    if (auto done = copy->run(); !done) return done;
  }
  return {};
}

/// Where they can be read. Sums that make no sense are left out.
Result<void> copy_totals(Database& from, Database& to) {
  auto rows = from.prepare(
      "SELECT ring, signal, taken, accepted, rejected, dead_lettered, spool_evicted, corrupt FROM totals");
  if (!rows) return {};
  for (;;) {
    const auto row = rows->step();
    if (!row || !*row) return {};
    bool is_sound = true;
    for (int column = 2; column <= 7; ++column) is_sound = is_sound && rows->integer(column) >= 0;
    if (!is_sound) continue;
    auto copy = to.prepare("INSERT OR IGNORE INTO totals VALUES(?,?,?,?,?,?,?,?)");
    if (!copy) return copy.error();
    const std::string ring = rows->bytes(0);
    copy->bind(Bytes(std::as_bytes(std::span(ring))));
    for (int column = 1; column <= 7; ++column) copy->bind(rows->integer(column));
    if (auto done = copy->run(); !done) return done;
  }
}

/// Its time, and whether a session was under way; where they can be read.
void copy_meta(Database& from, Database& to, SpoolClock& clock) {
  auto rows = from.prepare("SELECT key, value FROM meta");
  if (!rows) return;
  for (;;) {
    const auto row = rows->step();
    if (!row || !*row) return;
    if (rows->text(0) == "clock") clock = SpoolClock::restore(rows->text(1));
    auto copy = to.prepare("INSERT OR REPLACE INTO meta(key, value) VALUES(?, ?)");
    if (!copy) return;
    static_cast<void>(
        copy->bind(std::string_view(rows->text(0))).bind(std::string_view(rows->text(1))).run());
  }
}

/// S1 again: what was taken over and is neither there nor has a fate was lost with the damage.
Result<std::uint64_t> close_books(Database& to) {
  // Of a ring whose totals are gone at least what is there was taken.
  if (auto done =
          to.execute("INSERT OR IGNORE INTO totals(ring, signal) SELECT DISTINCT ring, signal FROM batches");
      !done)
    return done.error();
  const std::string there =
      "(SELECT coalesce(sum(counted), 0) FROM batches b WHERE b.ring = totals.ring AND b.signal = "
      "totals.signal)";
  const std::string left =
      "(taken - accepted - rejected - dead_lettered - spool_evicted - corrupt - " + there + ")";
  auto lost = to.prepare("SELECT coalesce(sum(max(0, " + left + ")), 0) FROM totals");
  if (!lost) return lost.error();
  if (const auto row = lost->step(); !row) return row.error();
  const std::uint64_t records = lost->number(0);
  lost->reset();
  auto closed = to.execute("UPDATE totals SET corrupt = corrupt + max(0, " + left +
                           "), taken = taken + max(0, -" + left + ")");
  if (!closed) return closed.error();
  return records;
}

}  // namespace

/// The new file is complete before the old one is touched, and bears its name only at the very end: whoever is killed on the way
/// leaves a spool that the next one can go on with.
Result<void> SpoolFile::rescue() {
  const bool has_clock = database_.has_value();
  const SpoolClock clock = clock_;
  database_.reset();
  held_.clear();
  const std::filesystem::path building = file().string() + ".building";
  std::error_code ignored;
  for (const char* suffix : kSuffixes) std::filesystem::remove(building.string() + suffix, ignored);
  Rescue rescue;
  auto done = open_database(building);
  if (done) {
    if (has_clock) clock_ = clock;
    done = fill_anew(rescue);
  }
  // Its log does not come with it, so there must be nothing in it any more.
  if (done) done = database_->execute("PRAGMA wal_checkpoint(TRUNCATE)");
  database_.reset();
  if (!done) return done;
  if (auto renamed = move_to(building, rebuilt()); !renamed) return renamed;
  auto aside = finish_rescue();
  if (!aside) return aside.error();
  rescue.set_aside = std::move(*aside);
  rescue_ = std::move(rescue);
  return open_database(file());
}

Result<std::filesystem::path> SpoolFile::finish_rescue() {
  std::filesystem::path aside = unused_name(file());
  for (const char* suffix : kSuffixes) {
    if (auto renamed = move_to(file().string() + suffix, aside.string() + suffix); !renamed)
      return renamed.error();
  }
  if (auto renamed = move_to(rebuilt(), file()); !renamed) return renamed.error();
  return aside;
}

Result<void> SpoolFile::fill_anew(Rescue& rescue) {
  auto damaged = Database::open(file(), Mode::kReadWrite);
  if (auto begun = begin(); !begun) return begun;
  if (damaged) {
    copy_meta(*damaged, *database_, clock_);
    if (auto done = copy_rows(*damaged, *database_, rescue); !done) return done;
    if (auto done = copy_totals(*damaged, *database_); !done) return done;
  }
  // No id comes back: who reads rows in order has passed those that were lost.
  if (auto done = run("DELETE FROM sqlite_sequence WHERE name = 'batches' AND seq < ?", last_id_); !done)
    return done;
  if (auto done = run("INSERT INTO sqlite_sequence(name, seq) SELECT 'batches', ? WHERE NOT EXISTS "
                      "(SELECT 1 FROM sqlite_sequence WHERE name = 'batches')",
                      last_id_);
      !done)
    return done;
  for (std::size_t s = 0; s < kSignalCount;
       ++s) {  // what we know to have been taken over, whatever the old totals say
    auto taken = database_->prepare(
        "INSERT INTO totals(ring, signal, taken) VALUES(?1, ?2, ?3) ON CONFLICT(ring, signal) DO UPDATE SET "
        "taken = max(taken, ?3)");
    if (!taken) return taken.error();
    taken->bind(Bytes(std::as_bytes(std::span(ring_)))).bind(static_cast<std::uint32_t>(s)).bind(taken_[s]);
    if (auto done = taken->run(); !done) return done;
  }
  auto lost = close_books(*database_);
  if (!lost) return lost.error();
  rescue.lost_records = *lost;
  return commit();
}

}  // namespace shmring::spool
