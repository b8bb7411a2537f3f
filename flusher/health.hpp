// SPDX-License-Identifier: Apache-2.0
// Whether the flusher is alive, and whether records reach somebody: for /healthz and /readyz.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <utility>

#include "flusher/schedule.hpp"
#include "shmring/signal.hpp"

namespace shmring::flusher {

enum class Answered : std::uint8_t { kNo, kYes };

struct Verdict {
  bool is_good = false;
  std::string words;
};

class Health {
 public:
  /// The lease of a ring is held, and it is drained at this interval. Destinations have yet to answer.
  void begin_serving(TimePoint now, Clock::duration interval);
  void end_serving();
  bool is_serving() const noexcept { return is_serving_; }

  void on_tick(TimePoint now) { last_tick_ = now; }
  /// An attempt to export ended: with whatever answer, a refusal included, or with none that settles the batch.
  void on_attempt(const std::string& destination, Signal signal, Answered answered) {
    lanes_[{destination, signal}] = answered;
  }

  /// Alive: while a ring is served, the last tick is at most three intervals ago (and never less than a second is allowed). Who only
  /// stands by is alive when he answers.
  Verdict alive(TimePoint now) const;
  /// Ready: a ring is served, and some destination answered the last time that it was tried, or none had to be.
  Verdict ready(TimePoint now) const;

 private:
  bool is_serving_ = false;
  TimePoint last_tick_{};
  Clock::duration interval_{};
  std::map<std::pair<std::string, Signal>, Answered> lanes_;  // by the last attempt
};

}  // namespace shmring::flusher
