// SPDX-License-Identifier: Apache-2.0
// What a section of a block begins with, the writer's resource; and what follows where it is needed: scopes, and clocks.
#include <cstring>

#include "libshmring/claim.hpp"
#include "libshmring/copy_here.hpp"
#include "libshmring/fork_page.hpp"
#include "libshmring/tick_clock.hpp"

namespace shmring {
namespace {

/// Publishes a resource, scope or clock record whose payload has been written; not counted.
[[gnu::hot]] void append_context(OpenBlock& block, RecordKind kind, ScopeId id, std::size_t size) noexcept {
  const RecordHeader header{static_cast<std::uint32_t>(size), static_cast<std::uint8_t>(kind), 0, id.value};
  std::memcpy(block.next(), &header, sizeof(header));
  std::atomic_signal_fence(std::memory_order_release);  // signal fence: as in Slot::commit
  block.committed = block.committed.advanced(record_bytes(size), 0);
  block.descriptor->committed.store(block.committed.word, std::memory_order_release);  // P1
  std::atomic_signal_fence(std::memory_order_acq_rel);  // signal fence: there before it is remembered
}

}  // namespace

[[gnu::hot]] void append_resource(const RingCore& ring, OpenBlock& block, std::uint32_t pid) noexcept {
  const FixedResource& fixed = ring.resource();
  std::byte* payload = block.next() + sizeof(RecordHeader);
  copy_here(payload, fixed.encoded.data(), fixed.encoded.size());
  const InstanceId instance = process_instance();
  const std::size_t variable =
      encode_process_resource(payload + fixed.encoded.size(), fixed, pid, instance.high, instance.low);
  append_context(block, RecordKind::kResource, {}, fixed.encoded.size() + variable);
}

[[gnu::hot]] void declare_scope(const RingCore& ring, OpenBlock& block, ScopeId id) noexcept {
  const std::string_view encoded = ring.scope(id);
  copy_here(block.next() + sizeof(RecordHeader), encoded.data(), encoded.size());
  append_context(block, RecordKind::kScope, id, encoded.size());
  if (id.value < 256) {
    block.declared[id.value / 64] |= std::uint64_t{1} << (id.value % 64);
  } else {
    block.declared_large = id.value;
  }
}

[[gnu::hot]] void append_clock(WriterLevel& level, OpenBlock& block, std::uint64_t ticks) noexcept {
  if (!level.anchor.holds_for(ticks)) {
    level.anchor.holds_ticks = 0;
    std::atomic_signal_fence(std::memory_order_acq_rel);  // signal fence: torn out here, it never held
    const TickAnchor fresh = anchor_now(level.calibration);
    level.anchor.clock = fresh.clock;
    std::atomic_signal_fence(std::memory_order_acq_rel);  // signal fence: complete before it holds
    level.anchor.holds_ticks = fresh.holds_ticks;
  }
  const TickAnchor& anchor = level.anchor;
  std::memcpy(block.next() + sizeof(RecordHeader), &anchor.clock, sizeof(anchor.clock));
  append_context(block, RecordKind::kClock, {}, sizeof(anchor.clock));
  block.anchor_ticks = 0;
  std::atomic_signal_fence(std::memory_order_acq_rel);  // signal fence: torn out from here on, there is none
  block.anchored_at = anchor.clock.ticks;
  std::atomic_signal_fence(std::memory_order_acq_rel);  // signal fence: complete before it holds
  block.anchor_ticks = anchor.holds_ticks;
}

}  // namespace shmring
