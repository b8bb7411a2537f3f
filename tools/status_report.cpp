// SPDX-License-Identifier: Apache-2.0
// Gathers what `shmring status` knows, and judges it against thresholds.
#include "tools/status_report.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "libshmring/liveness.hpp"
#include "libshmring/system.hpp"
#include "tools/units.hpp"

namespace shmring::tools {
namespace {

WriterCensus count_writers(const RingFile& ring) {
  WriterCensus census;
  for (std::uint32_t index = 0; index < ring.geometry().writer_count; ++index) {
    ++census.slots;
    switch (liveness(ring.slots()[index], Ask::kWordAndProc)) {
      case Liveness::kVacant:
        break;
      case Liveness::kAlive:
        ++census.live;
        break;
      case Liveness::kGone:
        ++census.dead;
        break;
      case Liveness::kUnknown:
        ++census.unknown;
        census.unknown_holders.push_back(holder_of(ring, index));
        break;
    }
  }
  return census;
}

double seconds(std::chrono::nanoseconds duration) { return std::chrono::duration<double>(duration).count(); }

}  // namespace

std::chrono::milliseconds StatusReport::age_of(std::int64_t at_ms) const noexcept {
  return std::chrono::milliseconds{std::max<std::int64_t>(0, now_ms - at_ms)};
}

double StatusReport::fill() const noexcept {
  const BlockCensus& blocks = accounting.blocks;
  return blocks.total == 0
             ? 0
             : static_cast<double>(blocks.total - blocks.free) / static_cast<double>(blocks.total);
}

bool StatusReport::bad_news() const noexcept {
  return accounting.closing == Closing::kOpen || accounting.total.dropped_total() > 0;
}

Result<StatusReport> make_report(const RingFile& ring) {
  auto flusher = view_flusher(ring);
  if (!flusher) return flusher.error();
  StatusReport report;
  report.path = ring.path().string();
  report.geometry = ring.geometry();
  report.flusher = *flusher;
  report.writers = count_writers(ring);
  spool::JointAccounting joint = spool::account_with_spools(ring);
  report.accounting = joint.accounting;
  report.pending_in_spool = joint.pending_in_spool;
  report.spools = std::move(joint.spools);
  report.destinations = spool::destinations_of(ring);
  report.now_ms = static_cast<std::int64_t>(unix_ns() / 1'000'000);
  if (report.accounting.closing == Closing::kInMotion)
    report.later = spool::account_with_spools(ring).accounting;
  // The second count may have met a quiet moment, and is then as good as the first would have been.
  if (report.later && report.later->closing != Closing::kInMotion) {
    report.accounting = *report.later;
    report.later.reset();
  }
  if (const std::uint64_t opened_ns = report.accounting.oldest_opened_ns; opened_ns != 0) {
    const std::uint64_t now_ns = boottime_ns();
    report.oldest_age =
        std::chrono::nanoseconds{now_ns > opened_ns ? static_cast<std::int64_t>(now_ns - opened_ns) : 0};
  }
  return report;
}

CheckResult check(const StatusReport& report, const Thresholds& thresholds) {
  std::vector<std::string> bad;
  const double fill_percent = report.fill() * 100;
  const std::uint64_t drops = report.accounting.total.dropped_total();
  const FlusherView& flusher = report.flusher;
  if (report.accounting.closing == Closing::kOpen) bad.emplace_back("accounting does not close");
  if (flusher.state == FlusherState::kNone) {
    bad.emplace_back("no flusher");
  } else if (!flusher.heartbeat_age || *flusher.heartbeat_age > thresholds.max_heartbeat_age) {
    bad.emplace_back("flusher's heartbeat too old");
  }
  if (fill_percent > thresholds.max_fill_percent) bad.emplace_back("ring too full");
  if (drops > thresholds.max_drops) bad.emplace_back("records dropped");

  CheckResult result;
  result.fine = bad.empty();
  result.line = "SHMRING " + std::string(result.fine ? "OK" : "CRITICAL");
  for (std::size_t i = 0; i < bad.size(); ++i) result.line += (i == 0 ? ": " : ", ") + bad[i];
  result.line +=
      fmt::format(" - fill {:.1f}%, {} dropped, {} pending, flusher {}", fill_percent, format_count(drops),
                  format_count(report.accounting.total.pending), to_string(flusher.state));
  if (flusher.heartbeat_age) result.line += ", heartbeat " + format_duration(*flusher.heartbeat_age) + " ago";
  result.line +=
      fmt::format(" | fill={:.1f}%;;{:g} drops={}c;;{} pending={}", fill_percent, thresholds.max_fill_percent,
                  drops, thresholds.max_drops, report.accounting.total.pending);
  if (flusher.heartbeat_age) {
    result.line += fmt::format(" heartbeat_age={:.3f}s;;{:g}", seconds(*flusher.heartbeat_age),
                               seconds(thresholds.max_heartbeat_age));
  }
  result.line += "\n";
  return result;
}

}  // namespace shmring::tools
