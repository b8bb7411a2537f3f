// SPDX-License-Identifier: Apache-2.0
// Sends what lies in the spool.

#include "flusher/replay.hpp"

#include <algorithm>
#include <chrono>
#include <utility>

namespace shmring::flusher {

Replay::Replay(SpoolSource& source, Delivery& delivery, std::vector<Destination> destinations, Timers& timers,
               const Options& options)
    : source_(source),
      delivery_(delivery),
      destinations_(std::move(destinations)),
      timers_(timers),
      options_(options) {
  for (std::size_t i = 0; i < destinations_.size() * kSignalCount; ++i)
    lanes_.push_back(std::make_unique<Lane>(Lane{.backoff = Backoff(options.retry, options.seed + i)}));
}

void Replay::look_again(std::size_t destination, Signal signal) {
  lane(destination, signal).may_have_rows = true;
}

void Replay::pump(TimePoint now) {
  if (is_stopped_) return;
  for (std::size_t i = 0; i < destinations_.size(); ++i) {
    for (std::size_t s = 0; s < kSignalCount; ++s) pump_lane(i, static_cast<Signal>(s), now);
  }
}

bool Replay::is_quiet() const noexcept {
  return std::all_of(lanes_.begin(), lanes_.end(),
                     [](const auto& lane) { return !lane->is_reading && lane->under_way == 0; });
}

bool Replay::is_idle() const noexcept {
  return std::all_of(lanes_.begin(), lanes_.end(), [](const auto& lane) {
    return !lane->may_have_rows && !lane->is_reading && lane->ready.empty() && lane->under_way == 0;
  });
}

void Replay::pump_lane(std::size_t destination, Signal signal, TimePoint now) {
  Lane& lane = this->lane(destination, signal);
  const bool is_away = delivery_.is_away(destination, signal);
  if (is_away && !std::exchange(lane.was_away, true)) wait(lane, now, std::nullopt);
  lane.was_away = is_away;
  const bool has_none = !lane.may_have_rows && !lane.is_reading && lane.ready.empty() && lane.under_way == 0;
  if (!is_away)
    delivery_.lend_window(destination, signal, has_none ? 0 : delivery_.window_for_replay(signal));
  if (now < lane.not_before) return;
  // Nothing in the spool, which may be full or broken, to try the destination with: what waits in memory has to.
  if (has_none && is_away) return delivery_.open_lane(destination, signal);
  const std::uint64_t most = is_away ? 1 : delivery_.window_for_replay(signal);
  if (lane.may_have_rows && !lane.is_reading && lane.ready.empty() && lane.under_way < most)
    read(destination, signal, most - lane.under_way);
  while (!lane.ready.empty() && lane.under_way < most && may_send(lane, now) && now >= lane.not_before)
    send(destination, signal);
}

/// A bucket of one second's records. A batch may overdraw it: the next one waits for that.
bool Replay::may_send(Lane& lane, TimePoint now) {
  if (options_.records_per_second == 0) return true;
  const auto rate = static_cast<double>(options_.records_per_second);
  const double passed = std::chrono::duration<double>(now - lane.credited).count();
  lane.credited = std::max(lane.credited, now);
  lane.credit = std::min(rate, lane.credit + std::clamp(passed, 0.0, 1.0) * rate);
  if (lane.credit > 0) return true;
  pump_after(std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(-lane.credit / rate)) +
             std::chrono::milliseconds(1));
  return false;
}

void Replay::wait(Lane& lane, TimePoint now, const std::optional<std::chrono::microseconds>& asked_for) {
  const auto pause = lane.backoff.wait(lane.failures, asked_for);
  ++lane.failures;
  lane.not_before = now + pause;
  pump_after(pause);
}

void Replay::pump_after(Clock::duration delay) {
  timers_.after(delay, [self = std::weak_ptr<Replay*>(self_)] {
    if (const auto replay = self.lock()) (*replay)->pump();
  });
}

void Replay::read(std::size_t destination, Signal signal, std::uint64_t most) {
  Lane& lane = this->lane(destination, signal);
  lane.is_reading = true;
  lane.may_have_rows = false;  // unless somebody says so meanwhile
  source_.next(destination, signal, lane.last_read, most,
               [this, &lane, most](std::vector<spool::SpooledBatch> rows) {
                 lane.is_reading = false;
                 if (rows.size() == most) lane.may_have_rows = true;
                 for (spool::SpooledBatch& row : rows) {
                   lane.last_read = std::max(lane.last_read, row.id);
                   lane.ready.emplace(row.id, std::move(row));
                 }
                 pump();
               });
}

void Replay::send(std::size_t destination, Signal signal) {
  Lane& lane = this->lane(destination, signal);
  auto row =
      std::make_shared<spool::SpooledBatch>(std::move(lane.ready.extract(lane.ready.begin()).mapped()));
  ++lane.under_way;
  lane.credit -= static_cast<double>(row->records);
  // The request travels in the batch, and comes back if it has to.
  auto batch = std::make_shared<Batch>(Batch{.signal = signal,
                                             .number = static_cast<std::uint64_t>(row->id),
                                             .request = std::move(row->request),
                                             .records = row->records});
  destinations_[destination].exporter->submit(
      batch, [this, destination, signal, row, batch](const SendResult& result) {
        if (result.outcome == SendOutcome::kRetryable) row->request = batch->request;
        on_result(destination, signal, std::move(*row), result);
      });
}

void Replay::on_result(std::size_t destination, Signal signal, spool::SpooledBatch&& batch,
                       const SendResult& result) {
  Lane& lane = this->lane(destination, signal);
  if (result.outcome == SendOutcome::kRetryable) {
    --lane.under_way;
    lane.ready.emplace(batch.id, std::move(batch));
    const TimePoint now = Clock::now();
    if (now >= lane.not_before) wait(lane, now, result.retry_after);
    return;
  }
  lane.failures = 0;
  lane.not_before = {};
  const std::uint64_t kept = std::min(result.dead_lettered, batch.records);
  const std::uint64_t refused = result.outcome == SendOutcome::kAccepted
                                    ? std::min(result.rejected, batch.records - kept)
                                    : batch.records - kept;
  source_.settle(batch.id, destination, refused, kept, [this, &lane] {
    --lane.under_way;
    pump();
  });
  delivery_.open_lane(destination, signal);
}

}  // namespace shmring::flusher
