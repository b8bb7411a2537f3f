// SPDX-License-Identifier: Apache-2.0
// Sees what is new in a ring since the last look.
#include "tools/block_watch.hpp"

#include <atomic>

#include "libshmring/snapshot.hpp"
#include "shmring/layout.hpp"

namespace shmring::tools {
namespace {

std::uint64_t committed_count(const BlockDescriptor& descriptor) {
  // relaxed: only tells whether a look is worth while; peek() orders what it reads
  return CommittedWord{descriptor.committed.load(std::memory_order_relaxed)}.count();
}

std::uint64_t exported_count(const BlockDescriptor& descriptor) {
  // relaxed: for counting only
  return ExportedWord::unpack(descriptor.exported.load(std::memory_order_relaxed)).count;
}

}  // namespace

std::uint64_t ahead(std::uint64_t count, std::uint64_t seen) noexcept {
  const std::uint64_t distance = (count - seen) & kCountMask;
  return distance <= kCountMask / 2 ? distance : 0;
}

BlockWatch::BlockWatch(const RingFile& ring) : ring_(ring) {
  seen_.reserve(ring.descriptors().size());
  for (const BlockDescriptor& descriptor : ring.descriptors()) seen_.push_back(committed_count(descriptor));
}

std::uint64_t BlockWatch::look(const std::function<void(const Slice&)>& sink) {
  std::uint64_t missed = 0;
  for (std::uint32_t block = 0; block < seen_.size(); ++block) missed += look_at(block, sink);
  return missed;
}

std::uint64_t BlockWatch::look_at(std::uint32_t block, const std::function<void(const Slice&)>& sink) {
  const BlockDescriptor& descriptor = ring_.descriptors()[block];
  std::uint64_t& seen = seen_[block];
  if (ahead(committed_count(descriptor), seen) == 0) return 0;
  std::uint64_t missed = 0;
  if (const auto slice = peek(ring_, block, seen)) {
    missed = ahead(slice->key.begin_count, seen);
    sink(*slice);
    seen = slice->key.end_count;
  } else {
    // Exported before we came, or on its way out of this life right now: then the next look tells.
    const std::uint64_t exported = exported_count(descriptor);
    missed = ahead(exported, seen);
    if (missed > 0) seen = exported;
  }
  return missed;
}

}  // namespace shmring::tools
