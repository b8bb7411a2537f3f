// SPDX-License-Identifier: Apache-2.0
// Sends what lies in the spool, in order, for each destination and signal: one batch at a time while the destination is
// away, to see whether it is back; then beside new data, in a part of the lane's window and at a limited rate.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <vector>

#include "flusher/config.hpp"
#include "flusher/delivery.hpp"
#include "flusher/retry.hpp"
#include "flusher/spool_source.hpp"
#include "flusher/timers.hpp"

namespace shmring::flusher {

class Replay {
 public:
  struct Options {
    std::uint64_t records_per_second = 0;  // of a lane; 0: no limit
    RetryLimits retry = {};
    std::uint64_t seed = 0;
  };

  /// REQUIRES: all of these outlive the replay's last batch.
  Replay(SpoolSource& source, Delivery& delivery, std::vector<Destination> destinations, Timers& timers,
         const Options& options);
  Replay(const Replay&) = delete;
  Replay& operator=(const Replay&) = delete;

  /// There may be rows for that lane.
  void look_again(std::size_t destination, Signal signal);
  /// Sends what can be sent now.
  void pump(TimePoint now = Clock::now());
  /// Sends no more: the end is near.
  void stop() noexcept { is_stopped_ = true; }

  /// Nothing is on its way.
  bool is_quiet() const noexcept;
  /// Nothing is on its way, and no lane has rows that it knows of.
  bool is_idle() const noexcept;

 private:
  struct Lane {
    Backoff backoff;
    std::map<std::int64_t, spool::SpooledBatch> ready = {};  // read, not on their way
    std::int64_t last_read = 0;                              // id
    std::uint64_t under_way = 0;                             // until their outcome is on the disk
    unsigned failures = 0;
    TimePoint not_before{};
    double credit = 0;  // records that may be sent; below 0: too many were
    TimePoint credited{};
    bool may_have_rows = true;
    bool is_reading = false;
    bool was_away = false;
  };

  Lane& lane(std::size_t destination, Signal signal) noexcept {
    return *lanes_[destination * kSignalCount + static_cast<std::size_t>(signal)];
  }
  void pump_lane(std::size_t destination, Signal signal, TimePoint now);
  void pump_after(Clock::duration delay);
  bool may_send(Lane& lane, TimePoint now);
  void wait(Lane& lane, TimePoint now, const std::optional<std::chrono::microseconds>& asked_for);
  void read(std::size_t destination, Signal signal, std::uint64_t most);
  void send(std::size_t destination, Signal signal);
  void on_result(std::size_t destination, Signal signal, spool::SpooledBatch&& batch,
                 const SendResult& result);

  SpoolSource& source_;
  Delivery& delivery_;
  std::vector<Destination> destinations_;
  Timers& timers_;
  Options options_;
  std::vector<std::unique_ptr<Lane>> lanes_;
  bool is_stopped_ = false;
  std::shared_ptr<Replay*> self_ = std::make_shared<Replay*>(this);  // timers outlive us
};

}  // namespace shmring::flusher
