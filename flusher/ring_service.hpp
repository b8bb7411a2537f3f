// SPDX-License-Identifier: Apache-2.0
// One ring served under one lease: drained on schedule and exported, until somebody says so or the ring is lost.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "flusher/config.hpp"
#include "flusher/dead_letter_files.hpp"
#include "flusher/destinations.hpp"
#include "flusher/event_loop.hpp"
#include "flusher/log.hpp"
#include "flusher/metrics.hpp"
#include "flusher/pipeline.hpp"
#include "flusher/ring_metrics.hpp"
#include "flusher/ring_source.hpp"
#include "flusher/schedule.hpp"
#include "flusher/spool_service.hpp"
#include "flusher/wake_thread.hpp"
#include "libshmring/lease.hpp"
#include "libshmring/page_guard.hpp"
#include "libshmring/ring_file.hpp"

namespace shmring::flusher {

/// What the signals asked for.
struct Orders {
  bool end = false;
  bool end_at_once = false;  // a second SIGTERM or SIGINT
  bool reload = false;
  std::function<Reload()> on_reload = [] { return Reload::kUnchanged; };
};

/// How a service came to its end.
struct Served {
  int exit_code = 0;
  bool is_ring_lost = false;     // truncated, overwritten, removed or replaced: the path may hold another one
  bool is_reconfigured = false;  // under the same lease the next service goes on, with the new configuration
};

/// What a service works with. All of it outlives the service; `guard` and `lease` are of `ring`.
struct ServiceParts {
  const Config& config;
  Log& log;
  EventLoop& loop;
  Metrics& metrics;
  const RingFile& ring;
  const PageGuard& guard;
  const Lease& lease;
  Reader& reader;
  Orders& orders;
};

class RingService {
 public:
  explicit RingService(const ServiceParts& parts)
      : config_(parts.config),
        log_(parts.log),
        loop_(parts.loop),
        metrics_(parts.metrics),
        ring_(parts.ring),
        guard_(parts.guard),
        lease_(parts.lease),
        reader_(parts.reader),
        orders_(parts.orders),
        source_(parts.reader),
        drops_(parts.ring) {}

  Served run();

 private:
  Served run_once(Pipeline& pipeline);
  Served run_until_told(Pipeline& pipeline, Destinations& destinations);
  bool is_reload_done(Destinations& destinations);
  Served leave_to_next(Pipeline& pipeline);
  Served end(Pipeline& pipeline);
  void finish(Pipeline& pipeline);
  void wait_until(Pipeline& pipeline, const std::function<bool()>& is_over);
  bool is_all_delivered(const Pipeline& pipeline);
  void drain(Pipeline& pipeline, WakeThread* wake, const SignalSet& due = kAllSignals);
  void beat();
  void note_destinations(Result<void> noted);
  void add_metrics(const Pipeline& pipeline, MetricSink& sink);
  void tell_missed(const Schedules& schedules);
  std::optional<std::string> why_lost() const;
  void look_at_ring();

  const Config& config_;
  Log& log_;
  EventLoop& loop_;
  Metrics& metrics_;
  const RingFile& ring_;
  const PageGuard& guard_;
  const Lease& lease_;
  Reader& reader_;
  Orders& orders_;
  RingSource source_;
  DropsByProgram drops_;
  SpoolService* spool_ = nullptr;            // while it runs
  Destinations* destinations_ = nullptr;     // likewise
  DeadLetterFiles* dead_letters_ = nullptr;  // likewise; nullptr: there is no store
  double free_ = 1;                          // share of the ring's blocks, as the last drain found it
  TimePoint last_drain_{};
  std::uint64_t missed_ = 0;
  bool is_ring_lost_ = false;
};

}  // namespace shmring::flusher
