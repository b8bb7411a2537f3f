// SPDX-License-Identifier: Apache-2.0
// Collecting context from a private copy.
#include "libshmring/carried_context.hpp"

#include <algorithm>
#include <span>

#include "libshmring/record_walk.hpp"

namespace shmring {
namespace {

constexpr std::size_t kLongest = 2048;  // of one block; with more the copy of the block is hardly larger

bool is_of_section(const RecordHeader& header) noexcept {
  return header.kind == static_cast<std::uint8_t>(RecordKind::kResource) ||
         header.kind == static_cast<std::uint8_t>(RecordKind::kScope);
}

/// A resource begins another writer's section: the scopes before it mean nothing any more.
void end_section(std::vector<std::byte>& records, Signal signal) {
  std::vector<std::byte> kept;
  for (std::uint32_t offset = 0;;) {
    const RecordStep step = step_record(records, offset, signal);
    if (step.kind != RecordStep::Kind::kContext) break;
    if (!is_of_section(step.header))
      kept.insert(kept.end(), records.begin() + offset, records.begin() + step.next);
    offset = step.next;
  }
  records = std::move(kept);
}

}  // namespace

std::unique_ptr<CarriedContext> context_behind(const Slice& slice, std::uint64_t& total) {
  const std::span<const std::byte> bytes(slice.bytes);
  std::vector<std::byte> records;
  for (std::uint32_t offset = 0;;) {
    const RecordStep step = step_record(bytes, offset, slice.key.signal);
    if (step.kind == RecordStep::Kind::kBroken) return nullptr;
    if (step.kind == RecordStep::Kind::kEnd) break;
    if (step.kind == RecordStep::Kind::kContext) {
      if (step.header.kind == static_cast<std::uint8_t>(RecordKind::kResource))
        end_section(records, slice.key.signal);
      if (records.size() + (step.next - offset) > kLongest) return nullptr;
      records.insert(records.end(), slice.bytes.begin() + offset, slice.bytes.begin() + step.next);
    }
    offset = step.next;
  }
  if (total + records.size() > CarriedContext::kMost) return nullptr;
  return std::make_unique<CarriedContext>(std::move(records), slice.key.end, total);
}

}  // namespace shmring
