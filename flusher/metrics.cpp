// SPDX-License-Identifier: Apache-2.0
// What the flusher counts about itself.

#include "flusher/metrics.hpp"

#include <prometheus/text_serializer.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>

#include "flusher/log.hpp"
#include "shmring/version.hpp"

namespace shmring::flusher {
namespace {

using prometheus::BuildCounter;
using prometheus::BuildGauge;
using prometheus::BuildHistogram;
using prometheus::Labels;

// Seconds, from an answer on this host to a request that ran into its timeout.
const prometheus::Histogram::BucketBoundaries kDurations{0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1,
                                                         0.25,  0.5,    1,     2.5,  5,     10,   30};
const prometheus::Histogram::BucketBoundaries kLateness{0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025,
                                                        0.05,   0.1,   0.25,   0.5,   1,    5};

Labels lane(const std::string& destination, Signal signal) {
  return {{"destination", destination}, {"signal", std::string(to_string(signal))}};
}

Labels with(Labels labels, const char* name, std::string value) {
  labels.emplace(name, std::move(value));
  return labels;
}

double seconds(Clock::duration time) { return std::chrono::duration<double>(time).count(); }

double unix_now() {
  return std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
}

const char* word(Wakeup cause) {
  switch (cause) {
    case Wakeup::kTick:
      return "tick";
    case Wakeup::kWriter:
      return "writer";
    case Wakeup::kRoom:
      return "room";
    case Wakeup::kOther:
      return "other";
  }
  return "unknown";
}

const char* word(Reload result) {
  switch (result) {
    case Reload::kDone:
      return "done";
    case Reload::kUnchanged:
      return "unchanged";
    case Reload::kRefused:
      return "refused";
  }
  return "unknown";
}

/// Of this process; 0: /proc does not say.
double resident_bytes() {
  std::ifstream in("/proc/self/statm");
  double pages = 0;
  double resident = 0;
  in >> pages >> resident;
  return in ? resident * static_cast<double>(sysconf(_SC_PAGESIZE)) : 0;
}

/// One for each destination: the text may be a server's, so it takes the place of the one before.
void add_last_errors(const std::vector<spool::DestinationBooks>& books, MetricSink& sink) {
  for (const spool::DestinationBooks& each : books) {
    if (!each.last_error) continue;
    sink.gauge("shmring_last_error_timestamp_seconds",
               "When an attempt to export last failed or was refused, in Unix time.",
               static_cast<double>(each.last_error->at_ms) / 1e3, {{"destination", each.name}});
  }
  for (const spool::DestinationBooks& each : books) {
    if (!each.last_error) continue;
    sink.gauge("shmring_last_error_info", "1, with the text of a destination's last error.", 1,
               {{"destination", each.name},
                {"signal", to_string(each.last_error->signal)},
                {"error", escaped(each.last_error->text)}});
  }
}

}  // namespace

Metrics::Metrics()
    : attempts_(BuildCounter()
                    .Name("shmring_exports_total")
                    .Help("Attempts to export a batch, by the answer's code; none: there was no answer.")
                    .Register(registry_)),
      durations_(BuildHistogram()
                     .Name("shmring_export_duration_seconds")
                     .Help("Time of an attempt, from its start to the end of its answer.")
                     .Register(registry_)),
      retries_(BuildCounter()
                   .Name("shmring_export_retries_total")
                   .Help("Attempts that repeated one that failed.")
                   .Register(registry_)),
      in_flight_(
          BuildGauge().Name("shmring_exports_in_flight").Help("Attempts under way.").Register(registry_)),
      connections_(BuildCounter()
                       .Name("shmring_export_connections_total")
                       .Help("Attempts by the connection that they used: opened for it, or reused.")
                       .Register(registry_)),
      records_(BuildCounter()
                   .Name("shmring_exported_records_total")
                   .Help("Records whose fate at a destination is settled, by fate.")
                   .Register(registry_)),
      last_success_(BuildGauge()
                        .Name("shmring_last_success_timestamp_seconds")
                        .Help("When a destination last accepted a batch, in Unix time.")
                        .Register(registry_)),
      wakeups_(BuildCounter()
                   .Name("shmring_wakeups_total")
                   .Help("Turns of the main loop while it serves a ring, by cause.")
                   .Register(registry_)),
      reloads_(BuildCounter()
                   .Name("shmring_reloads_total")
                   .Help("Configurations that SIGHUP made it read, by result.")
                   .Register(registry_)),
      ticks_(
          BuildCounter().Name("shmring_ticks_total").Help("Drains on schedule.").Register(registry_).Add({})),
      ticks_missed_(BuildCounter()
                        .Name("shmring_ticks_missed_total")
                        .Help("Deadlines that passed while the flusher was held up.")
                        .Register(registry_)
                        .Add({})),
      lateness_(BuildHistogram()
                    .Name("shmring_tick_lateness_seconds")
                    .Help("From a tick's deadline to its drain.")
                    .Register(registry_)
                    .Add({}, kLateness)),
      high_water_(BuildGauge()
                      .Name("shmring_ring_fill_high_water_ratio")
                      .Help("The largest part of the ring's blocks that any drain found in use.")
                      .Register(registry_)
                      .Add({})) {}

void Metrics::on_attempt(const std::string& destination, Signal signal) {
  in_flight_.Add(lane(destination, signal)).Increment();
}

void Metrics::on_attempt_ended(const std::string& destination, Signal signal, const SendResult& result,
                               Clock::duration took) {
  const Labels labels = lane(destination, signal);
  in_flight_.Add(labels).Decrement();
  durations_.Add(labels, kDurations).Observe(seconds(took));
  attempts_.Add(with(labels, "code", result.code)).Increment();
  if (result.connection != Connection::kNone) {
    const bool is_new = result.connection == Connection::kOpened;
    connections_.Add(with(labels, "connection", is_new ? "opened" : "reused")).Increment();
  }
  ledger_.on_attempt_ended(destination, signal, result);
  if (result.is_given_up) return;
  const bool has_answered = result.outcome != SendOutcome::kRetryable;
  health_.on_attempt(destination, signal, has_answered ? Answered::kYes : Answered::kNo);
}

void Metrics::on_attempts_forgotten(const std::string& destination, Signal signal, std::uint64_t attempts) {
  if (attempts > 0) in_flight_.Add(lane(destination, signal)).Decrement(static_cast<double>(attempts));
}

void Metrics::on_retry(const std::string& destination, Signal signal) {
  retries_.Add(lane(destination, signal)).Increment();
}

void Metrics::on_settled(const std::string& destination, Signal signal, std::uint64_t records,
                         const SendResult& result) {
  const Labels labels = lane(destination, signal);
  const Settled fates = settled(records, result);
  const auto add = [&](const char* fate, std::uint64_t count) {
    records_.Add(with(labels, "fate", fate)).Increment(static_cast<double>(count));
  };
  add("accepted", fates.accepted);
  add("rejected", fates.rejected);
  add("dead_lettered", fates.dead_lettered);
  ledger_.on_settled(destination, signal, records, result);
  if (result.outcome == SendOutcome::kAccepted) last_success_.Add(labels).Set(unix_now());
}

void Metrics::on_tick(Clock::duration late, std::uint64_t missed) {
  ticks_.Increment();
  ticks_missed_.Increment(static_cast<double>(missed));
  lateness_.Observe(seconds(late));
}

void Metrics::on_wakeup(Wakeup cause) { wakeups_.Add({{"cause", word(cause)}}).Increment(); }
void Metrics::on_drained(double ring_fill) { high_water_.Set(std::max(high_water_.Value(), ring_fill)); }
void Metrics::on_reload(Reload result) { reloads_.Add({{"result", word(result)}}).Increment(); }

std::string Metrics::text() const {
  MetricSink sink;
  sink.gauge("shmring_flusher_info", "1, with the version.", 1, {{"version", kVersion}});
  sink.gauge("shmring_lease_held", "1: this flusher drains the ring; 0: it waits for the ring or stands by.",
             health_.is_serving() ? 1 : 0);
  sink.gauge("process_resident_memory_bytes", "Of the flusher, the mapped ring included.", resident_bytes());
  sink.add_all(registry_.Collect());
  add_last_errors(ledger_.books(), sink);
  if (look_) look_(sink);
  return prometheus::TextSerializer().Serialize(sink.families());
}

}  // namespace shmring::flusher
