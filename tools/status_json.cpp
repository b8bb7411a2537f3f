// SPDX-License-Identifier: Apache-2.0
// `shmring status --output json`. Names here are an interface: they may grow, they do not change.
#include <array>
#include <nlohmann/json.hpp>
#include <numeric>

#include "libshmring/names.hpp"
#include "tools/status_report.hpp"

namespace shmring::tools {
namespace {

using Json = nlohmann::ordered_json;

std::int64_t milliseconds(std::chrono::nanoseconds duration) {
  return std::chrono::duration_cast<std::chrono::milliseconds>(duration).count();
}

Json counts_json(const SignalAccounting& counts) {
  Json dropped;
  for (std::size_t cause = 0; cause < kDropCauseCount; ++cause)
    dropped[kDropNames[cause]] = counts.dropped[cause];
  Json json{{"attempted", counts.attempted()}, {"written", counts.written}, {"dropped", dropped}};
  for (std::size_t outcome = 0; outcome < kOutcomeCount; ++outcome) {
    json[kOutcomeNames[outcome]] = counts.outcomes[outcome];
  }
  json["pending"] = counts.pending;
  return json;
}

Json bounds_json(const SignalAccounting& first, const SignalAccounting& later) {
  const auto accepted = static_cast<std::size_t>(Outcome::kAccepted);
  return {{"attempted", {first.attempted(), later.attempted()}},
          {"written", {first.written, later.written}},
          {"dropped", {first.dropped_total(), later.dropped_total()}},
          {"accepted", {first.outcomes[accepted], later.outcomes[accepted]}}};
}

Json accounting_json(const StatusReport& report) {
  const Accounting& accounting = report.accounting;
  const bool in_motion = accounting.closing == Closing::kInMotion;
  Json json = counts_json(accounting.total);
  // Neither true nor false while somebody writes all the time: "in_motion" says so, "bounds" says between what.
  json["closes"] = in_motion ? Json(nullptr) : Json(accounting.closing == Closing::kCloses);
  json["in_motion"] = in_motion;
  if (in_motion && report.later) json["bounds"] = bounds_json(accounting.total, report.later->total);
  json["pending_in_spool"] =
      std::accumulate(report.pending_in_spool.begin(), report.pending_in_spool.end(), std::uint64_t{0});
  json["duplicates_possible"] = accounting.total.duplicates_possible;
  Json signals;
  for (const Signal signal : kSignals) {
    const SignalAccounting& counts = accounting.signals[static_cast<std::size_t>(signal)];
    signals[to_string(signal)] = counts_json(counts);
    signals[to_string(signal)]["pending_in_spool"] =
        report.pending_in_spool[static_cast<std::size_t>(signal)];
    signals[to_string(signal)]["duplicates_possible"] = counts.duplicates_possible;
  }
  json["signals"] = signals;
  return json;
}

/// Where batches of an outage wait; with what is in there of other rings, too.
Json spools_json(const StatusReport& report) {
  Json list = Json::array();
  for (const spool::SpoolLook& each : report.spools) {
    Json lanes = Json::array();
    for (const spool::LaneRows& lane : each.view.lanes) {
      lanes.push_back({{"destination", lane.destination},
                       {"signal", to_string(lane.signal)},
                       {"batches", lane.rows},
                       {"records", lane.records}});
    }
    const spool::SpoolSize& size = each.view.size;
    list.push_back({{"path", each.folder.string()},
                    {"problem", each.problem.empty() ? Json(nullptr) : Json(each.problem)},
                    {"batches", size.rows},
                    {"bytes", size.bytes},
                    {"oldest_age_ms", size.rows > 0 ? Json(milliseconds(size.oldest_age)) : Json(nullptr)},
                    {"waiting", lanes}});
  }
  return list;
}

Json lane_json(const spool::LaneBooks& books, const StatusReport& report) {
  const bool has_succeeded = books.last_success_ms != 0;
  return {{"accepted", books.accepted},
          {"rejected", books.rejected},
          {"dead_lettered", books.dead_lettered},
          {"last_success_unix_ms", has_succeeded ? Json(books.last_success_ms) : Json(nullptr)},
          {"last_success_age_ms",
           has_succeeded ? Json(report.age_of(books.last_success_ms).count()) : Json(nullptr)}};
}

/// As the flusher noted them, a second ago at most.
Json destinations_json(const StatusReport& report) {
  Json list = Json::array();
  for (const spool::DestinationBooks& each : report.destinations) {
    Json json{{"name", each.name}};
    json.update(lane_json(each.total(), report));
    json["last_error"] = nullptr;
    if (each.last_error) {
      json["last_error"] = {{"text", each.last_error->text},
                            {"signal", to_string(each.last_error->signal)},
                            {"unix_ms", each.last_error->at_ms},
                            {"age_ms", report.age_of(each.last_error->at_ms).count()}};
    }
    for (const Signal signal : kSignals)
      json["signals"][to_string(signal)] = lane_json(each.lanes[static_cast<std::size_t>(signal)], report);
    list.push_back(json);
  }
  return list;
}

Json flusher_json(const FlusherView& flusher) {
  Json json{{"state", to_string(flusher.state)}};
  const bool held = flusher.state != FlusherState::kNone;
  json["pid"] = held && flusher.pid != 0 ? Json(flusher.pid) : Json(nullptr);
  json["epoch"] = flusher.epoch;
  json["heartbeat_age_ms"] =
      flusher.heartbeat_age ? Json(milliseconds(*flusher.heartbeat_age)) : Json(nullptr);
  json["interval_ms"] = held ? Json(flusher.interval.count()) : Json(nullptr);
  return json;
}

Json holders_json(const WriterCensus& writers) {
  Json list = Json::array();
  for (const SlotHolder& holder : writers.unknown_holders) {
    list.push_back({{"slot", holder.slot},
                    {"registering", holder.is_registering},
                    {"pid", holder.pid},
                    {"thread", holder.thread},
                    {"pid_namespace", holder.pid_namespace},
                    {"command", holder.command},
                    {"age_ms", holder.age ? Json(milliseconds(*holder.age)) : Json(nullptr)}});
  }
  return list;
}

}  // namespace

std::string as_json(const StatusReport& report) {
  const BlockCensus& blocks = report.accounting.blocks;
  const Json ring{
      {"path", report.path},
      {"file_bytes", report.geometry.file_bytes},
      {"capacity_bytes", report.geometry.capacity_bytes()},
      {"block_bytes", report.geometry.block_bytes},
      {"blocks",
       {{"total", blocks.total},
        {"free", blocks.free},
        {"open", blocks.open},
        {"sealed", blocks.sealed},
        {"unknown", blocks.unknown},
        {"pinned", blocks.pinned}}},
      {"oldest_age_ms", report.oldest_age ? Json(milliseconds(*report.oldest_age)) : Json(nullptr)}};
  const Json writers{{"live", report.writers.live},
                     {"dead", report.writers.dead},
                     {"unknown", report.writers.unknown},
                     {"slots", report.writers.slots},
                     {"unknown_holders", holders_json(report.writers)}};
  const Json json{{"ring", ring},
                  {"accounting", accounting_json(report)},
                  {"destinations", destinations_json(report)},
                  {"spools", spools_json(report)},
                  {"writers", writers},
                  {"flusher", flusher_json(report.flusher)}};
  return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace shmring::tools
