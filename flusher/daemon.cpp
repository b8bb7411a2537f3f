// SPDX-License-Identifier: Apache-2.0
// The program's life: attach, hold the lease, serve the ring, end in order; and when the ring is lost, the next one.

#include "flusher/daemon.hpp"

#include <csignal>
#include <filesystem>
#include <memory>
#include <optional>
#include <system_error>
#include <utility>

#include "flusher/attachment.hpp"
#include "flusher/dead_letter_replay.hpp"
#include "flusher/event_loop.hpp"
#include "flusher/invocation.hpp"
#include "flusher/metrics.hpp"
#include "flusher/metrics_server.hpp"
#include "flusher/ring_service.hpp"
#include "flusher/signals.hpp"
#include "flusher/units.hpp"
#include "libshmring/accounting.hpp"
#include "libshmring/earlier_boot.hpp"
#include "libshmring/page_guard.hpp"

namespace shmring::flusher {
namespace {

void watch(EventLoop& loop, const Signals& signals, Orders& orders, Log& log) {
  loop.watch(signals.fd(), [&] {
    while (const auto signal = signals.next()) {
      if (*signal == SIGHUP) {
        orders.reload = true;
        continue;
      }
      log.write(LogLevel::kInfo, "stopping", {field("signal", *signal == SIGTERM ? "SIGTERM" : "SIGINT")});
      orders.end_at_once = orders.end;
      orders.end = true;
    }
  });
}

/// As many as can be in use at the same time.
long connections_of(const Config& config) {
  return static_cast<long>(config.in_flight_of(Signal::kLogs) + config.in_flight_of(Signal::kTraces) +
                           config.in_flight_of(Signal::kMetrics));
}

Served cannot_open(Log& log, const Error& error) {
  log.write(LogLevel::kError, "cannot_open", {field("reason", error.message)});
  return {.exit_code = kExitCannotOpen};
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
                         Metrics& metrics, Orders& orders) {
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
    const PageGuard guard(*old);
    auto lease = Lease::try_take(*old);
    if (!lease) continue;  // another flusher is at it
    auto reader = Reader::create(*old, *lease);
    if (!reader) continue;
    RingService({.config = once,
                 .log = log,
                 .loop = loop,
                 .metrics = metrics,
                 .ring = *old,
                 .guard = guard,
                 .lease = *lease,
                 .reader = **reader,
                 .orders = orders})
        .run();
    const Accounting accounting = account(*old);
    const bool is_empty = accounting.total.pending == 0 && !guard.has_lost_pages();
    std::error_code ignored;
    if (is_empty) std::filesystem::remove(path, ignored);
    log.write(is_empty ? LogLevel::kInfo : LogLevel::kWarning, "ring_of_earlier_boot",
              {field("ring", path.string()), field("written", accounting.total.written),
               field("dropped", accounting.total.dropped_total()), field("pending", accounting.total.pending),
               field("removed", is_empty ? "yes" : "no")});
  }
}

/// From the lease to the end of the service: under one lease one service for each configuration.
Served serve(Configuration& configuration, const RingFile& ring, EventLoop& loop, Log& log, Metrics& metrics,
             Orders& orders) {
  const PageGuard guard(ring);  // outlives the lease, whose end writes to the ring
  auto lease = take_lease(configuration.current(), ring, loop, log, orders);
  if (!lease) return cannot_open(log, lease.error());
  if (!lease->has_value()) return {};  // told to end while standing by
  drain_earlier_boots(configuration.current(), ring, loop, log, metrics, orders);
  log.write(LogLevel::kInfo, "started",
            {field("ring", ring.path().string()), field("epoch", (*lease)->epoch()),
             field("interval", format_duration(configuration.current().shortest_interval()))});
  for (;;) {
    const Config config = configuration.current();
    auto reader = Reader::create(ring, **lease);
    if (!reader) return cannot_open(log, reader.error());
    loop.keep_connections(connections_of(config));
    const Served served = RingService({.config = config,
                                       .log = log,
                                       .loop = loop,
                                       .metrics = metrics,
                                       .ring = ring,
                                       .guard = guard,
                                       .lease = **lease,
                                       .reader = **reader,
                                       .orders = orders})
                              .run();
    const bool is_undone = served.exit_code == kExitCannotOpen && configuration.revert(log);
    if (served.is_reconfigured || is_undone) continue;
    configuration.keep();
    return served;
  }
}

/// After a ring was lost: until the path holds one that can be used, or can be given one. nullptr: told to end.
std::unique_ptr<RingFile> wait_for_ring(const Config& config, EventLoop& loop, Log& log,
                                        const Orders& orders) {
  while (!orders.end) {
    auto ring = attach_or_create(config, log);
    if (ring) return std::move(*ring);
    log.write_limited(LogLevel::kError, "waiting_for_ring", "", {field("reason", ring.error().message)});
    loop.turn(Clock::now() + config.interval);
  }
  return nullptr;
}

}  // namespace

int run_daemon(Configuration& configuration, Log& log) {
  if (configuration.current().replay_dead_letters == Once::kYes)
    return replay_dead_letters(configuration.current(), log);
  auto signals = Signals::block();
  if (!signals) return cannot_open(log, signals.error()).exit_code;
  EventLoop loop(connections_of(configuration.current()));
  Orders orders;
  orders.on_reload = [&] { return configuration.reload(loop, log); };
  watch(loop, *signals, orders, log);
  Metrics metrics;
  std::unique_ptr<MetricsServer> server;
  if (const std::string& address = configuration.current().metrics_listen; !address.empty()) {
    auto listening = MetricsServer::listen(address, loop, metrics);
    if (!listening) return cannot_open(log, listening.error()).exit_code;
    server = std::move(*listening);
    log.write(LogLevel::kInfo, "metrics_listening", {field("address", server->address())});
  }

  auto first = attach_or_create(configuration.current(), log);
  if (!first) return cannot_open(log, first.error()).exit_code;
  for (std::unique_ptr<RingFile> ring = std::move(*first); ring != nullptr;) {
    const Served served = serve(configuration, *ring, loop, log, metrics, orders);
    if (!served.is_ring_lost || configuration.current().once == Once::kYes || orders.end)
      return served.exit_code;
    ring.reset();  // its memory is free once its producers have gone, too
    ring = wait_for_ring(configuration.current(), loop, log, orders);
  }
  return kExitBadNews;  // told to end while there was no ring
}

}  // namespace shmring::flusher
