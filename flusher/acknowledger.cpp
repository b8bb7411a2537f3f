// SPDX-License-Identifier: Apache-2.0
// Stage "acknowledge".

#include "flusher/acknowledger.hpp"

#include <algorithm>

namespace shmring::flusher {
namespace {

bool is_same(const SliceKey& a, const SliceKey& b) {
  return a.block_generation == b.block_generation && a.begin == b.begin && a.end == b.end &&
         a.begin_count == b.begin_count;
}

}  // namespace

void Acknowledger::expect(const SliceKey& key) {
  blocks_[key.block].push_back({.key = key});
  ++open_;
}

void Acknowledger::settle(const SliceKey& key, const OutcomeCounts& counts) {
  const auto block = blocks_.find(key.block);
  if (block == blocks_.end()) return;  // forgotten: superseded
  std::deque<Entry>& waiting = block->second;
  const auto entry =
      std::find_if(waiting.begin(), waiting.end(), [&](const Entry& e) { return is_same(e.key, key); });
  if (entry == waiting.end()) return;
  entry->counts = counts;
  entry->is_settled = true;
  while (!waiting.empty() && waiting.front().is_settled) {
    const Entry& first = waiting.front();
    if (acknowledge_(first.key, first.counts) == Reader::Acknowledged::kSuperseded) return forget(key.block);
    waiting.pop_front();
    --open_;
  }
  if (waiting.empty()) blocks_.erase(block);
}

void Acknowledger::forget(std::uint32_t block) {
  // What follows in this block is not ours either.
  const auto found = blocks_.find(block);
  open_ -= found->second.size();
  superseded_ += found->second.size();
  blocks_.erase(found);
}

}  // namespace shmring::flusher
