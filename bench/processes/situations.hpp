// SPDX-License-Identifier: Apache-2.0
// What goes on around an emitter while its single emits are timed.
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "bench/processes/children.hpp"
#include "bench/processes/subject.hpp"

namespace shmring::bench {

/// Something that goes on until this object goes away.
class Situation {
 public:
  virtual ~Situation() = default;
  Situation() = default;
  Situation(const Situation&) = delete;
  Situation& operator=(const Situation&) = delete;
  /// False: it did not go on as it should have.
  virtual bool end() { return true; }
};

/// A flusher's drain, every 5 ms and when woken.
std::unique_ptr<Situation> while_drained(const Subject& subject);
/// The same, stopped by SIGSTOP in the middle of its work.
std::unique_ptr<Situation> while_drain_is_stopped(const Subject& subject);
/// Drained, while children that emit without a pause are killed all the time, two running at any time.
std::unique_ptr<Situation> while_peers_die(const Subject& subject);
/// Drained, with that many processes attached that emitted one record each, and sleep.
std::unique_ptr<Situation> while_attached(const Subject& subject, std::uint32_t processes);
/// Nobody drains, and every block is full.
std::unique_ptr<Situation> while_full(const Subject& subject);

}  // namespace shmring::bench
