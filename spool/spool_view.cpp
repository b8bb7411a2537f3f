// SPDX-License-Identifier: Apache-2.0
// The spool as tools see it.

#include "spool/spool_view.hpp"

namespace shmring::spool {
namespace {

/// Goes through the rows of a statement.
template <typename Use>
Result<void> for_each_row(Result<Statement> rows, Bytes ring, Use&& use) {
  if (!rows) return rows.error();
  if (!ring.empty()) rows->bind(ring);
  for (;;) {
    const auto row = rows->step();
    if (!row) return row.error();
    if (!*row) return {};
    use(*rows);
  }
}

Result<void> read_totals(Database& database, Bytes ring, SpoolView& view) {
  auto done =
      for_each_row(database.prepare("SELECT signal, taken, accepted, rejected, dead_lettered, spool_evicted, "
                                    "corrupt FROM totals WHERE ring = ?"),
                   ring, [&](const Statement& row) {
                     if (row.number(0) >= kSignalCount) return;
                     SpoolTotals& totals = view.totals[row.number(0)];
                     totals.taken = row.number(1);
                     totals.accepted = row.number(2);
                     totals.rejected = row.number(3);
                     totals.dead_lettered = row.number(4);
                     totals.spool_evicted = row.number(5);
                     totals.corrupt = row.number(6);
                   });
  if (!done) return done;
  return for_each_row(database.prepare("SELECT signal, counted FROM batches WHERE ring = ?"), ring,
                      [&](const Statement& row) {
                        if (row.number(0) < kSignalCount) view.totals[row.number(0)].pending += row.number(1);
                      });
}

Result<void> read_handed(Database& database, Bytes ring, SpoolView& view) {
  return for_each_row(database.prepare("SELECT signal, block, end_count, valid FROM handed WHERE ring = ?"),
                      ring, [&](const Statement& row) {
                        if (row.number(0) >= kSignalCount) return;
                        HandedPiece piece;
                        piece.key.signal = static_cast<Signal>(row.integer(0));
                        piece.key.block = static_cast<std::uint32_t>(row.integer(1));
                        piece.key.end_count = row.number(2);
                        piece.valid = row.number(3);
                        view.handed.push_back(piece);
                      });
}

Result<void> read_size(Database& database, SpoolView& view) {
  auto done = for_each_row(
      database.prepare(
          "SELECT w.destination, w.signal, count(*), sum(b.records) FROM waiting w JOIN batches b "
          "ON b.id = w.batch GROUP BY w.destination, w.signal"),
      {}, [&](const Statement& row) {
        view.lanes.push_back({.destination = row.text(0),
                              .signal = static_cast<Signal>(row.integer(1)),
                              .rows = row.number(2),
                              .records = row.number(3)});
      });
  if (!done) return done;
  std::string clock;
  done = for_each_row(database.prepare("SELECT value FROM meta WHERE key = 'clock'"), {},
                      [&](const Statement& row) { clock = row.text(0); });
  if (!done) return done;
  const std::int64_t now = SpoolClock::restore(clock).now_ns();
  return for_each_row(database.prepare("SELECT count(*), (SELECT at_ns FROM batches ORDER BY id LIMIT 1), "
                                       "((SELECT page_count FROM pragma_page_count) - (SELECT freelist_count "
                                       "FROM pragma_freelist_count)) * "
                                       "(SELECT page_size FROM pragma_page_size) FROM batches"),
                      {}, [&](const Statement& row) {
                        view.size = {.rows = row.number(0), .bytes = row.number(2), .oldest_age = {}};
                        if (view.size.rows > 0)
                          view.size.oldest_age = std::chrono::nanoseconds(now - row.integer(1));
                      });
}

}  // namespace

Result<SpoolView> view_spool(const std::filesystem::path& folder, const RingId& ring) {
  auto database = Database::open(folder / SpoolFile::kFileName, Mode::kReadOnly);
  if (!database) return database.error();
  if (auto done = database->execute("BEGIN"); !done) return done.error();  // one instant for all of it
  const Bytes id(std::as_bytes(std::span(ring)));
  SpoolView view;
  if (auto done = read_totals(*database, id, view); !done) return done.error();
  if (auto done = read_handed(*database, id, view); !done) return done.error();
  if (auto done = read_size(*database, view); !done) return done.error();
  return view;
}

}  // namespace shmring::spool
