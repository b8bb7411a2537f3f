// SPDX-License-Identifier: Apache-2.0
// Stage "deliver": hands batches to every destination and says when all of them have their outcome. Each destination has
// a lane of its own for each signal, with a window of its own: one that is away holds up no other. A lane whose
// destination stays away gives its batches to the spool, where there is one.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "flusher/batch.hpp"
#include "flusher/batch_spool.hpp"
#include "flusher/exporter.hpp"
#include "flusher/schedule.hpp"

namespace shmring::flusher {

struct Destination {
  Destination(Exporter* to, std::string called = "destination") : exporter(to), name(std::move(called)) {}

  Exporter* exporter;  // outlives the delivery's last batch
  std::string name;    // for people, and for the rows of the spool
};

/// A number for each signal; one for all of them where only one is given.
struct PerSignal {
  PerSignal(std::uint64_t all) : of{all, all, all} {}  // NOLINT: a number is meant to become one
  explicit PerSignal(const std::array<std::uint64_t, kSignalCount>& each) : of(each) {}
  std::array<std::uint64_t, kSignalCount> of;
};

class Delivery {
 public:
  using Finished = std::function<void(const Batch&, const BatchOutcome&)>;

  struct Options {
    PerSignal window = 4;  // a batch is sent only within so many of its lane's oldest one
    std::uint64_t memory_worth_spooling =
        0;  // of a signal; then lanes that fail are away, whatever waits. 0: no such mark
    BatchSpool* spool = nullptr;  // outlives this object's last batch
  };

  /// REQUIRES: at least one destination.
  Delivery(std::vector<Destination> destinations, Options options, Finished finished);
  Delivery(const Delivery&) = delete;
  Delivery& operator=(const Delivery&) = delete;

  /// Sends it now, or when it comes into a lane's window.
  void send(Batch&& batch);

  /// An attempt at that destination failed for now.
  void note_failure(std::size_t destination, Signal signal, TimePoint now = Clock::now());
  /// Since when all attempts failed; nullopt: the last one did not, or there was none.
  std::optional<TimePoint> failing_since(std::size_t destination, Signal signal) const noexcept {
    return queue(signal).lanes[destination].failing_since;
  }
  /// A destination that was away took something: its lane is open again, with that window.
  void open_lane(std::size_t destination, Signal signal);
  /// So many of a lane's window are taken by batches from the spool.
  void lend_window(std::size_t destination, Signal signal, std::uint64_t batches);
  bool is_away(std::size_t destination, Signal signal) const noexcept;
  /// The part of a lane's window that batches from the spool may take.
  std::uint64_t window_for_replay(Signal signal) const noexcept {
    return std::max<std::uint64_t>(1, window_of(queue(signal)) / 2);
  }

  /// What the spool refused is offered to it again.
  void offer_again();
  /// Sends no more, neither to destinations nor to the spool; what waits for another attempt waits here. Forever: somebody else
  /// takes over.
  void hold();
  /// Nothing is on its way to a destination or to the spool.
  bool is_quiet() const noexcept;
  /// The end is near: every lane is away.
  void park_all();

  /// Of batches of a signal that are under way or wait.
  std::uint64_t memory(Signal signal) const noexcept { return queue(signal).memory; }
  std::uint64_t unfinished_batches() const noexcept;
  std::uint64_t unfinished_records() const noexcept;
  /// Records of a signal that some destination has settled and another has not: whoever drains them again sends them twice to the first.
  std::uint64_t records_settled_in_part(Signal signal) const noexcept;
  /// Records of a signal that wait for that destination, sent or not.
  std::uint64_t waiting_records(std::size_t destination, Signal signal) const noexcept;

 private:
  enum class At : std::uint8_t { kWaiting, kSent, kSettled };
  struct Entry {
    std::shared_ptr<const Batch> batch;  // nullptr: finished; waits here for those before it
    std::vector<At> at;                  // by destination
    BatchOutcome outcome;
    bool is_with_spool = false;  // on its way there
  };
  struct Lane {
    std::uint64_t oldest = 0;  // sequence number of the first entry that is not settled here
    std::uint64_t lent = 0;
    std::optional<TimePoint> failing_since = {};  // the first failure since something was settled
    bool is_away = false;
  };
  struct Queue {
    std::deque<std::shared_ptr<Entry>> entries;  // oldest first
    std::uint64_t first = 0;                     // sequence number of the front
    std::vector<Lane> lanes;                     // by destination
    std::uint64_t memory = 0;
    bool is_advancing = false;
    bool has_moved = false;      // while advancing
    bool is_spool_busy = false;  // one handover at a time: they stay in order
    bool has_spool_refused = false;
  };

  Queue& queue(Signal signal) noexcept { return queues_[static_cast<std::size_t>(signal)]; }
  const Queue& queue(Signal signal) const noexcept { return queues_[static_cast<std::size_t>(signal)]; }
  std::uint64_t window_of(const Queue& queue) const noexcept {
    return options_.window.of[static_cast<std::size_t>(&queue - queues_.data())];
  }
  void advance(Queue& queue);
  void remove_finished(Queue& queue);
  void fill_window(Queue& queue, std::size_t destination);
  void submit(Queue& queue, std::size_t destination, const std::shared_ptr<Entry>& entry);
  void on_result(Queue& queue, std::size_t destination, Entry& entry, const SendResult& result);
  void look_whether_away(Queue& queue, std::size_t destination, Signal signal);
  void hand_over(Queue& queue);
  bool is_ready_for_spool(const Queue& queue, const Entry& entry) const;
  void on_kept(Queue& queue, const std::vector<std::shared_ptr<Entry>>& entries, bool is_kept);
  void finish(Queue& queue, Entry& entry);

  std::vector<Destination> destinations_;
  Options options_;
  Finished finished_;
  std::array<Queue, kSignalCount> queues_;
  bool is_held_ = false;
};

}  // namespace shmring::flusher
