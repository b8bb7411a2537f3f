// SPDX-License-Identifier: Apache-2.0
// What the flusher counts about itself, for Prometheus and for its probes. docs/metrics.md lists it all.
#pragma once

#include <prometheus/counter.h>
#include <prometheus/family.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>

#include "flusher/destination_ledger.hpp"
#include "flusher/exporter.hpp"
#include "flusher/health.hpp"
#include "flusher/metric_sink.hpp"
#include "flusher/schedule.hpp"
#include "shmring/signal.hpp"

namespace shmring::flusher {

/// Why the main loop went on.
enum class Wakeup : std::uint8_t {
  kTick,    // of the schedule
  kWriter,  // a writer found the ring nearly full
  kRoom,    // there is memory again for what was left in the ring
  kOther,   // an answer, a timer, a signal, a scrape
};

enum class Reload : std::uint8_t { kDone, kUnchanged, kRefused };

/// One thread's, like all that calls it. Names of destinations are few and our own.
class Metrics {
 public:
  Metrics();
  Metrics(const Metrics&) = delete;
  Metrics& operator=(const Metrics&) = delete;

  void on_attempt(const std::string& destination, Signal signal);
  void on_attempt_ended(const std::string& destination, Signal signal, const SendResult& result,
                        Clock::duration took);
  /// Of these nobody will hear the end.
  void on_attempts_forgotten(const std::string& destination, Signal signal, std::uint64_t attempts);
  void on_retry(const std::string& destination, Signal signal);
  /// A batch has its outcome at that destination.
  void on_settled(const std::string& destination, Signal signal, std::uint64_t records,
                  const SendResult& result);
  void on_tick(Clock::duration late, std::uint64_t missed);
  void on_wakeup(Wakeup cause);
  void on_drained(double ring_fill);
  void on_reload(Reload result);

  Health& health() noexcept { return health_; }
  DestinationLedger& ledger() noexcept { return ledger_; }

  /// What is read off the ring in service at each look; nullptr: there is none.
  using Look = std::function<void(MetricSink&)>;
  void look_at(Look look) { look_ = std::move(look); }

  /// Prometheus' text format.
  std::string text() const;

 private:
  template <typename Metric>
  using Family = prometheus::Family<Metric>;

  prometheus::Registry registry_;
  Family<prometheus::Counter>& attempts_;
  Family<prometheus::Histogram>& durations_;
  Family<prometheus::Counter>& retries_;
  Family<prometheus::Gauge>& in_flight_;
  Family<prometheus::Counter>& connections_;
  Family<prometheus::Counter>& records_;
  Family<prometheus::Gauge>& last_success_;
  Family<prometheus::Counter>& wakeups_;
  Family<prometheus::Counter>& reloads_;
  prometheus::Counter& ticks_;
  prometheus::Counter& ticks_missed_;
  prometheus::Histogram& lateness_;
  prometheus::Gauge& high_water_;
  Health health_;
  DestinationLedger ledger_;
  Look look_;
};

}  // namespace shmring::flusher
