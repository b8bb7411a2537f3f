// SPDX-License-Identifier: Apache-2.0
// Stage "deliver".

#include "flusher/delivery.hpp"

#include <algorithm>

namespace shmring::flusher {
namespace {

// What goes to the spool in one transaction at most: its log grows by as much.
constexpr std::uint64_t kHandoverBytes = 8U << 20U;

void add(BatchOutcome& outcome, const SendResult& result, std::uint64_t all) {
  const std::uint64_t kept = std::min(result.dead_lettered, all);
  const std::uint64_t refused =
      result.outcome == SendOutcome::kAccepted ? std::min(result.rejected, all - kept) : all - kept;
  outcome.rejected = std::max(outcome.rejected, refused);
  outcome.dead_lettered = std::min(std::max(outcome.dead_lettered, kept), all - outcome.rejected);
  if (outcome.reason.empty()) outcome.reason = result.reason;
}

}  // namespace

Delivery::Delivery(std::vector<Destination> destinations, Options options, Finished finished)
    : destinations_(std::move(destinations)), options_(options), finished_(std::move(finished)) {
  for (Queue& queue : queues_) queue.lanes.resize(destinations_.size());
}

void Delivery::send(Batch&& batch) {
  Queue& queue = this->queue(batch.signal);
  auto entry = std::make_shared<Entry>();
  entry->batch = std::make_shared<const Batch>(std::move(batch));
  entry->at.assign(destinations_.size(), At::kWaiting);
  queue.memory += entry->batch->memory();
  queue.entries.push_back(entry);
  if (entry->batch->records == 0)
    finish(queue, *entry);  // only pieces of bad records: nobody has to be asked
  advance(queue);
}

void Delivery::advance(Queue& queue) {
  queue.has_moved = true;
  if (queue.is_advancing) return;  // an exporter that is done at once calls us from within submit()
  queue.is_advancing = true;
  while (std::exchange(queue.has_moved, false)) {
    remove_finished(queue);
    for (std::size_t i = 0; i < destinations_.size(); ++i) fill_window(queue, i);
    hand_over(queue);
  }
  queue.is_advancing = false;
}

void Delivery::remove_finished(Queue& queue) {
  while (!queue.entries.empty() && queue.entries.front()->batch == nullptr) {
    queue.entries.pop_front();
    ++queue.first;
  }
}

void Delivery::fill_window(Queue& queue, std::size_t destination) {
  Lane& lane = queue.lanes[destination];
  lane.oldest = std::max(lane.oldest, queue.first);
  const auto is_done = [&](const Entry& entry) {
    return entry.batch == nullptr || entry.is_with_spool || entry.at[destination] == At::kSettled;
  };
  while (lane.oldest - queue.first < queue.entries.size() &&
         is_done(*queue.entries[lane.oldest - queue.first])) {
    ++lane.oldest;
  }
  if (queue.entries.empty()) return;
  if (const auto& front = queue.entries.front(); front->batch != nullptr)
    look_whether_away(queue, destination, front->batch->signal);
  if (lane.is_away || is_held_) return;
  const std::uint64_t window =
      std::max<std::uint64_t>(1, window_of(queue) - std::min(lane.lent, window_of(queue)));
  for (std::uint64_t i = lane.oldest - queue.first;
       i < std::min<std::uint64_t>(queue.entries.size(), lane.oldest - queue.first + window); ++i) {
    const std::shared_ptr<Entry> entry = queue.entries[i];
    if (is_done(*entry) || entry->at[destination] == At::kSent) continue;
    submit(queue, destination, entry);
    if (lane.is_away) return;  // the attempt failed at once
  }
}

void Delivery::submit(Queue& queue, std::size_t destination, const std::shared_ptr<Entry>& entry) {
  entry->at[destination] = At::kSent;
  destinations_[destination].exporter->submit(entry->batch,
                                              [this, &queue, destination, entry](const SendResult& result) {
                                                on_result(queue, destination, *entry, result);
                                              });
}

void Delivery::on_result(Queue& queue, std::size_t destination, Entry& entry, const SendResult& result) {
  if (result.outcome == SendOutcome::kRetryable) {  // given back: for the spool, or for another attempt
    entry.at[destination] = At::kWaiting;
    return advance(queue);
  }
  entry.at[destination] = At::kSettled;
  queue.lanes[destination].failing_since.reset();
  add(entry.outcome, result, entry.batch->records);
  const bool is_finished =
      std::all_of(entry.at.begin(), entry.at.end(), [](At at) { return at == At::kSettled; });
  if (is_finished) finish(queue, entry);
  advance(queue);
}

void Delivery::note_failure(std::size_t destination, Signal signal, TimePoint now) {
  Queue& queue = this->queue(signal);
  Lane& lane = queue.lanes[destination];
  if (!lane.failing_since) lane.failing_since = now;
  look_whether_away(queue, destination, signal);
}

/// Its oldest batch has failed, and more wait than its window holds: it is not worth waiting in memory.
void Delivery::look_whether_away(Queue& queue, std::size_t destination, Signal signal) {
  Lane& lane = queue.lanes[destination];
  if (options_.spool == nullptr || lane.is_away || !lane.failing_since) return;
  const std::uint64_t behind = queue.first + queue.entries.size() - std::max(lane.oldest, queue.first);
  const bool is_memory_short =
      options_.memory_worth_spooling > 0 && queue.memory >= options_.memory_worth_spooling;
  if (behind <= window_of(queue) && !is_memory_short) return;
  lane.is_away = true;
  queue.has_moved = true;
  destinations_[destination].exporter->set_patience(signal, Patience::kGiveBack);
}

void Delivery::open_lane(std::size_t destination, Signal signal) {
  Lane& lane = queue(signal).lanes[destination];
  if (!std::exchange(lane.is_away, false)) return;
  lane.failing_since.reset();
  lane.oldest = queue(signal).first;
  destinations_[destination].exporter->set_patience(signal, Patience::kRetry);
  advance(queue(signal));
}

void Delivery::lend_window(std::size_t destination, Signal signal, std::uint64_t batches) {
  Lane& lane = queue(signal).lanes[destination];
  const bool is_less = batches < std::exchange(lane.lent, batches);
  if (is_less) advance(queue(signal));
}

bool Delivery::is_away(std::size_t destination, Signal signal) const noexcept {
  return queue(signal).lanes[destination].is_away;
}

/// Everything in front of it is finished or on its way to the spool, and it waits for those only that are away. In order:
/// so what the spool has taken over of a block is always what follows the acknowledged part.
void Delivery::hand_over(Queue& queue) {
  if (options_.spool == nullptr || is_held_ || queue.is_spool_busy || queue.has_spool_refused) return;
  std::vector<std::shared_ptr<Entry>> entries;
  std::vector<Handover> handovers;
  std::uint64_t bytes = 0;
  for (const auto& entry : queue.entries) {
    if (entry->batch == nullptr) continue;
    if (!is_ready_for_spool(queue, *entry) || bytes >= kHandoverBytes) break;
    Handover handover{.batch = entry->batch, .destinations = {}, .so_far = entry->outcome};
    for (std::size_t i = 0; i < destinations_.size(); ++i) {
      if (entry->at[i] != At::kSettled) handover.destinations.push_back(i);
    }
    entry->is_with_spool = true;
    bytes += entry->batch->request.size();
    entries.push_back(entry);
    handovers.push_back(std::move(handover));
  }
  if (entries.empty()) return;
  queue.is_spool_busy = true;
  options_.spool->keep(std::move(handovers),
                       [this, &queue, entries](bool is_kept) { on_kept(queue, entries, is_kept); });
}

bool Delivery::is_ready_for_spool(const Queue& queue, const Entry& entry) const {
  for (std::size_t i = 0; i < destinations_.size(); ++i) {
    const bool is_parked = entry.at[i] == At::kWaiting && queue.lanes[i].is_away;
    if (entry.at[i] != At::kSettled && !is_parked) return false;
  }
  return true;
}

void Delivery::on_kept(Queue& queue, const std::vector<std::shared_ptr<Entry>>& entries, bool is_kept) {
  queue.is_spool_busy = false;
  queue.has_spool_refused = !is_kept;
  for (const auto& entry : entries) {
    entry->is_with_spool = false;
    entry->outcome.is_spooled = is_kept;
    if (is_kept) finish(queue, *entry);
  }
  if (!is_kept) {
    for (Lane& lane : queue.lanes) lane.oldest = queue.first;
  }
  advance(queue);
}

void Delivery::offer_again() {
  for (Queue& queue : queues_) {
    if (std::exchange(queue.has_spool_refused, false)) advance(queue);
  }
}

void Delivery::hold() {
  is_held_ = true;
  for (std::size_t s = 0; s < kSignalCount; ++s) {
    for (const Destination& destination : destinations_)
      destination.exporter->set_patience(static_cast<Signal>(s), Patience::kGiveBack);
  }
}

bool Delivery::is_quiet() const noexcept {
  return std::none_of(queues_.begin(), queues_.end(), [](const Queue& queue) {
    return queue.is_spool_busy ||
           std::any_of(queue.entries.begin(), queue.entries.end(), [](const auto& entry) {
             return entry->batch && std::count(entry->at.begin(), entry->at.end(), At::kSent) > 0;
           });
  });
}

void Delivery::park_all() {
  if (options_.spool == nullptr) return;
  for (std::size_t s = 0; s < kSignalCount; ++s) {
    for (std::size_t i = 0; i < destinations_.size(); ++i) {
      queues_[s].lanes[i].is_away = true;
      destinations_[i].exporter->set_patience(static_cast<Signal>(s), Patience::kGiveBack);
    }
    queues_[s].has_spool_refused = false;
    advance(queues_[s]);
  }
}

void Delivery::finish(Queue& queue, Entry& entry) {
  const std::shared_ptr<const Batch> batch =
      std::exchange(entry.batch, nullptr);  // its memory need not wait for others
  queue.memory -= batch->memory();
  finished_(*batch, entry.outcome);
}

std::uint64_t Delivery::unfinished_batches() const noexcept {
  std::uint64_t count = 0;
  for (const Queue& queue : queues_) {
    for (const auto& entry : queue.entries) count += entry->batch ? 1 : 0;
  }
  return count;
}

std::uint64_t Delivery::unfinished_records() const noexcept {
  std::uint64_t count = 0;
  for (const Queue& queue : queues_) {
    for (const auto& entry : queue.entries) count += entry->batch ? entry->batch->records : 0;
  }
  return count;
}

std::uint64_t Delivery::records_settled_in_part(Signal signal) const noexcept {
  std::uint64_t count = 0;
  for (const auto& entry : queue(signal).entries) {
    const bool is_in_part = entry->batch && !entry->is_with_spool &&
                            std::count(entry->at.begin(), entry->at.end(), At::kSettled) > 0;
    if (is_in_part) count += entry->batch->records;
  }
  return count;
}

std::uint64_t Delivery::waiting_records(std::size_t destination, Signal signal) const noexcept {
  std::uint64_t count = 0;
  for (const auto& entry : queue(signal).entries) {
    if (entry->batch && entry->at[destination] != At::kSettled) count += entry->batch->records;
  }
  return count;
}

}  // namespace shmring::flusher
