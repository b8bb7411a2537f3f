// SPDX-License-Identifier: Apache-2.0
// The spool and its replay, kept going.

#include "flusher/spool_service.hpp"

#include <algorithm>
#include <random>
#include <utility>

#include "libshmring/accounting.hpp"
#include "spool/spool_note.hpp"

namespace shmring::flusher {
namespace {

constexpr auto kLook = std::chrono::seconds(1);
// Below this share of free blocks the ring asks for early drains; from there on a full spool drops its oldest.
constexpr double kRingShort = 0.25;

spool::RingId id_of(const RingFile& ring) {
  spool::RingId id;
  std::copy(std::begin(ring.header().identity.uuid), std::end(ring.header().identity.uuid), id.begin());
  return id;
}

spool::SpoolFile::Taken taken_from(const RingFile& ring) {
  const Accounting accounting = account(ring);
  spool::SpoolFile::Taken taken{};
  for (std::size_t s = 0; s < kSignalCount; ++s)
    taken[s] = accounting.signals[s].outcomes[static_cast<std::size_t>(Outcome::kSpooled)];
  return taken;
}

/// What a person has to mend. Anything else may mend itself: a predecessor's end, a disk with room again.
bool is_lasting(const Error& error) {
  return error.code == ErrorCode::kPermission || error.code == ErrorCode::kInvalidArgument;
}

}  // namespace

Result<std::unique_ptr<SpoolService>> SpoolService::open(const Config& config, const RingFile& ring,
                                                         Reader& reader, const Destinations& destinations,
                                                         EventLoop& loop, Log& log,
                                                         const std::function<bool()>& is_told_to_end) {
  std::unique_ptr<SpoolService> service(new SpoolService(config, destinations, loop, log));
  if (config.spool.empty()) return service;
  std::vector<std::string> names;
  for (const Destination& destination : service->destinations_) names.push_back(destination.name);
  if (auto noted = spool::note_spool(ring.path(), config.spool); !noted) return noted.error();
  for (;;) {
    auto store = SpoolStore::open(config, id_of(ring), taken_from(ring), reader, names, loop, log);
    if (store) {
      service->store_ = std::move(*store);
      return service;
    }
    if (is_lasting(store.error())) return store.error();
    log.write_limited(LogLevel::kError, "waiting_for_spool", "",
                      {field("reason", store.error().message),
                       field("hint", "records wait in the ring until the spool can be opened")});
    loop.turn(Clock::now() + std::chrono::milliseconds(100));
    if (is_told_to_end()) return std::unique_ptr<SpoolService>();
  }
}

void SpoolService::begin(Pipeline& pipeline, SliceSource& source) {
  if (!store_) return;
  pipeline_ = &pipeline;
  std::random_device seed;
  replay_ = std::make_unique<Replay>(
      *store_, pipeline.delivery(), destinations_, loop_,
      Replay::Options{
          .records_per_second = config_.spool_replay_rate, .retry = config_.retry, .seed = seed()});
  store_->on_kept([replay = replay_.get()](std::size_t destination, Signal signal) {
    replay->look_again(destination, signal);
  });
  tell_strangers();
  if (store_->was_killed()) {
    // What it had on its way from the spool may have arrived: of each lane as many as a window holds.
    for (const spool::LaneRows& lane : store_->found()) {
      const std::uint64_t window = pipeline.delivery().window_for_replay(lane.signal);
      source.count_possible_duplicates(lane.signal, lane.records * std::min(window, lane.rows) / lane.rows);
    }
  }
}

void SpoolService::tell_strangers() const {
  for (const spool::LaneRows& lane : store_->found()) {
    const bool is_known = std::any_of(destinations_.begin(), destinations_.end(),
                                      [&](const Destination& each) { return each.name == lane.destination; });
    log_.write(is_known ? LogLevel::kInfo : LogLevel::kWarning,
               is_known ? "spool_found" : "spool_waits_for_other",
               {field("destination", lane.destination), field("signal", to_string(lane.signal)),
                field("batches", lane.rows), field("records", lane.records)});
  }
}

void SpoolService::tick(double free) {
  if (!store_) return;
  store_->set_ring_short(free < kRingShort);
  const TimePoint now = Clock::now();
  if (now >= next_look_) {
    next_look_ = now + kLook;
    store_->tick();
    pipeline_->delivery().offer_again();
  }
  replay_->pump(now);
}

void SpoolService::stop() {
  if (replay_) replay_->stop();
}

bool SpoolService::has_refused() const noexcept { return store_ && store_->has_refused(); }
std::optional<spool::SpoolSize> SpoolService::size() const noexcept {
  if (!store_) return std::nullopt;
  return store_->size();
}
bool SpoolService::is_quiet() const noexcept { return !store_ || replay_->is_quiet(); }
bool SpoolService::is_empty() const noexcept { return !store_ || replay_->is_idle(); }

}  // namespace shmring::flusher
