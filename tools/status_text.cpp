// SPDX-License-Identifier: Apache-2.0
// `shmring status` for people.
#include <fmt/format.h>

#include <string>

#include "libshmring/names.hpp"
#include "tools/status_report.hpp"
#include "tools/text.hpp"
#include "tools/units.hpp"

namespace shmring::tools {
namespace {

constexpr std::size_t kBarWidth = 40;
constexpr std::size_t kHoldersShown = 8;

std::string flusher_line(const FlusherView& flusher) {
  if (flusher.state == FlusherState::kNone) {
    return flusher.epoch == 0
               ? "none has ever drained this ring; records wait for one"
               : fmt::format("none; {} so far; records wait for the next", format_count(flusher.epoch));
  }
  std::string line =
      fmt::format("{}, {}, epoch {}", to_string(flusher.state),
                  flusher.pid != 0 ? fmt::format("pid {}", flusher.pid) : "pid unknown", flusher.epoch);
  if (flusher.heartbeat_age) line += ", heartbeat " + format_duration(*flusher.heartbeat_age) + " ago";
  if (flusher.interval.count() > 0) line += ", every " + format_duration(flusher.interval);
  if (flusher.state == FlusherState::kStale) line += "; `shmring flusher evict` ends one that hangs";
  return line;
}

std::string writers_line(const WriterCensus& writers) {
  std::string line = fmt::format("{} live, {} ended", format_count(writers.live), format_count(writers.dead));
  if (writers.unknown > 0)
    line += fmt::format(", {} of another pid namespace", format_count(writers.unknown));
  return line + fmt::format(", of {} slots", format_count(writers.slots));
}

/// Whom nobody here can judge: one that is gone holds its slot until somebody says so.
void add_unknown_holders(Table& table, const WriterCensus& writers) {
  std::size_t shown = 0;
  for (const SlotHolder& holder : writers.unknown_holders) {
    if (shown++ == kHoldersShown) break;
    table.add({"", fmt::format("slot {}: {}", holder.slot, to_text(holder))});
  }
  if (writers.unknown_holders.size() > kHoldersShown) {
    table.add({"", fmt::format("and {} more (--output json)",
                               format_count(writers.unknown_holders.size() - kHoldersShown))});
  }
  if (shown > 0) table.add({"", "of one that you know to be gone: `shmring recover --free-slot SLOT`"});
}

std::string fill_line(const StatusReport& report) {
  const BlockCensus& blocks = report.accounting.blocks;
  std::string line = fmt::format(
      "{} {:.1f}%, blocks: {} free, {} open, {} sealed", bar(report.fill(), kBarWidth), report.fill() * 100,
      format_count(blocks.free), format_count(blocks.open), format_count(blocks.sealed));
  if (blocks.unknown > 0)
    line += fmt::format(", {} in no known state (shmring fsck)", format_count(blocks.unknown));
  return line;
}

void add_spools(Table& table, const StatusReport& report) {
  for (const spool::SpoolLook& each : report.spools) {
    if (!each.problem.empty()) {
      table.add({"spool", escaped(each.folder.string()) + ": " + escaped(each.problem)});
      continue;
    }
    const spool::SpoolSize& size = each.view.size;
    std::string line = fmt::format("{}: {} batches, {}", escaped(each.folder.string()),
                                   format_count(size.rows), format_size(size.bytes));
    if (size.rows > 0) line += ", oldest waits for " + format_duration(size.oldest_age);
    table.add({"spool", line});
    for (const spool::LaneRows& lane : each.view.lanes) {
      table.add({"", fmt::format("{} {} wait for {}", format_count(lane.records), to_string(lane.signal),
                                 escaped(lane.destination))});
    }
  }
}

void add_destinations(Table& table, const StatusReport& report) {
  for (const spool::DestinationBooks& each : report.destinations) {
    const spool::LaneBooks total = each.total();
    std::string line = fmt::format("{}: {} accepted, {} rejected", escaped(each.name),
                                   format_count(total.accepted), format_count(total.rejected));
    if (total.dead_lettered > 0) line += fmt::format(", {} dead-lettered", format_count(total.dead_lettered));
    line += total.last_success_ms == 0
                ? ", no success yet"
                : fmt::format(", last success {} ago", format_duration(report.age_of(total.last_success_ms)));
    table.add({"destination", line});
    if (!each.last_error) continue;
    table.add(
        {"", fmt::format("last error {} ago, {}: {}", format_duration(report.age_of(each.last_error->at_ms)),
                         to_string(each.last_error->signal), escaped(each.last_error->text))});
  }
}

std::string head(const StatusReport& report) {
  const Geometry& geometry = report.geometry;
  Table table({Align::kLeft, Align::kLeft});
  table.add({"ring", escaped(report.path)});
  table.add({"size", fmt::format("{} in {} blocks of {}", format_size(geometry.capacity_bytes()),
                                 format_count(geometry.block_count), format_size(geometry.block_bytes))});
  table.add({"fill", fill_line(report)});
  table.add({"writers", writers_line(report.writers)});
  add_unknown_holders(table, report.writers);
  table.add({"flusher", flusher_line(report.flusher)});
  add_destinations(table, report);
  add_spools(table, report);
  table.add(
      {"oldest", report.oldest_age ? "waits for " + format_duration(*report.oldest_age) : "nothing waits"});
  return table.str();
}

/// One row: the three signals and their sum. A row of zeroes is left out unless it belongs to the frame.
template <typename Count>
void add_row(Table& table, const Accounting& accounting, std::string name, bool always, Count count) {
  if (!always && count(accounting.total) == 0) return;
  std::vector<std::string> cells{std::move(name)};
  for (const SignalAccounting& signal : accounting.signals) cells.push_back(format_count(count(signal)));
  cells.push_back(format_count(count(accounting.total)));
  table.add(std::move(cells));
}

std::string counts(const Accounting& accounting) {
  Table table({Align::kLeft, Align::kRight, Align::kRight, Align::kRight, Align::kRight});
  table.add({"", "logs", "traces", "metrics", "all"});
  add_row(table, accounting, "attempted", true,
          [](const SignalAccounting& each) { return each.attempted(); });
  add_row(table, accounting, "  dropped", true,
          [](const SignalAccounting& each) { return each.dropped_total(); });
  for (std::size_t cause = 0; cause < kDropCauseCount; ++cause) {
    add_row(table, accounting, "    " + std::string(kDropNames[cause]), false,
            [cause](const SignalAccounting& each) { return each.dropped[cause]; });
  }
  add_row(table, accounting, "  written", true, [](const SignalAccounting& each) { return each.written; });
  for (std::size_t outcome = 0; outcome < kOutcomeCount; ++outcome) {
    add_row(table, accounting, "    " + std::string(kOutcomeNames[outcome]),
            outcome == static_cast<std::size_t>(Outcome::kAccepted),
            [outcome](const SignalAccounting& each) { return each.outcomes[outcome]; });
  }
  add_row(table, accounting, "    pending", true, [](const SignalAccounting& each) { return each.pending; });
  return table.str();
}

std::string closing_line(const StatusReport& report) {
  const SignalAccounting& total = report.accounting.total;
  std::string line;
  switch (report.accounting.closing) {
    case Closing::kCloses:
      line = "The accounting closes";
      break;
    case Closing::kOpen:
      line = report.spools.empty() ? "The accounting DOES NOT CLOSE: the ring is damaged (shmring fsck)"
                                   : "The accounting DOES NOT CLOSE: the ring is damaged (shmring fsck), or "
                                     "its spool is gone or damaged";
      break;
    case Closing::kInMotion: {
      const SignalAccounting& later = report.later ? report.later->total : total;
      line = fmt::format("In motion while it was counted: written {} to {}, dropped {} to {}",
                         format_count(total.written), format_count(later.written),
                         format_count(total.dropped_total()), format_count(later.dropped_total()));
      break;
    }
  }
  if (total.duplicates_possible > 0) {
    line += fmt::format("; {} may have been sent twice", format_count(total.duplicates_possible));
  }
  return line + ".\n";
}

}  // namespace

std::string as_text(const StatusReport& report) {
  return head(report) + "\n" + counts(report.accounting) + "\n" + closing_line(report);
}

}  // namespace shmring::tools
