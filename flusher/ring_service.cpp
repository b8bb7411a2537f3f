// SPDX-License-Identifier: Apache-2.0
// One ring served: drained on schedule and exported.

#include "flusher/ring_service.hpp"

#include <algorithm>
#include <utility>

#include "flusher/full_ring_warning.hpp"
#include "flusher/invocation.hpp"
#include "libshmring/names.hpp"

namespace shmring::flusher {
namespace {

// Writers that ask all the time get a drain this often, not one after the other.
constexpr auto kEarlyDrainGap = std::chrono::milliseconds(2);

void begin_ledger(Metrics& metrics, const RingFile& ring, const std::vector<Destination>& destinations) {
  std::vector<std::string> names;
  for (const Destination& each : destinations) names.push_back(each.name);
  metrics.ledger().begin(ring, names);
}

}  // namespace

Served RingService::run() {
  std::unique_ptr<DeadLetterFiles> dead_letters;
  if (!config_.dead_letter.empty()) {
    auto opened = DeadLetterFiles::open(config_.dead_letter,
                                        {config_.dead_letter_bytes, config_.dead_letter_age}, log_);
    if (!opened) {
      log_.write(LogLevel::kError, "cannot_keep_dead_letters", {field("reason", opened.error().message)});
      return {.exit_code = kExitCannotOpen};
    }
    dead_letters = std::move(*opened);
    dead_letters->tick();
  }
  dead_letters_ = dead_letters.get();
  Pipeline* told = nullptr;
  auto destinations = Destinations::create(
      config_, loop_, log_,
      {.on_possible_duplicates =
           [this](const Batch& batch) { source_.count_possible_duplicates(batch.signal, batch.records); },
       .on_delayed =
           [&told](std::size_t destination, Signal signal, const std::string&) {
             if (told != nullptr) told->delivery().note_failure(destination, signal);
           },
       .metrics = &metrics_},
      dead_letters.get());
  if (!destinations) {
    log_.write(LogLevel::kError, "cannot_export", {field("reason", destinations.error().message)});
    return {.exit_code = kExitCannotOpen};
  }
  begin_ledger(metrics_, ring_, destinations->all());
  auto spool = SpoolService::open(config_, ring_, reader_, *destinations, loop_, log_, [this] {
    beat();
    return orders_.end;
  });
  if (!spool) {
    log_.write(LogLevel::kError, "cannot_spool", {field("reason", spool.error().message)});
    return {.exit_code = kExitCannotOpen};
  }
  if (*spool == nullptr) return {};  // told to end while the spool could not be opened
  spool_ = spool->get();
  destinations_ = &*destinations;
  Pipeline pipeline(config_, source_, destinations->all(), log_, spool_->store(), dead_letters.get());
  told = &pipeline;
  spool_->begin(pipeline, source_);
  metrics_.look_at([&](MetricSink& sink) { add_metrics(pipeline, sink); });
  metrics_.health().begin_serving(Clock::now(), config_.shortest_interval());
  const Served served =
      config_.once == Once::kYes ? run_once(pipeline) : run_until_told(pipeline, *destinations);
  spool_->stop();
  destinations->abandon_all();
  told = nullptr;
  for (const Signal signal : kSignals)
    source_.count_possible_duplicates(signal, pipeline.delivery().records_settled_in_part(signal));
  note_destinations(metrics_.ledger().note_now(ring_));
  metrics_.health().end_serving();
  metrics_.look_at(nullptr);
  reader_.release_all();
  return served;
}

Served RingService::run_once(Pipeline& pipeline) {
  beat();
  drain(pipeline, nullptr);
  finish(pipeline);
  look_at_ring();
  const PipelineTotals& totals = pipeline.totals();
  const std::uint64_t bad =
      totals.rejected + totals.dead_lettered + totals.spooled + totals.invalid + totals.corrupt;
  log_.write(LogLevel::kInfo, "exported",
             {field("accepted", totals.accepted), field("rejected", totals.rejected),
              field("dead_lettered", totals.dead_lettered), field("spooled", totals.spooled),
              field("invalid", totals.invalid), field("corrupt", totals.corrupt)});
  const bool is_fine = is_all_delivered(pipeline) && bad == 0 && !is_ring_lost_ && spool_->is_empty();
  return {.exit_code = is_fine ? kExitFine : kExitBadNews, .is_ring_lost = is_ring_lost_};
}

Served RingService::run_until_told(Pipeline& pipeline, Destinations& destinations) {
  WakeThread wake(reader_, [this] { loop_.wake(); });
  Schedules schedules(Clock::now(), {config_.interval_of(Signal::kLogs), config_.interval_of(Signal::kTraces),
                                     config_.interval_of(Signal::kMetrics)});
  beat();
  while (!orders_.end) {
    const bool is_early_waiting = wake.is_asked() && pipeline.has_room();
    loop_.turn(is_early_waiting ? std::min(schedules.deadline(), last_drain_ + kEarlyDrainGap)
                                : schedules.deadline());
    if (std::exchange(orders_.reload, false) && is_reload_done(destinations)) return leave_to_next(pipeline);
    const TimePoint now = Clock::now();
    note_destinations(metrics_.ledger().note(ring_, now));
    const TimePoint deadline = schedules.deadline();
    const SignalSet due = schedules.due(now);
    const bool is_tick = due[0] || due[1] || due[2];
    if (is_tick) {
      look_at_ring();
      if (is_ring_lost_) break;
      beat();
      if (dead_letters_ != nullptr) dead_letters_->tick();
      metrics_.on_tick(now - deadline, schedules.missed() - missed_);
      tell_missed(schedules);
    }
    const bool is_early = wake.is_asked() && pipeline.has_room() && now >= last_drain_ + kEarlyDrainGap;
    const bool is_room = pipeline.wants_more();
    metrics_.on_wakeup(is_tick    ? Wakeup::kTick
                       : is_early ? Wakeup::kWriter
                       : is_room  ? Wakeup::kRoom
                                  : Wakeup::kOther);
    if (is_tick || is_early || is_room) drain(pipeline, &wake, is_early ? kAllSignals : due);
  }
  return end(pipeline);
}

bool RingService::is_reload_done(Destinations& destinations) {
  const Reload result = orders_.on_reload();
  metrics_.on_reload(result);
  destinations.reopen_files();
  log_.write(LogLevel::kInfo, "files_reopened");
  return result == Reload::kDone;
}

/// Requests that are under way get their answers, if these come in time. What is not acknowledged then the next service drains
/// again, as a successor of a flusher that ended would.
Served RingService::leave_to_next(Pipeline& pipeline) {
  spool_->stop();
  pipeline.delivery().hold();
  const TimePoint deadline = Clock::now() + config_.shutdown_timeout;
  while (!(pipeline.delivery().is_quiet() && spool_->is_quiet()) && Clock::now() < deadline &&
         !orders_.end_at_once) {
    loop_.turn(std::min(deadline, Clock::now() + config_.shortest_interval()));
    beat();
  }
  return {.is_reconfigured = true};
}

/// The last drain, its export, and the news. Of a ring that was cut short, what is still there.
Served RingService::end(Pipeline& pipeline) {
  drain(pipeline, nullptr);
  finish(pipeline);
  look_at_ring();
  const bool is_delivered = is_all_delivered(pipeline);
  const PipelineTotals& totals = pipeline.totals();
  log_.write(LogLevel::kInfo, is_ring_lost_ ? "left_ring" : "stopped",
             {field("accepted", totals.accepted), field("rejected", totals.rejected),
              field("dead_lettered", totals.dead_lettered), field("spooled", totals.spooled),
              field("invalid", totals.invalid), field("corrupt", totals.corrupt)});
  return {.exit_code = is_delivered && !is_ring_lost_ ? kExitFine : kExitBadNews,
          .is_ring_lost = is_ring_lost_};
}

/// Until all has its outcome, or the time for that is up.
void RingService::finish(Pipeline& pipeline) {
  const auto is_done = [&] { return pipeline.is_idle() && !pipeline.has_left_some(); };
  // With --once the spool's batches are what is to be exported, too.
  wait_until(pipeline, [&] {
    if (is_done() && (config_.once == Once::kNo || spool_->is_empty())) return true;
    return orders_.end_at_once || (config_.once == Once::kYes && orders_.end);
  });
  spool_->stop();
  if (is_done() || spool_->store() == nullptr) return;
  // What no destination has taken by now goes to the spool, and so does what is left in the ring.
  pipeline.delivery().park_all();
  destinations_->abandon_all();
  wait_until(pipeline, [&] { return is_done() || spool_->has_refused(); });
}

void RingService::wait_until(Pipeline& pipeline, const std::function<bool()>& is_over) {
  const TimePoint deadline = Clock::now() + config_.shutdown_timeout;
  TimePoint next_beat = Clock::now() + config_.shortest_interval();
  for (;;) {
    if (pipeline.wants_more()) drain(pipeline, nullptr);
    if (is_over() || Clock::now() >= deadline) return;
    loop_.turn(std::min(deadline, next_beat));
    if (Clock::now() < next_beat) continue;
    beat();
    spool_->tick(free_);
    next_beat += config_.shortest_interval();
  }
}

bool RingService::is_all_delivered(const Pipeline& pipeline) {
  if (pipeline.is_idle() && !pipeline.has_left_some()) return true;
  log_.write(LogLevel::kWarning, "left_in_ring",
             {field("records_under_way", pipeline.unfinished_records()),
              field("more", pipeline.has_left_some() ? "yes" : "no"),
              field("hint", is_ring_lost_ ? "that ring is lost, and they with it"
                                          : "they stay in the ring, and the next flusher sends them")});
  return false;
}

void RingService::drain(Pipeline& pipeline, WakeThread* wake, const SignalSet& due) {
  // Before the drain, or a wake is lost. Who asked for one needs room, of whatever signal: only a drain of all is an answer.
  if (due == kAllSignals) {
    reader_.consume_wake();
    if (wake != nullptr) wake->rearm();
  }
  last_drain_ = Clock::now();
  const DrainReport report = pipeline.drain(due);
  free_ = static_cast<double>(report.free_blocks + report.recycled) / ring_.geometry().block_count;
  metrics_.on_drained(1 - free_);
  if (spool_->store() == nullptr)
    warn_of_full_ring(1 - free_, pipeline.delivery(), destinations_->all(), log_);
  spool_->tick(free_);
  if (report.records > 0) {
    log_.write(LogLevel::kDebug, "drained",
               {field("records", report.records), field("bytes", report.bytes),
                field("free_blocks", report.free_blocks)});
  }
}

void RingService::note_destinations(Result<void> noted) {
  if (noted) return;
  log_.write_limited(LogLevel::kWarning, "destinations_not_noted", "",
                     {field("reason", noted.error().message),
                      field("hint", "`shmring status` does not show what each destination took")});
}

void RingService::beat() {
  metrics_.health().on_tick(Clock::now());
  reader_.beat(static_cast<std::uint32_t>(
      std::chrono::ceil<std::chrono::milliseconds>(config_.shortest_interval()).count()));
}

void RingService::tell_missed(const Schedules& schedules) {
  if (schedules.missed() == missed_) return;
  log_.write_limited(LogLevel::kWarning, "ticks_missed", "",
                     {field("missed", schedules.missed() - missed_),
                      field("hint", "the flusher had too little CPU time, or an exporter blocked")});
  missed_ = schedules.missed();
}

void RingService::add_metrics(const Pipeline& pipeline, MetricSink& sink) {
  add_ring_metrics(ring_, sink);
  drops_.add_metrics(sink);
  add_delivery_metrics(pipeline.delivery(), destinations_->all(), sink);
  if (const auto size = spool_->size()) add_spool_metrics(*size, sink);
}

std::optional<std::string> RingService::why_lost() const {
  if (const auto valid = ring_.still_valid(); !valid) return valid.error().message;
  if (guard_.has_lost_pages()) {
    return ring_.path().string() + " was cut short for a while, or a part of its memory cannot be read";
  }
  // Nobody else can hold the file lock: this word was not changed by a flusher.
  if (ring_.header().epoch.load(std::memory_order_acquire) != lease_.epoch()) {
    return ring_.path().string() + " was overwritten while in use: another flusher seems to hold the lease";
  }
  return std::nullopt;
}

void RingService::look_at_ring() {
  const auto why = why_lost();
  if (!why || is_ring_lost_) return;
  is_ring_lost_ = true;
  log_.write(LogLevel::kError, "ring_lost", {field("ring", ring_.path().string()), field("reason", *why)});
}

}  // namespace shmring::flusher
