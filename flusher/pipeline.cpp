// SPDX-License-Identifier: Apache-2.0
// The stages in the order in which data flows.

#include "flusher/pipeline.hpp"

#include <algorithm>
#include <utility>

namespace shmring::flusher {
namespace {

// Less room than this is no room: the largest block fits, so a drain that may take something always can.
constexpr std::uint64_t kWorthwhile = kMaxBlockBytes;

OutcomeCounts counts_of(const Piece& piece, std::uint64_t rejected, std::uint64_t dead_lettered) {
  OutcomeCounts counts{};
  counts[static_cast<std::size_t>(Outcome::kAccepted)] = piece.valid - rejected - dead_lettered;
  counts[static_cast<std::size_t>(Outcome::kRejected)] = rejected;
  counts[static_cast<std::size_t>(Outcome::kDeadLettered)] = dead_lettered;
  counts[static_cast<std::size_t>(Outcome::kInvalid)] = piece.invalid;
  counts[static_cast<std::size_t>(Outcome::kCorrupt)] = piece.corrupt;
  return counts;
}

PerSignal windows_of(const Config& config) {
  return PerSignal({config.in_flight_of(Signal::kLogs), config.in_flight_of(Signal::kTraces),
                    config.in_flight_of(Signal::kMetrics)});
}

}  // namespace

Pipeline::Pipeline(const Config& config, SliceSource& source, std::vector<Destination> destinations, Log& log,
                   BatchSpool* spool, DeadLetters* dead_letters)
    : memory_per_signal_(config.memory_per_signal()),
      source_(source),
      log_(log),
      invalid_(dead_letters),
      batchers_{{{Signal::kLogs, config.batch_of(Signal::kLogs),
                  [this](Batch&& batch) { on_batch(std::move(batch)); }},
                 {Signal::kTraces, config.batch_of(Signal::kTraces),
                  [this](Batch&& batch) { on_batch(std::move(batch)); }},
                 {Signal::kMetrics, config.batch_of(Signal::kMetrics),
                  [this](Batch&& batch) { on_batch(std::move(batch)); }}}},
      delivery_(std::move(destinations),
                {.window = windows_of(config),
                 .memory_worth_spooling = config.memory_per_signal() / 2,
                 .spool = spool},
                [this](const Batch& batch, const BatchOutcome& outcome) { on_finished(batch, outcome); }),
      acknowledger_([this](const SliceKey& key, const OutcomeCounts& counts) {
        return source_.acknowledge(key, counts);
      }) {}

DrainReport Pipeline::drain(const SignalSet& due) {
  DrainBudget room = budget();
  for (std::size_t i = 0; i < kSignalCount; ++i) {
    if (!due[i] && !has_left_[i]) room[i] = 0;
  }
  const DrainReport report = source_.drain(room, [this](Slice&& slice) {
    take(slice);
    return true;
  });
  for (Batcher& batcher : batchers_) batcher.flush();  // a record waits for others no longer than one drain
  for (std::size_t i = 0; i < kSignalCount; ++i) {
    // Of a signal whose time has not come nothing was asked for.
    if (due[i] || has_left_[i]) has_left_[i] = report.left[i];
  }
  send_ready();
  return report;
}

/// An exporter that is done at once acknowledges at once, and its request's memory serves the next one. So not before the
/// source has noted that it handed out the last slice in it.
void Pipeline::send_ready() {
  if (!ready_.empty()) invalid_.keep();  // before what they came with can be acknowledged
  for (Batch& batch : ready_) delivery_.send(std::move(batch));
  ready_.clear();
}

bool Pipeline::wants_more() const noexcept {
  const DrainBudget room = budget();
  for (std::size_t i = 0; i < kSignalCount; ++i) {
    // A drain looks at every block: not for each batch that is gone, but when half of them are.
    if (has_left_[i] && room[i] > 0 && room[i] >= memory_per_signal_ / 2) return true;
  }
  return false;
}

bool Pipeline::has_left_some() const noexcept {
  return std::any_of(has_left_.begin(), has_left_.end(), [](bool left) { return left; });
}

bool Pipeline::has_room() const noexcept {
  const DrainBudget room = budget();
  return std::any_of(room.begin(), room.end(), [](std::uint64_t bytes) { return bytes > 0; });
}

void Pipeline::take(const Slice& slice) {
  send_ready();
  const CheckedSlice& checked = validator_.check(slice);
  if (checked.bad.size() + checked.corrupt > 0) {
    log_.write_limited(LogLevel::kWarning, "bad_records", to_string(slice.key.signal),
                       {field("signal", to_string(slice.key.signal)), field("block", slice.key.block),
                        field("invalid", checked.bad.size()), field("corrupt", checked.corrupt)});
  }
  invalid_.add(checked);
  batchers_[static_cast<std::size_t>(slice.key.signal)].add(checked);
}

void Pipeline::on_batch(Batch&& batch) {
  for (const Piece& piece : batch.pieces) acknowledger_.expect(piece.key);
  ready_.push_back(std::move(batch));
}

void Pipeline::on_finished(const Batch& batch, const BatchOutcome& outcome) {
  if (outcome.is_spooled) return on_spooled(batch);
  const std::uint64_t refused = outcome.rejected + outcome.dead_lettered;
  if (refused > 0 || !outcome.reason.empty()) {
    log_.write_limited(LogLevel::kWarning, refused > 0 ? "records_rejected" : "destination_says",
                       to_string(batch.signal),
                       {field("signal", to_string(batch.signal)), field("records", batch.records),
                        field("rejected", outcome.rejected), field("dead_lettered", outcome.dead_lettered),
                        field("reason", outcome.reason)});
  }
  // Which of a batch's records were refused nobody says; the totals are right whichever pieces they are booked on.
  std::uint64_t rejected_left = outcome.rejected;
  std::uint64_t dead_lettered_left = outcome.dead_lettered;
  for (const Piece& piece : batch.pieces) {
    const std::uint64_t rejected = std::min(rejected_left, piece.valid);
    rejected_left -= rejected;
    const std::uint64_t dead_lettered = std::min(dead_lettered_left, piece.valid - rejected);
    dead_lettered_left -= dead_lettered;
    totals_.accepted += piece.valid - rejected - dead_lettered;
    totals_.rejected += rejected;
    totals_.dead_lettered += dead_lettered;
    totals_.invalid += piece.invalid;
    totals_.corrupt += piece.corrupt;
    settle(piece, counts_of(piece, rejected, dead_lettered));
  }
}

void Pipeline::on_spooled(const Batch& batch) {
  log_.write_limited(LogLevel::kInfo, "spooled", to_string(batch.signal),
                     {field("signal", to_string(batch.signal)), field("records", batch.records)});
  for (const Piece& piece : batch.pieces) {
    totals_.spooled += piece.valid;
    totals_.invalid += piece.invalid;
    totals_.corrupt += piece.corrupt;
    OutcomeCounts counts = counts_of(piece, 0, 0);
    std::swap(counts[static_cast<std::size_t>(Outcome::kAccepted)],
              counts[static_cast<std::size_t>(Outcome::kSpooled)]);
    settle(piece, counts);
  }
}

void Pipeline::settle(const Piece& piece, const OutcomeCounts& counts) {
  const std::uint64_t superseded = acknowledger_.superseded();
  acknowledger_.settle(piece.key, counts);
  if (acknowledger_.superseded() == superseded) return;
  log_.write_limited(LogLevel::kWarning, "superseded", "", {field("block", piece.key.block)});
}

DrainBudget Pipeline::budget() const noexcept {
  DrainBudget room{};
  for (std::size_t i = 0; i < kSignalCount; ++i) {
    const std::uint64_t used = delivery_.memory(static_cast<Signal>(i));
    const std::uint64_t left = used < memory_per_signal_ ? memory_per_signal_ - used : 0;
    room[i] = left < kWorthwhile ? 0 : left;
    // With nothing under way the next slice always fits, however small the limit: a block, or a run of them, is handed out whole.
    if (used == 0) room[i] = std::max<std::uint64_t>(left, kLargestRunBytes);
  }
  return room;
}

}  // namespace shmring::flusher
