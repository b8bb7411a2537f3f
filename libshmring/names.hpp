// SPDX-License-Identifier: Apache-2.0
// The names of outcomes and causes of drops, as status and metrics print them and scripts read them.
#pragma once

#include <array>
#include <string_view>

#include "shmring/layout.hpp"

namespace shmring {

/// By Outcome.
inline constexpr std::array<std::string_view, kOutcomeCount> kOutcomeNames{
    "accepted", "rejected", "dead_lettered", "invalid", "corrupt", "evicted", "spool_evicted", "spooled"};

/// By DropCause.
inline constexpr std::array<std::string_view, kDropCauseCount> kDropNames{
    "ring_full",  "block_timeout", "too_large",          "no_writer_slot",
    "after_fork", "nested",        "unsupported_process"};

/// By Signal.
inline constexpr std::array<Signal, kSignalCount> kSignals{Signal::kLogs, Signal::kTraces, Signal::kMetrics};

}  // namespace shmring
