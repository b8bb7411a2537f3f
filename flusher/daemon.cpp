// SPDX-License-Identifier: Apache-2.0
// The program's life: attach, hold the lease, drain on schedule, end in order.

#include "flusher/daemon.hpp"

#include <csignal>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <optional>
#include <system_error>
#include <utility>

#include "flusher/attachment.hpp"
#include "flusher/destinations.hpp"
#include "flusher/event_loop.hpp"
#include "flusher/invocation.hpp"
#include "flusher/pipeline.hpp"
#include "flusher/ring_source.hpp"
#include "flusher/schedule.hpp"
#include "flusher/signals.hpp"
#include "flusher/units.hpp"
#include "flusher/wake_thread.hpp"
#include "libshmring/accounting.hpp"
#include "libshmring/earlier_boot.hpp"

namespace shmring::flusher {
namespace {

// Writers that ask all the time get a drain this often, not one after the other.
constexpr auto kEarlyDrainGap = std::chrono::milliseconds(2);

/// What the signals asked for.
struct Orders {
  bool end = false;
  bool end_at_once = false;  // a second SIGTERM or SIGINT
  bool reopen = false;
};

enum class RingState : std::uint8_t { kSound, kUnlinked, kTruncated };

/// One flusher that holds the lease of one ring.
class Daemon {
 public:
  Daemon(const Config& config, Log& log, EventLoop& loop, const RingFile& ring, Reader& reader,
         Orders& orders)
      : config_(config),
        log_(log),
        loop_(loop),
        ring_(ring),
        reader_(reader),
        orders_(orders),
        source_(reader) {}

  int run() {
    auto destinations = Destinations::create(
        config_, loop_, log_, [this](const Batch& batch) { count_possible_duplicates(batch); });
    if (!destinations) {
      log_.write(LogLevel::kError, "cannot_export", {field("reason", destinations.error().message)});
      return kExitCannotOpen;
    }
    Pipeline pipeline(config_, source_, destinations->all(), log_);
    const int code =
        config_.once == Once::kYes ? run_once(pipeline) : run_until_told(pipeline, *destinations);
    destinations->abandon_all();
    if (!is_detached_) reader_.release_all();
    return code;
  }

  bool is_detached() const noexcept { return is_detached_; }

 private:
  int run_once(Pipeline& pipeline) {
    beat();
    drain(pipeline, nullptr);
    finish(pipeline);
    const PipelineTotals& totals = pipeline.totals();
    const std::uint64_t bad = totals.rejected + totals.invalid + totals.corrupt;
    log_.write(LogLevel::kInfo, "exported",
               {field("accepted", totals.accepted), field("rejected", totals.rejected),
                field("invalid", totals.invalid), field("corrupt", totals.corrupt)});
    return is_all_delivered(pipeline) && bad == 0 ? kExitFine : kExitBadNews;
  }

  int run_until_told(Pipeline& pipeline, Destinations& destinations) {
    WakeThread wake(reader_, [this] { loop_.wake(); });
    Schedule schedule(Clock::now(), config_.interval);
    RingState state = RingState::kSound;
    beat();
    while (!orders_.end && state == RingState::kSound) {
      const bool is_early_waiting = wake.is_asked() && pipeline.has_room();
      loop_.turn(is_early_waiting ? std::min(schedule.deadline(), last_drain_ + kEarlyDrainGap)
                                  : schedule.deadline());
      if (std::exchange(orders_.reopen, false)) {
        destinations.reopen_files();
        log_.write(LogLevel::kInfo, "files_reopened");
      }
      const TimePoint now = Clock::now();
      const bool is_tick = schedule.is_due(now);
      if (is_tick) {
        state = look_at_ring();
        if (state != RingState::kSound) break;
        beat();
        tell_missed(schedule);
      }
      const bool is_early = wake.is_asked() && pipeline.has_room() && now >= last_drain_ + kEarlyDrainGap;
      if (is_tick || is_early || pipeline.wants_more()) drain(pipeline, &wake);
    }
    return end(pipeline, state);
  }

  /// The last drain, its export, and the news.
  int end(Pipeline& pipeline, RingState state) {
    if (state == RingState::kTruncated) {
      source_.detach();
      is_detached_ = true;
    } else {
      drain(pipeline, nullptr);
    }
    finish(pipeline);
    const bool is_delivered = is_all_delivered(pipeline);
    const PipelineTotals& totals = pipeline.totals();
    log_.write(LogLevel::kInfo, "stopped",
               {field("accepted", totals.accepted), field("rejected", totals.rejected),
                field("invalid", totals.invalid), field("corrupt", totals.corrupt)});
    return is_delivered && state == RingState::kSound ? kExitFine : kExitBadNews;
  }

  /// Until all has its outcome, or the time for that is up.
  void finish(Pipeline& pipeline) {
    const TimePoint deadline = Clock::now() + config_.shutdown_timeout;
    TimePoint next_beat = Clock::now() + config_.interval;
    for (;;) {
      if (pipeline.wants_more()) drain(pipeline, nullptr);
      if (pipeline.is_idle() && !pipeline.has_left_some()) return;
      if (Clock::now() >= deadline || orders_.end_at_once) return;
      if (config_.once == Once::kYes && orders_.end) return;
      loop_.turn(std::min(deadline, next_beat));
      if (Clock::now() < next_beat) continue;
      if (!is_detached_) beat();
      next_beat += config_.interval;
    }
  }

  bool is_all_delivered(const Pipeline& pipeline) {
    if (pipeline.is_idle() && !pipeline.has_left_some()) return true;
    log_.write(LogLevel::kWarning, "left_in_ring",
               {field("records_under_way", pipeline.unfinished_records()),
                field("more", pipeline.has_left_some() ? "yes" : "no"),
                field("hint", "they stay in the ring, and the next flusher sends them")});
    return false;
  }

  void drain(Pipeline& pipeline, WakeThread* wake) {
    reader_.consume_wake();  // before the drain, or a wake is lost
    if (wake != nullptr) wake->rearm();
    last_drain_ = Clock::now();
    const DrainReport report = pipeline.drain();
    if (report.records > 0) {
      log_.write(LogLevel::kDebug, "drained",
                 {field("records", report.records), field("bytes", report.bytes),
                  field("free_blocks", report.free_blocks)});
    }
  }

  void beat() {
    reader_.beat(
        static_cast<std::uint32_t>(std::chrono::ceil<std::chrono::milliseconds>(config_.interval).count()));
  }

  void tell_missed(const Schedule& schedule) {
    if (schedule.missed() == missed_) return;
    log_.write_limited(LogLevel::kWarning, "ticks_missed", "",
                       {field("missed", schedule.missed() - missed_),
                        field("hint", "the flusher had too little CPU time, or an exporter blocked")});
    missed_ = schedule.missed();
  }

  RingState look_at_ring() {
    const auto valid = ring_.still_valid();
    if (valid) return RingState::kSound;
    log_.write(LogLevel::kError, "ring_lost", {field("reason", valid.error().message)});
    return valid.error().code == ErrorCode::kDamaged ? RingState::kTruncated : RingState::kUnlinked;
  }

  void count_possible_duplicates(const Batch& batch) {
    source_.count_possible_duplicates(batch.signal, batch.records);
  }

  const Config& config_;
  Log& log_;
  EventLoop& loop_;
  const RingFile& ring_;
  Reader& reader_;
  Orders& orders_;
  RingSource source_;
  TimePoint last_drain_{};
  std::uint64_t missed_ = 0;
  bool is_detached_ = false;
};

void watch(EventLoop& loop, const Signals& signals, Orders& orders, Log& log) {
  loop.watch(signals.fd(), [&] {
    while (const auto signal = signals.next()) {
      if (*signal == SIGHUP) {
        orders.reopen = true;
        continue;
      }
      log.write(LogLevel::kInfo, "stopping", {field("signal", *signal == SIGTERM ? "SIGTERM" : "SIGINT")});
      orders.end_at_once = orders.end;
      orders.end = true;
    }
  });
}

int cannot_open(Log& log, const Error& error) {
  log.write(LogLevel::kError, "cannot_open", {field("reason", error.message)});
  return kExitCannotOpen;
}

/// With --once nobody stands by: whoever holds the lease exports already.
Result<std::optional<Lease>> take_lease(const Config& config, const RingFile& ring, EventLoop& loop, Log& log,
                                        const Orders& orders) {
  if (config.once == Once::kNo) return wait_for_lease(ring, loop, log, [&] { return orders.end; });
  auto lease = Lease::try_take(ring);
  if (!lease) return lease.error();
  return std::optional<Lease>(std::move(*lease));
}

/// Rings that survived a reboot, beside ours: all their owners are gone. One that is empty then is removed; one whose
/// records could not be delivered waits for the next start.
void drain_earlier_boots(const Config& config, const RingFile& ring, EventLoop& loop, Log& log,
                         Orders& orders) {
  Config once = config;
  once.once = Once::kYes;
  for (const auto& path : rings_set_aside(ring.path())) {
    if (orders.end) return;
    auto old = RingFile::attach(path);
    if (!old || !old->of_an_earlier_boot()) {
      log.write(
          LogLevel::kWarning, "ring_of_earlier_boot_skipped",
          {field("ring", path.string()), field("reason", old ? "it is of this boot" : old.error().message)});
      continue;
    }
    auto lease = Lease::try_take(*old);
    if (!lease) continue;  // another flusher is at it
    auto reader = Reader::create(*old, *lease);
    if (!reader) continue;
    Daemon(once, log, loop, *old, **reader, orders).run();
    const Accounting accounting = account(*old);
    const bool is_empty = accounting.total.pending == 0;
    std::error_code ignored;
    if (is_empty) std::filesystem::remove(path, ignored);
    log.write(is_empty ? LogLevel::kInfo : LogLevel::kWarning, "ring_of_earlier_boot",
              {field("ring", path.string()), field("written", accounting.total.written),
               field("dropped", accounting.total.dropped_total()), field("pending", accounting.total.pending),
               field("removed", is_empty ? "yes" : "no")});
  }
}

}  // namespace

int run_daemon(const Config& config, Log& log) {
  auto signals = Signals::block();
  if (!signals) return cannot_open(log, signals.error());
  EventLoop loop(static_cast<long>(kSignalCount * config.max_in_flight));
  Orders orders;
  watch(loop, *signals, orders, log);

  const auto ring = attach_or_create(config, log);
  if (!ring) return cannot_open(log, ring.error());
  auto lease = take_lease(config, **ring, loop, log, orders);
  if (!lease) return cannot_open(log, lease.error());
  if (!lease->has_value()) return kExitFine;  // told to end while standing by
  drain_earlier_boots(config, **ring, loop, log, orders);
  auto reader = Reader::create(**ring, **lease);
  if (!reader) return cannot_open(log, reader.error());

  log.write(LogLevel::kInfo, "started",
            {field("ring", (*ring)->path().string()), field("epoch", (*lease)->epoch()),
             field("interval", format_duration(config.interval))});
  Daemon daemon(config, log, loop, **ring, **reader, orders);
  const int code = daemon.run();
  if (daemon.is_detached()) std::_Exit(code);  // giving the lease back would touch the missing pages
  return code;
}

}  // namespace shmring::flusher
