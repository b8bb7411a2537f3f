// SPDX-License-Identifier: Apache-2.0
// Collecting context from a private copy.
#include "libshmring/carried_context.hpp"

#include <algorithm>
#include <span>

#include "libshmring/record_walk.hpp"

namespace shmring {
namespace {

constexpr std::size_t kLongest = 2048;  // of one block; with more the copy of the block is hardly larger

}  // namespace

std::unique_ptr<CarriedContext> context_behind(const Slice& slice, std::uint64_t& total) {
  const std::span<const std::byte> bytes(slice.bytes);
  std::vector<std::byte> records;
  std::span<const std::byte> clock;  // only the latest means anything
  for (std::uint32_t offset = 0;;) {
    const RecordStep step = step_record(bytes, offset, slice.key.signal);
    if (step.kind == RecordStep::Kind::kBroken) return nullptr;
    if (step.kind == RecordStep::Kind::kEnd) break;
    if (step.kind == RecordStep::Kind::kContext) {
      const auto record = bytes.subspan(offset, step.next - offset);
      if (step.header.kind == static_cast<std::uint8_t>(RecordKind::kResource)) {
        records.clear();  // another writer's section: scopes and clock before it mean nothing any more
        clock = {};
      }
      if (step.header.kind == static_cast<std::uint8_t>(RecordKind::kClock)) {
        clock = record;
      } else {
        records.insert(records.end(), record.begin(), record.end());
      }
      if (records.size() + clock.size() > kLongest) return nullptr;
    }
    offset = step.next;
  }
  records.insert(records.end(), clock.begin(), clock.end());
  if (total + records.size() > CarriedContext::kMost) return nullptr;
  return std::make_unique<CarriedContext>(std::move(records), slice.key.end, total);
}

}  // namespace shmring
