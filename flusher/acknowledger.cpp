// SPDX-License-Identifier: Apache-2.0
// Stage "acknowledge".

#include "flusher/acknowledger.hpp"

#include <utility>

namespace shmring::flusher {
namespace {

bool is_same(const SliceKey& a, const SliceKey& b) {
  return a.block_generation == b.block_generation && a.begin == b.begin && a.end == b.end &&
         a.begin_count == b.begin_count;
}

}  // namespace

void Acknowledger::expect(const SliceKey& key) {
  if (key.block >= blocks_.size()) blocks_.resize(key.block + std::size_t{1});
  const std::uint32_t entry = new_entry(key);
  Queue& queue = blocks_[key.block];
  (queue.first == kNone ? queue.first : entries_[queue.last].next) = entry;
  queue.last = entry;
  ++open_;
}

void Acknowledger::settle(const SliceKey& key, const OutcomeCounts& counts) {
  if (key.block >= blocks_.size()) return;
  Queue& queue = blocks_[key.block];
  std::uint32_t entry = queue.first;
  while (entry != kNone && !is_same(entries_[entry].key, key)) entry = entries_[entry].next;
  if (entry == kNone) return;  // forgotten: superseded
  entries_[entry].counts = counts;
  entries_[entry].is_settled = true;
  while (queue.first != kNone && entries_[queue.first].is_settled) {
    const Entry& first = entries_[queue.first];
    if (acknowledge_(first.key, first.counts) == Reader::Acknowledged::kSuperseded) return forget(queue);
    remove_first(queue);
  }
}

std::uint32_t Acknowledger::new_entry(const SliceKey& key) {
  if (unused_ == kNone) {
    entries_.push_back({.key = key});
    return static_cast<std::uint32_t>(entries_.size() - 1);
  }
  const std::uint32_t entry = unused_;
  unused_ = entries_[entry].next;
  entries_[entry] = {.key = key};
  return entry;
}

void Acknowledger::remove_first(Queue& queue) {
  const std::uint32_t entry = queue.first;
  queue.first = std::exchange(entries_[entry].next, unused_);
  unused_ = entry;
  --open_;
}

void Acknowledger::forget(Queue& queue) {
  // What follows in this block is not ours either.
  for (; queue.first != kNone; ++superseded_) remove_first(queue);
}

}  // namespace shmring::flusher
