// SPDX-License-Identifier: Apache-2.0
// Stage "deliver".

#include "flusher/delivery.hpp"

#include <algorithm>
#include <utility>

namespace shmring::flusher {

Delivery::Delivery(std::vector<Exporter*> exporters, std::uint64_t window, Finished finished)
    : exporters_(std::move(exporters)), window_(window), finished_(std::move(finished)) {}

void Delivery::send(Batch&& batch) {
  Lane& lane = lanes_[static_cast<std::size_t>(batch.signal)];
  auto entry = std::make_shared<Entry>();
  entry->batch = std::make_shared<const Batch>(std::move(batch));
  lane.memory += entry->batch->memory();
  lane.entries.push_back(std::move(entry));
  advance(lane);
}

void Delivery::advance(Lane& lane) {
  if (lane.is_advancing) return;  // an exporter that is done at once calls us from within submit()
  lane.is_advancing = true;
  for (bool moved = true; moved;) {
    moved = false;
    while (!lane.entries.empty() && lane.entries.front()->batch == nullptr) {
      lane.entries.pop_front();
      moved = true;
    }
    const std::size_t in_window = std::min<std::size_t>(lane.entries.size(), window_);
    for (std::size_t i = 0; i < in_window; ++i) {
      if (lane.entries[i]->is_sent) continue;
      submit(lane, lane.entries[i]);
      moved = true;
    }
  }
  lane.is_advancing = false;
}

void Delivery::submit(Lane& lane, const std::shared_ptr<Entry>& entry) {
  entry->is_sent = true;
  if (entry->batch->records == 0)
    return finish(lane, *entry);  // only pieces of bad records: nobody has to be asked
  entry->open_destinations = exporters_.size();
  for (Exporter* exporter : exporters_) {
    exporter->submit(entry->batch,
                     [this, &lane, entry](const SendResult& result) { on_result(lane, *entry, result); });
  }
}

void Delivery::on_result(Lane& lane, Entry& entry, const SendResult& result) {
  const std::uint64_t all = entry.batch->records;
  const std::uint64_t kept = std::min(result.dead_lettered, all);
  const std::uint64_t refused =
      result.outcome == SendOutcome::kAccepted ? std::min(result.rejected, all - kept) : all - kept;
  entry.outcome.rejected = std::max(entry.outcome.rejected, refused);
  entry.outcome.dead_lettered =
      std::min(std::max(entry.outcome.dead_lettered, kept), all - entry.outcome.rejected);
  if (entry.outcome.reason.empty()) entry.outcome.reason = result.reason;
  if (--entry.open_destinations > 0) return;
  finish(lane, entry);
  advance(lane);
}

void Delivery::finish(Lane& lane, Entry& entry) {
  const std::shared_ptr<const Batch> batch =
      std::exchange(entry.batch, nullptr);  // its memory need not wait for others
  lane.memory -= batch->memory();
  finished_(*batch, entry.outcome);
}

std::uint64_t Delivery::unfinished_batches() const noexcept {
  std::uint64_t count = 0;
  for (const Lane& lane : lanes_) {
    for (const auto& entry : lane.entries) count += entry->batch ? 1 : 0;
  }
  return count;
}

std::uint64_t Delivery::unfinished_records() const noexcept {
  std::uint64_t count = 0;
  for (const Lane& lane : lanes_) {
    for (const auto& entry : lane.entries) count += entry->batch ? entry->batch->records : 0;
  }
  return count;
}

}  // namespace shmring::flusher
