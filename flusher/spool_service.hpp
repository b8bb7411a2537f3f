// SPDX-License-Identifier: Apache-2.0
// The spool and its replay, as the service of a ring keeps them going. Without --spool it does nothing.
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "flusher/destinations.hpp"
#include "flusher/pipeline.hpp"
#include "flusher/replay.hpp"
#include "flusher/spool_store.hpp"
#include "libshmring/ring_file.hpp"

namespace shmring::flusher {

class SpoolService {
 public:
  /// Opens the spool, as soon as its disk lets us: what the ring holds of a handover that a crash cut short must not be drained
  /// before. nullptr: told to end meanwhile.
  static Result<std::unique_ptr<SpoolService>> open(const Config& config, const RingFile& ring,
                                                    Reader& reader, const Destinations& destinations,
                                                    EventLoop& loop, Log& log,
                                                    const std::function<bool()>& is_told_to_end);

  /// nullptr: there is none.
  BatchSpool* store() noexcept { return store_.get(); }
  /// REQUIRES: the pipeline spools into store(); nothing was drained yet.
  void begin(Pipeline& pipeline, SliceSource& source);
  /// At each tick; `free`: share of the ring's blocks.
  void tick(double free);
  /// Sends no more from the spool.
  void stop();
  /// Nothing is on its way from it.
  bool is_quiet() const noexcept;
  /// Nothing is left in it for those who are configured.
  bool is_empty() const noexcept;
  /// As of the last tick; nullopt: there is none.
  std::optional<spool::SpoolSize> size() const noexcept;
  /// It took nothing the last time that it was asked.
  bool has_refused() const noexcept;

 private:
  SpoolService(const Config& config, const Destinations& destinations, EventLoop& loop, Log& log)
      : config_(config), destinations_(destinations.all()), loop_(loop), log_(log) {}
  void tell_strangers() const;

  const Config& config_;
  std::vector<Destination> destinations_;
  EventLoop& loop_;
  Log& log_;
  TimePoint next_look_{};
  std::unique_ptr<Replay> replay_;
  Pipeline* pipeline_ = nullptr;
  std::unique_ptr<SpoolStore> store_;  // goes first: what comes back from its thread needs the others
};

}  // namespace shmring::flusher
