// SPDX-License-Identifier: Apache-2.0
// Everything that `shmring status` knows about a ring, and its three ways of saying it.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "libshmring/accounting.hpp"
#include "libshmring/ring_file.hpp"
#include "shmring/result.hpp"
#include "spool/destination_note.hpp"
#include "spool/joint_accounting.hpp"
#include "tools/flusher_view.hpp"
#include "tools/slot_holder.hpp"

namespace shmring::tools {

struct WriterCensus {
  std::uint32_t slots = 0;
  std::uint32_t live = 0;
  std::uint32_t dead = 0;                        // ended; the slot waits for its next thread
  std::uint32_t unknown = 0;                     // of another pid namespace: nobody here can tell
  std::vector<SlotHolder> unknown_holders = {};  // those
};

struct StatusReport {
  std::string path;
  Geometry geometry;
  Accounting accounting;
  /// Where somebody wrote during all our passes: a second count, taken later. What is true lies between the two.
  std::optional<Accounting> later;
  std::vector<spool::SpoolLook> spools;  // their books are part of the accounting
  std::array<std::uint64_t, kSignalCount> pending_in_spool{};
  std::vector<spool::DestinationBooks> destinations;  // as the flusher noted them
  std::int64_t now_ms = 0;                            // Unix time, for the ages of what they say
  WriterCensus writers;
  FlusherView flusher;
  std::optional<std::chrono::nanoseconds> oldest_age;  // of the oldest block with something pending

  /// Of something at that Unix time; no age is below zero, wherever the wall clock was put.
  std::chrono::milliseconds age_of(std::int64_t at_ms) const noexcept;
  /// Share of the blocks that are not free, 0 to 1.
  double fill() const noexcept;
  /// The accounting is open, or something was dropped.
  bool bad_news() const noexcept;
};

struct Thresholds {
  std::chrono::microseconds max_heartbeat_age{5'000'000};
  double max_fill_percent = 90;
  std::uint64_t max_drops = 0;
};

struct CheckResult {
  bool fine = true;
  std::string line;  // one line, with performance data behind a bar, as monitoring plugins print it
};

Result<StatusReport> make_report(const RingFile& ring);

std::string as_json(const StatusReport& report);
std::string as_text(const StatusReport& report);
CheckResult check(const StatusReport& report, const Thresholds& thresholds);

}  // namespace shmring::tools
